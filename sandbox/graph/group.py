"""A group of the directory, and what its membership does: with a licence of its own, members get that one.

Source: contracts/graph.md sections 7 (group-based licensing fails in the background) and 8.
"""

from dataclasses import dataclass, field
from typing import Any

GROUP_PROPERTIES = (
    "id",
    "displayName",
    "groupTypes",
    "isAssignableToRole",
    "resourceProvisioningOptions",
    "assignedLicenses",
)
DEFAULT_GROUP_PROPERTIES = ("id", "displayName", "groupTypes", "isAssignableToRole", "resourceProvisioningOptions")


@dataclass
class Group:
    """`members`: object ids, in the order of joining. `sku_id`: the licence it gives, empty for none."""

    id: str
    display_name: str
    dynamic: bool = False
    role_assignable: bool = False
    team: bool = False
    sku_id: str = ""
    members: dict[str, None] = field(default_factory=dict)


def every_property(group: Group) -> dict[str, Any]:
    types = ["Unified"] if group.team else []
    return {
        "id": group.id,
        "displayName": group.display_name,
        "groupTypes": [*types, "DynamicMembership"] if group.dynamic else types,
        "isAssignableToRole": group.role_assignable,
        "resourceProvisioningOptions": ["Team"] if group.team else [],
        "assignedLicenses": [{"skuId": group.sku_id, "disabledPlans": []}] if group.sku_id else [],
    }


def read_group(row: dict[str, Any], *, sku_id: str) -> Group:
    """From a seed: `id`, and if wanted `displayName`, `dynamic`, `roleAssignable`, `team`, `licensed`."""
    unknown = sorted(set(row) - {"id", "displayName", "dynamic", "roleAssignable", "team", "licensed", "members"})
    if unknown:
        raise ValueError(f"unknown properties of a group: {', '.join(unknown)}")
    return Group(
        id=str(row["id"]).lower(),
        display_name=str(row.get("displayName", row["id"])),
        dynamic=bool(row.get("dynamic")),
        role_assignable=bool(row.get("roleAssignable")),
        team=bool(row.get("team")),
        sku_id=sku_id if row.get("licensed") else "",
    )
