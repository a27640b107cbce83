"""What Graph answers page by page; pure. `@odata.nextLink` is followed as it is, until a page has none."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from connectors.graph.wire import OWN_FIELDS, json_list, json_object, moment, read_user, sku_ids, text
from lucy.domain.students import Upn
from lucy.ports import DeletedUser, DirectoryGroup, DirectoryUser, LicenceSeats

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """`next_url` is empty on the last page."""

    entries: tuple[T, ...]
    next_url: str


@dataclass(frozen=True, slots=True)
class DeltaPage:
    """`incomplete`: ids of users of whom the page tells less than a whole user, so that they have to be read."""

    changed: tuple[DirectoryUser, ...]
    incomplete: frozenset[str]
    removed: frozenset[str]
    next_link: str
    delta_link: str


def read_page(document: object, read: Callable[[Mapping[str, object]], T | None]) -> Page[T] | None:
    """A page whose entries `read` understands, without the others; None where the document is none."""
    page = json_object(document)
    if not isinstance(page.get("value"), list):
        return None
    entries = (read(json_object(one)) for one in json_list(page["value"]))
    return Page(tuple(one for one in entries if one is not None), text(page.get("@odata.nextLink")))


def read_seats(sku: Mapping[str, object]) -> LicenceSeats | None:
    """One of `/subscribedSkus`."""
    sku_id, part_number = text(sku.get("skuId")), text(sku.get("skuPartNumber"))
    enabled, consumed = json_object(sku.get("prepaidUnits")).get("enabled"), sku.get("consumedUnits")
    if not sku_id or not isinstance(enabled, int) or not isinstance(consumed, int):
        return None
    return LicenceSeats(sku_id, part_number, enabled, consumed)


def read_deleted(user: Mapping[str, object]) -> DeletedUser | None:
    """One of the deleted items, where Entra puts the object id before the sign-in name (seen, not documented)."""
    user_id, upn = text(user.get("id")), text(user.get("userPrincipalName"))
    if not user_id or not upn:
        return None
    return DeletedUser(
        id=user_id,
        upn=Upn(re.sub(rf"^{re.escape(user_id.replace('-', ''))}", "", upn, flags=re.IGNORECASE)),
        display_name=text(user.get("displayName")),
        employee_id=text(user.get("employeeId")),
        deleted_at=moment(user.get("deletedDateTime")),
    )


def read_id(entry: Mapping[str, object]) -> str | None:
    return text(entry.get("id")) or None


def read_group(document: object) -> DirectoryGroup | None:
    group = json_object(document)
    group_id = text(group.get("id"))
    if not group_id:
        return None
    return DirectoryGroup(
        id=group_id,
        display_name=text(group.get("displayName")),
        dynamic="DynamicMembership" in json_list(group.get("groupTypes")),
        role_assignable=group.get("isAssignableToRole") is True,
        team="Team" in json_list(group.get("resourceProvisioningOptions")),
        sku_ids=sku_ids(group),
    )


def read_delta(document: object) -> DeltaPage | None:
    """A page of the delta query; None where the document is none, or says neither how to go on nor that it ends.

    The same user may come more than once; what a later page says of them counts.
    """
    page = json_object(document)
    next_link, delta_link = text(page.get("@odata.nextLink")), text(page.get("@odata.deltaLink"))
    if not isinstance(page.get("value"), list) or bool(next_link) == bool(delta_link):
        return None
    latest = {text(user.get("id")): user for user in map(json_object, json_list(page["value"]))}
    latest.pop("", None)
    removed = frozenset(user_id for user_id, user in latest.items() if "@removed" in user)
    whole = {user_id: read_user(user) for user_id, user in latest.items() if _is_whole(user)}
    changed = tuple(user for user in whole.values() if user is not None)
    incomplete = frozenset(latest) - removed - {user.id for user in changed}
    return DeltaPage(changed, incomplete, removed, next_link, delta_link)


def _is_whole(user: Mapping[str, object]) -> bool:
    """Every own property was sent, be it null: a page may tell of an old user only what changed."""
    return "@removed" not in user and all(name in user for name in OWN_FIELDS)
