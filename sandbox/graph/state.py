"""The tenant: its users, seats and settings.

Source: contracts/graph.md sections 6 (deleted items), 7 (seats), 9 (write budget), 10 (replication).
"""

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

from sandbox.control import Control
from sandbox.graph.errors import duplicate, not_found
from sandbox.graph.group import Group, every_property, read_group
from sandbox.graph.journal import Journal
from sandbox.graph.operations import OPERATIONS
from sandbox.graph.passwords import StoredPassword
from sandbox.graph.permissions import LUCYS
from sandbox.graph.throttle import WINDOW_S, WRITES_PER_WINDOW, WriteBudget
from sandbox.graph.user import READ_ONLY, WRITABLE, User, held_licences, snapshot

RETENTION_S = 30 * 86400
# https://learn.microsoft.com/entra/identity/users/licensing-service-plan-reference
SKU_IDS = {"STANDARDWOFFPACK_STUDENT": "314c4481-f395-4525-be8b-2ec4bb1e9d91"}


@dataclass(frozen=True)
class Behaviour:
    """What a seed may set beside users and seats; `_s` are seconds."""

    replication_s: float = 0.0
    writes_per_window: int = WRITES_PER_WINDOW
    window_s: float = WINDOW_S
    latency_s: float = 0.0
    token_lifetime_s: float = 3599.0
    secret_expired: bool = False
    delta_lifetime_s: float = 7 * 86400.0
    object_quota: int = 50_000
    premium: bool = False  # Entra ID P1: sign-ins can be read


@dataclass(frozen=True)
class IssuedToken:
    """`expires_at`: seconds since the epoch. `roles`: what was consented to when it was issued."""

    expires_at: float
    roles: frozenset[str]


