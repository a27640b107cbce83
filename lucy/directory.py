"""Entra ID as the flows need it; reached through `lucy/ports.py`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from lucy.domain.students import Upn
from lucy.errors import RemoteError


@dataclass(frozen=True, slots=True)
class NewAccount:
    """An account to create. `employee_id` is the document number: the mark by which Lucy knows her accounts."""

    key: str
    upn: Upn
    mail_nickname: str
    first_name: str
    last_name: str
    employee_id: str
    password: str = field(repr=False)
    usage_location: str = "AR"


@dataclass(frozen=True, slots=True)
class DirectoryUser:
    """An account as the directory has it. `created_at` is aware UTC, None where the directory did not say.

    `set_by_others`: Graph's names of the properties that Lucy never sets and that hold a value here (a job title, a
    phone, the synchronisation from another directory), so that the work of another hand can be told.
    """

    id: str
    upn: Upn
    display_name: str
    employee_id: str
    enabled: bool
    created_at: datetime | None
    sku_ids: frozenset[str] = frozenset()
    given_name: str = ""
    surname: str = ""
    usage_location: str = ""
    set_by_others: frozenset[str] = frozenset()
    licence_errors: Mapping[str, str] = field(default_factory=dict)  # SKU id → why a group could not give it


@dataclass(frozen=True, slots=True)
class LicenceSeats:
    """Seats of one SKU in the tenant."""

    sku_id: str
    part_number: str
    enabled: int
    consumed: int

    @property
    def free(self) -> int:
        return max(0, self.enabled - self.consumed)


@dataclass(frozen=True, slots=True)
class LicenceRequest:
    key: str
    user_id: str
    sku_id: str


@dataclass(frozen=True, slots=True)
class EnabledChange:
    """Whether the account may sign in from now on."""

    key: str
    user_id: str
    enabled: bool


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A temporary password: it must be changed at the next sign-in."""

    key: str
    user_id: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class AccountChange:
    """Properties to set on an account; an empty string leaves that one as it is."""

    key: str
    user_id: str
    first_name: str = ""
    last_name: str = ""
    employee_id: str = ""
    usage_location: str = ""


@dataclass(frozen=True, slots=True)
class DeletedUser:
    """An account in the deleted items, restorable for 30 days. `upn` is the name it had. `deleted_at` is aware UTC."""

    id: str
    upn: Upn
    display_name: str
    employee_id: str
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class GroupMember:
    """An account in an Entra group, by their object ids."""

    key: str
    user_id: str
    group_id: str


@dataclass(frozen=True, slots=True)
class DirectoryGroup:
    """A group as the configuration check needs it. `team`: a class team or another one stands on it.

    `dynamic` groups compute their members, `role_assignable` ones need a permission Lucy does not ask for: neither can
    be joined.
    """

    id: str
    display_name: str
    dynamic: bool
    role_assignable: bool
    team: bool
    sku_ids: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class DirectoryChanges:
    """One page of what changed in the directory. `removed` are ids of deleted accounts.

    `next_link` leads to the next page, empty on the last one; `delta_link`, only there, is what to ask with next time.
    `start_over`: the link given had run out; ask with an empty one.
    """

    changed: tuple[DirectoryUser, ...] = ()
    removed: frozenset[str] = frozenset()
    next_link: str = field(default="", repr=False)
    delta_link: str = field(default="", repr=False)
    start_over: bool = False


@dataclass(frozen=True, slots=True)
class SignsOfUse:
    """What tells whether a temporary password was used. Times are aware UTC.

    `signed_in_at`: the last successful sign-in; None also where the tenant's licence does not let it be read.
    `password_changed_at`: by whomever. `must_change`: whether the next sign-in asks for a new one; None: not told.
    """

    signed_in_at: datetime | None = None
    password_changed_at: datetime | None = None
    must_change: bool | None = None


