"""What goes over the wire to Graph and back, as values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Operation(StrEnum):
    """What is asked of Graph, as errors name it."""

    SIGN_IN = "sign_in"
    CREATE = "create_users"
    FIND = "find_users"
    READ = "read_users"
    LICENCE = "assign_licences"
    SEATS = "licence_seats"
    UNLICENCE = "remove_licences"
    ENABLE = "set_enabled"
    REVOKE = "revoke_sessions"
    PASSWORD = "reset_passwords"
    DELETE = "delete_users"
    UPDATE = "update_users"
    DELETED = "deleted_users"
    RESTORE = "restore_users"
    JOIN = "add_members"
    LEAVE = "remove_members"
    MEMBERS = "members_of"
    GROUP = "group"
    CHANGES = "changes"
    SIGNS = "signs_of_use"

    @property
    def harmless(self) -> bool:
        """A read: where no answer came nothing is in doubt. Most writes may be repeated too, but only after a look."""
        return self in _READS


_READS = frozenset(
    {
        Operation.SIGN_IN,
        Operation.FIND,
        Operation.READ,
        Operation.SEATS,
        Operation.DELETED,
        Operation.MEMBERS,
        Operation.GROUP,
        Operation.CHANGES,
        Operation.SIGNS,
    }
)


@dataclass(frozen=True, slots=True)
class SubRequest:
    """One request of a `$batch`; `url` is relative to the version. Both may hold what nobody may see."""

    method: str
    url: str = field(repr=False)
    body: Mapping[str, object] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class SubResponse:
    """The answer to one request, within a `$batch` or alone."""

    status: int
    body: object = field(default=None, repr=False)
    retry_after_s: float | None = None
    request_id: str = ""
    client_request_id: str = ""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class ProblemDetail:
    code: str
    target: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Graph's error envelope. `message` may name people: it is matched, never shown."""

    code: str = ""
    details: tuple[ProblemDetail, ...] = ()
    message: str = field(default="", repr=False)
    request_id: str = ""

    @property
    def remote_code(self) -> str:
        """The most specific code."""
        return self.details[0].code if self.details and self.details[0].code else self.code
