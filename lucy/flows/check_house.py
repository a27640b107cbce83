"""Try every outside system with harmless questions, and say what is wrong in words that name who mends it.

Used by `lucy check`; nothing is written anywhere, neither here nor there.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from lucy.domain.error_codes import explain
from lucy.domain.house import House
from lucy.domain.moodle_rules import MAIN_SITE, site_and_course
from lucy.domain.students import SourceList
from lucy.errors import RemoteError
from lucy.ports import Directory, Mailer, Moodle, ReturnMailbox, StudentRecords

GROUP_PROBLEM = "T-021"
_OF_GROUPS = "core_group_"  # functions that a site without groups can do without


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the check. `good` False: somebody has to do something, and `text` says what."""

    what: str
    good: bool
    text: str


Question = Callable[[], Awaitable[Sequence[Finding]]]


async def check_house(
    directory: Directory,
    sites: Mapping[str, Moodle],
    records: StudentRecords,
    mailer: Mailer,
    returns: ReturnMailbox | None = None,
    *,
    courses: Sequence[str],
    house: House,
) -> AsyncIterator[Finding]:
    """Findings as they come; a system that cannot be asked is one finding and does not stop the others."""
    questions: list[tuple[str, Question]] = [
        ("Graph: permissions", lambda: _permissions(directory, house)),
        ("Graph: licence", lambda: _seats(directory, house)),
        ("Graph: groups", lambda: _groups(directory, house)),
    ]
    for site, moodle in sites.items():
        name = "Moodle" if site == MAIN_SITE else f"Moodle {site}"
        shortnames = [shortname for at, shortname in (site_and_course(one, sites) for one in courses) if at == site]
        questions.append((f"{name}: service", _bound(_service, name, moodle, house.moodle_sites[site].groups)))
        questions.append(
            (f"{name}: courses", _bound(_courses, name, moodle, shortnames, house.moodle_sites[site].role_id))
        )
    questions += [("SIAL", lambda: _list(records)), ("Mail", lambda: _mail(mailer))]
    if returns is not None:
        questions.append(("Returned mail", _bound(_returned, returns)))
    for what, ask in questions:
        try:
            found = await ask()
        except RemoteError as error:
            found = [Finding(what, False, f"{error.code}. {explain(error.code)} ({error})")]
        for finding in found:
            yield finding


def _bound(ask: Callable[..., Awaitable[Sequence[Finding]]], *given: object) -> Question:
    return lambda: ask(*given)


async def _permissions(directory: Directory, house: House) -> Sequence[Finding]:
    lacking = await directory.lacking(groups=bool(house.licence_group or house.account_groups))
    granted = await directory.granted()
    if not granted:
        return [Finding("Graph: permissions", True, "the token does not tell which it holds; none could be checked")]
    if not lacking:
        return [Finding("Graph: permissions", True, "every one that Lucy needs is granted")]
    return [
        Finding("Graph: permissions", False, f"T-011. {operation} needs {wanted}: consent is missing")
        for operation, wanted in sorted(lacking.items())
    ]


async def _seats(directory: Directory, house: House) -> Sequence[Finding]:
    seats = await directory.licence_seats(house.licence_sku)
    text = f"{seats.free} of {seats.enabled} seats of {seats.part_number} are free"
    return [Finding("Graph: licence", seats.free > 0, text if seats.free else f"T-005. {explain('T-005')} ({text})")]


async def _groups(directory: Directory, house: House) -> Sequence[Finding]:
    """Whether the groups of the settings are there, take members, and the licensing one gives the licence."""
    found: list[Finding] = []
    wanted = dict.fromkeys([*house.account_groups, *([house.licence_group] if house.licence_group else [])])
    for group_id in wanted:
        group = await directory.group(group_id)
        if group.dynamic or group.role_assignable:
            found.append(
                Finding("Graph: groups", False, f"{GROUP_PROBLEM}. {group.display_name}: {explain(GROUP_PROBLEM)}")
            )
        elif group_id == house.licence_group and (await _sku(directory, house)) not in group.sku_ids:
            text = f"T-014. {group.display_name} does not give {house.licence_sku}: an administrator has to assign it"
            found.append(Finding("Graph: groups", False, text))
        else:
            kind = "a team" if group.team else "a group"
            found.append(Finding("Graph: groups", True, f"{group.display_name}, {kind}, takes members"))
    return found


async def _sku(directory: Directory, house: House) -> str:
    return (await directory.licence_seats(house.licence_sku)).sku_id


async def _service(name: str, moodle: Moodle, groups: bool) -> Sequence[Finding]:
    site = await moodle.site()
    what = f"{name}: service"
    missing = sorted(one for one in site.missing if groups or not one.startswith(_OF_GROUPS))
    if missing:
        text = f"M-003. {explain('M-003')} Missing: {', '.join(missing)}"
        return [Finding(what, False, text)]
    return [Finding(what, True, f"Moodle {site.release}, every function that Lucy calls is there")]


async def _courses(name: str, moodle: Moodle, shortnames: Sequence[str], role_id: int) -> Sequence[Finding]:
    what = f"{name}: courses"
    if not shortnames:
        return [Finding(what, True, "no rule names a course of this site")]
    found = await moodle.inspect(shortnames, role_id)
    wrong = [
        Finding(what, False, f"{error.code}. {shortname}: {explain(error.code)}")
        for shortname, one in sorted(found.items())
        for error in one.problems
    ]
    return wrong or [Finding(what, True, f"{len(found)} courses of the rules can be used")]


async def _list(records: StudentRecords) -> Sequence[Finding]:
    async with aclosing(records.entries(SourceList.ASPIRANTES)) as entries:  # type: ignore[type-var]
        async for _entry in entries:
            return [Finding("SIAL", True, "the list of aspirantes answers")]
    return [Finding("SIAL", True, "the list of aspirantes is empty")]


async def _mail(mailer: Mailer) -> Sequence[Finding]:
    await mailer.probe()
    return [Finding("Mail", True, "connected, logged in, and the server takes letters of the sender")]


async def _returned(returns: ReturnMailbox) -> Sequence[Finding]:
    await returns.probe()
    return [Finding("Returned mail", True, "the mailbox to which letters come back can be read")]