class Directory(Protocol):
    """Entra ID. Calls of any length are cut into `$batch` requests of up to 20.

    All but `create_users` are harmless to repeat. A write without a proper answer is OutcomeUnknown all the same: read
    the account back before going on.
    """

    async def create_users(self, accounts: Sequence[NewAccount]) -> Mapping[str, DirectoryUser | RemoteError]:
        """Create accounts. An UPN in use gives AlreadyThere for that key; nothing is adopted here."""
        ...

    async def find_users(self, upns: Mapping[str, Upn]) -> Mapping[str, DirectoryUser | RemoteError | None]:
        """Look up accounts by sign-in name; None where there is none."""
        ...

    async def read_users(self, ids: Mapping[str, str]) -> Mapping[str, DirectoryUser | RemoteError | None]:
        """Read accounts back by Entra object id; None where there is none (deleted, or not replicated yet)."""
        ...

    async def signs_of_use(self, ids: Mapping[str, str]) -> Mapping[str, SignsOfUse | RemoteError | None]:
        """Whether accounts have been entered, by Entra object id; None where there is no account."""
        ...

    async def assign_licences(self, requests: Sequence[LicenceRequest]) -> Mapping[str, RemoteError | None]:
        """Assign one SKU to each; harmless where it is assigned already. NotFound: not there, or not replicated yet."""
        ...

    async def remove_licences(self, requests: Sequence[LicenceRequest]) -> Mapping[str, RemoteError | None]:
        """Take one SKU from each; harmless where it is not assigned. NotFound where there is no account."""
        ...

    async def set_enabled(self, requests: Sequence[EnabledChange]) -> Mapping[str, RemoteError | None]:
        """Disable or enable, and nothing else; harmless where it is so already. NotFound where there is no account."""
        ...

    async def revoke_sessions(self, ids: Mapping[str, str]) -> Mapping[str, RemoteError | None]:
        """End what was signed in, by Entra object id; once more is harmless. NotFound where there is no account.

        Access tokens already issued run until they expire: disable first.
        """
        ...

    async def reset_passwords(self, requests: Sequence[NewPassword]) -> Mapping[str, RemoteError | None]:
        """Set a temporary password; the same one again is harmless. NotFound where there is no account."""
        ...

    async def delete_users(self, ids: Mapping[str, str]) -> Mapping[str, RemoteError | None]:
        """Delete, by Entra object id; restorable for 30 days. NotFound where there is none, so also once more."""
        ...

    async def update_users(self, changes: Sequence[AccountChange]) -> Mapping[str, RemoteError | None]:
        """Set properties; harmless where they are so already. NotFound where there is no account."""
        ...

    async def deleted_users(self) -> Sequence[DeletedUser]:
        """Every account in the deleted items, through all pages. Raises RemoteError."""
        ...

    async def restore_users(self, ids: Mapping[str, str]) -> Mapping[str, DirectoryUser | RemoteError]:
        """Restore deleted accounts, by object id. NotFound where it is not in the deleted items (any more).

        Conflict where its name was taken meanwhile.
        """
        ...

    async def add_members(self, members: Sequence[GroupMember]) -> Mapping[str, RemoteError | None]:
        """Put accounts into groups; harmless where they are in it. NotFound: no such account or group, or not yet."""
        ...

    async def remove_members(self, members: Sequence[GroupMember]) -> Mapping[str, RemoteError | None]:
        """Take accounts out of groups; harmless where they are not in it."""
        ...

    async def members_of(self, group_id: str) -> frozenset[str]:
        """Object ids of a group's direct members, through all pages. Raises NotFound, RemoteError."""
        ...

    async def group(self, group_id: str) -> DirectoryGroup:
        """Raises NotFound, RemoteError."""
        ...

    async def changes(self, link: str = "") -> DirectoryChanges:
        """A page of the delta query: an empty link begins with every user, a link goes on. Raises RemoteError."""
        ...

    async def granted(self) -> frozenset[str]:
        """The application permissions that the token holds (its `roles`). Raises RemoteError."""
        ...

    async def lacking(self, *, groups: bool) -> Mapping[str, str]:
        """Operation → the permissions of which the token holds none. `groups`: whether Lucy uses groups.

        Raises RemoteError.
        """
        ...

    async def licence_seats(self, part_number: str) -> LicenceSeats:
        """Seats of a SKU. Raises NotFound when the tenant has no such SKU."""
        ...