@dataclass
class GraphState:
    """Everything the simulator remembers. `client_certificate`: PEM, where the application has one.

    `mailboxes`: addresses from which it may send. `deliver` takes what it sent (sender, recipients, MIME);
    `saved_letters` counts those that were left in Sent Items.
    """

    tenant_id: str
    client_id: str
    client_secret: str
    domain: str
    sku_part_number: str = "STANDARDWOFFPACK_STUDENT"
    seats: int = 500
    control: Control = field(default_factory=Control)
    clock: Callable[[], float] = time.time
    behaviour: Behaviour = field(init=False, default_factory=Behaviour)
    client_certificate: bytes | None = None
    permissions: frozenset[str] = LUCYS
    users: dict[str, User] = field(init=False, default_factory=dict)
    groups: dict[str, Group] = field(init=False, default_factory=dict)
    tokens: dict[str, IssuedToken] = field(init=False, default_factory=dict)
    journal: Journal = field(init=False, default_factory=Journal)
    prohibited_locations: frozenset[str] = field(init=False, default=frozenset())
    deliver: Callable[[str, list[str], bytes], None] = field(default=lambda _sender, _to, _raw: None)
    saved_letters: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.control.operations |= OPERATIONS
        self.sku_id = SKU_IDS.get(self.sku_part_number) or str(uuid.uuid5(uuid.NAMESPACE_OID, self.sku_part_number))
        self.mailboxes = frozenset({f"aula.virtual@{self.domain.lower()}"})
        self._first_seats, self._first_permissions = self.seats, self.permissions
        self._ids_by_upn: dict[str, str] = {}
        self._seated: set[str] = set()  # ids of live users with a licence: counting them all each time is slow
        self.writes = self._new_budget()

    @property
    def domains(self) -> tuple[str, ...]:
        """The tenant's verified domains, in lower case; the initial one is `*.onmicrosoft.com`."""
        return self.domain.lower(), f"{self.domain.lower().split('.')[0]}.onmicrosoft.com"

    @property
    def consumed_units(self) -> int:
        """Seats in use: those of live users."""
        return len(self._seated)

    def is_taken(self, upn: str) -> bool:
        """Whether a live user has it, replicated or not. A deleted one does not block (the contract leaves it open)."""
        return upn.lower() in self._ids_by_upn

    def find(self, target: str) -> User:
        """A live, replicated user by id or UPN, in any case. Raises GraphError (404)."""
        user = self.users.get(self._ids_by_upn.get(target.lower(), target.lower()))
        if user is None or not self.is_visible(user):
            raise not_found(target)
        return user

    def is_visible(self, user: User) -> bool:
        return user.deleted_at is None and user.visible_at <= self.clock()

    def deleted_users(self) -> list[User]:
        """Those still in the deleted items; after 30 days they are purged."""
        oldest = self.clock() - RETENTION_S
        for user in [one for one in self.users.values() if one.deleted_at is not None and one.deleted_at < oldest]:
            del self.users[user.id]
        return [user for user in self.users.values() if user.deleted_at is not None]

    def add(self, properties: dict[str, Any], *, replication_s: float = 0.0, user_id: str | None = None) -> User:
        now = self.clock()
        user = User((user_id or str(uuid.uuid4())).lower(), properties, now, now + replication_s, now)
        self.users[user.id] = user
        self._ids_by_upn[user.upn.lower()] = user.id
        self.journal.note(user.id)
        return user

    @property
    def is_full(self) -> bool:
        """Whether the quota of directory objects is used up; deleted users count while they can be restored."""
        return len(self.users) + len(self.groups) >= self.behaviour.object_quota

    def change(self, user: User, properties: dict[str, Any]) -> None:
        del self._ids_by_upn[user.upn.lower()]
        user.properties.update(properties)
        self._ids_by_upn[user.upn.lower()] = user.id
        self.journal.note(user.id)

    def set_licences(self, user: User, licences: dict[str, list[str]]) -> None:
        """A live user's new licences; takes or frees the seat."""
        user.licences = licences
        self._seat(user)

    def join(self, group: Group, user: User) -> None:
        """With the group's licence, where it can be given; otherwise why not stays in the user's states."""
        group.members[user.id] = None
        if group.sku_id:
            user.of_groups[group.id, group.sku_id] = self._group_licence_error(user, group.sku_id)
            self._seat(user)

    def leave(self, group: Group, user: User) -> None:
        del group.members[user.id]
        if user.of_groups.pop((group.id, group.sku_id), None) is not None:
            self._seat(user)

    def _group_licence_error(self, user: User, sku_id: str) -> str:
        country = str(user.properties.get("usageLocation") or "").upper()
        if not country or country in self.prohibited_locations:
            return "ProhibitedInUsageLocationViolation"
        taken = sku_id not in held_licences(user) and self.consumed_units >= self.seats
        return "CountViolation" if taken else ""

    def _seat(self, user: User) -> None:
        self._seated.discard(user.id)
        if self.sku_id in held_licences(user):
            self._seated.add(user.id)
        self.journal.note(user.id)

    def delete(self, user: User) -> None:
        user.deleted_at = self.clock()
        self._seated.discard(user.id)
        self.journal.note(user.id)
        del self._ids_by_upn[user.upn.lower()]

    def restore(self, user_id: str) -> User:
        """Back with its licences. Raises GraphError: 404, or 400 when the UPN was taken meanwhile (contract: open)."""
        user = next((one for one in self.deleted_users() if one.id == user_id.lower()), None)
        if user is None:
            raise not_found(user_id)
        if self.is_taken(user.upn):
            raise duplicate("userPrincipalName")
        user.deleted_at = None
        self._seat(user)
        self._ids_by_upn[user.upn.lower()] = user.id
        return user

    def sign_in(self, upn: str, password: str, *, new_password: str = "") -> tuple[bool, bool]:
        """Whether the password opens the account, and whether it must then be changed.

        With `new_password` the owner enters and chooses it; without, it is only tried.
        """
        user = self.users.get(self._ids_by_upn.get(upn.lower(), ""))
        if user is None or user.password is None or not user.password.matches(password):
            return False, False
        opens, must_change = bool(user.properties.get("accountEnabled")), user.must_change
        if opens and new_password:
            user.password, user.must_change = StoredPassword.of(new_password), False
            user.password_set_at = user.signed_in_at = self.clock()
        return opens, must_change

    def reset(self) -> None:
        """An empty tenant with the first settings. Tokens stay good: running clients hold them."""
        self.users.clear()
        self.groups.clear()
        self.permissions, self.prohibited_locations = self._first_permissions, frozenset()
        self.journal = Journal(self.journal.latest)
        self._seated.clear()
        self._ids_by_upn.clear()
        self.seats = self._first_seats
        self.behaviour = Behaviour()
        self.writes = self._new_budget()

    def seed(self, wanted: Any) -> None:
        """Add users, change settings.

        Shape: `{"users": [{"userPrincipalName": …, <Graph properties>, "id": …, "password": …, "mustChange": …,
        "licensed": …, "deleted": …}], "groups": [<see `group.read_group`; "members": [UPN or id, …]>], "seats": n,
        "permissions": […], "prohibited_locations": […], <fields of Behaviour>}`; only the UPN is required. Nothing is
        checked against Graph's rules: old data need not obey them. A setting starts the write budget afresh.
        """
        lists = ("users", "groups", "seats", "permissions", "prohibited_locations")
        settings = {name: value for name, value in wanted.items() if name not in lists}
        if unknown := sorted(set(settings) - {field.name for field in fields(Behaviour)}):
            raise ValueError(f"unknown settings: {', '.join(unknown)}")
        if wrong := sorted(name for name, value in settings.items() if not isinstance(value, int | float)):
            raise ValueError(f"not numbers: {', '.join(wrong)}")
        self.seats = int(wanted.get("seats", self.seats))
        if settings:
            self.behaviour = replace(self.behaviour, **settings)
            self.writes = self._new_budget()
        self.permissions = frozenset(wanted.get("permissions", self.permissions))
        self.prohibited_locations = frozenset(wanted.get("prohibited_locations", self.prohibited_locations))
        for row in wanted.get("users", []):
            self._seed_user(dict(row))
        for row in wanted.get("groups", []):
            group = read_group(dict(row), sku_id=self.sku_id)
            self.groups[group.id] = group
            for member in row.get("members", []):
                self.join(group, self.find(str(member)))

    def _seed_user(self, row: dict[str, Any]) -> None:
        own = {name: row.pop(name, None) for name in ("id", "password", "mustChange", "licensed", "deleted")}
        if unknown := sorted(set(row) - set(WRITABLE) - set(READ_ONLY)):
            raise ValueError(f"unknown properties of a user: {', '.join(unknown)}")
        upn = str(row["userPrincipalName"])
        if self.is_taken(upn):
            raise ValueError(f"{upn} is taken")
        nickname = upn.partition("@")[0]
        user = self.add(
            {"accountEnabled": True, "displayName": nickname, "mailNickname": nickname, **row}, user_id=own["id"]
        )
        user.password = StoredPassword.of(own["password"]) if own["password"] else None
        user.must_change = bool(own["mustChange"])
        user.password_set_at = user.created_at if user.password else None
        self.set_licences(user, {self.sku_id: []} if own["licensed"] else {})
        if own["deleted"]:
            self.delete(user)

    def snapshot(self) -> dict[str, Any]:
        """For `/_control/state`: no secret, no token, no password."""
        return {
            "tenantId": self.tenant_id,
            "domains": list(self.domains),
            "sku": {"skuId": self.sku_id, "skuPartNumber": self.sku_part_number},
            "seats": self.seats,
            "consumedUnits": self.consumed_units,
            "permissions": sorted(self.permissions),
            "groups": [{**every_property(group), "members": list(group.members)} for group in self.groups.values()],
            "behaviour": {field.name: getattr(self.behaviour, field.name) for field in fields(Behaviour)},
            "users": [snapshot(user) for user in self.users.values() if user.deleted_at is None],
            "deletedUsers": [snapshot(user) for user in self.deleted_users()],
        }

    def _new_budget(self) -> WriteBudget:
        return WriteBudget(writes=self.behaviour.writes_per_window, window_s=self.behaviour.window_s, clock=self.clock)
