"""Course rules as files have them: JSON objects, or rows of a sheet; read with the place of what cannot be used."""

from collections.abc import Mapping, Sequence
from typing import Any

from lucy.domain.course_rules import CourseRule
from lucy.domain.students import Modality, Stage
from lucy.errors import RequestError

LISTS = ("careers", "modalities", "commissions", "stages")
COLUMNS = ("course", *LISTS, "active")
_NO = frozenset({"no", "false", "0", "inactive", "inactiva"})


def rule_value(rule: CourseRule) -> dict[str, Any]:
    """A rule as JSON; lists are sorted, so that two exports can be compared."""
    value: dict[str, Any] = {"course": rule.course}
    value |= {name: sorted(getattr(rule, name)) for name in LISTS if name != "stages" or rule.stages}
    return value if rule.active else {**value, "active": False}


def rule_row(rule: CourseRule) -> list[str]:
    """A rule as a row under `COLUMNS`: several values of a cell are separated by spaces."""
    return [rule.course, *(" ".join(sorted(getattr(rule, name))) for name in LISTS), "yes" if rule.active else "no"]


def read_rule(entry: object, place: int) -> CourseRule:
    """A rule from its JSON. Raises RequestError naming its place and what is wrong with it."""
    if not isinstance(entry, Mapping) or not isinstance(entry.get("course"), str) or not entry["course"].strip():
        raise RequestError(f"Course rule {place} needs course (a Moodle shortname, or site:shortname).")
    for name in LISTS:
        if not isinstance(entry.get(name, []), list):
            raise RequestError(f"Course rule {place}: {name} must be a list.")
    words = {name: [str(one).strip() for one in entry.get(name, [])] for name in LISTS}
    return CourseRule(
        id=0,
        course=entry["course"].strip(),
        careers=frozenset(one.upper() for one in words["careers"]),
        modalities=frozenset(_modality(one, place) for one in words["modalities"]),
        commissions=frozenset(one.upper() for one in words["commissions"]),
        stages=frozenset(_stage(one, place) for one in words["stages"]),
        active=str(entry.get("active", True)).strip().lower() not in _NO,
    )


def read_rows(rows: Sequence[Sequence[str]]) -> list[CourseRule]:
    """Rules from a sheet whose first row names the columns. Raises RequestError naming the row."""
    if not rows:
        raise RequestError("The sheet is empty: its first row must name the columns " + ", ".join(COLUMNS) + ".")
    names = [one.strip().lower() for one in rows[0]]
    unknown = [one for one in names if one and one not in COLUMNS]
    if "course" not in names or unknown:
        said = f"; unknown: {', '.join(unknown)}" if unknown else ""
        raise RequestError(f"The first row must name the columns {', '.join(COLUMNS)}{said}.")
    found: list[CourseRule] = []
    for place, row in enumerate(rows[1:], 2):
        cells = {name: cell.strip() for name, cell in zip(names, row, strict=False) if name}
        if any(cells.values()):
            lists = {name: cells.get(name, "").replace(",", " ").split() for name in LISTS}
            entry = {"course": cells.get("course", ""), **lists, "active": cells.get("active") or True}
            found.append(read_rule(entry, place))
    return found


def _modality(text: str, place: int) -> str:
    try:
        return Modality(text.upper()).value
    except ValueError:
        known = ", ".join(Modality)
        raise RequestError(f"Course rule {place}: «{text}» is no modality; there are {known}.") from None


def _stage(text: str, place: int) -> Stage:
    try:
        return Stage(text.lower())
    except ValueError:
        known = ", ".join(Stage)
        raise RequestError(f"Course rule {place}: «{text}» is no stage; there are {known}.") from None
