"""Plan a batch over given students, with the facts as they are at this moment.

Used when a batch is asked for, and again when it begins and when each student's turn comes: the two are compared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import config as config_db
from lucy.db import present as present_db
from lucy.db import rules as rules_db
from lucy.db import students as students_db
from lucy.db import templates, traces
from lucy.domain.basis import print_of
from lucy.domain.batches import BatchId
from lucy.domain.config import days_of_a_new_contact
from lucy.domain.house import House
from lucy.domain.letters import LetterName, Template
from lucy.domain.moodle_rules import MoodleRules
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.domain.plans import (
    Plan,
    PlanRow,
    PlanRules,
    Present,
    plan_activation,
    plan_enrolment,
    plan_unenrolment,
)
from lucy.domain.plans_accounts import plan_accounts
from lucy.domain.plans_letters import LETTER_KINDS, plan_letters
from lucy.domain.plans_undo import plan_undo
from lucy.domain.students import Student, StudentId

READ_AT_ONCE = 2000


@dataclass(frozen=True, slots=True)
class What:
    """The operation to be planned. `undoes` is the batch that an undo takes back."""

    kind: BatchKind
    options: BatchOptions
    undoes: BatchId | None = None


async def plan_rows(session: AsyncSession, what: What, ids: Sequence[StudentId], *, house: House) -> Plan:
    """The plan for these students, in this order."""
    found: list[PlanRow] = []
    planner = await _planner(session, what, house)
    days = days_of_a_new_contact(await config_db.values(session))
    contact_since = datetime.now(UTC) - timedelta(days=days)
    for start in range(0, len(ids), READ_AT_ONCE):
        part = ids[start : start + READ_AT_ONCE]
        if what.kind is BatchKind.UNDO and what.undoes is not None:
            left = await traces.traces(session, what.undoes, part, of_tests=house.of_tests)
            found += plan_undo(left, what.options).rows
            continue
        loaded = await students_db.load(session, part)
        present = await present_db.present(session, part, contact_since=contact_since)
        found += planner([(loaded[id_], present[id_]) for id_ in part]).rows
    return Plan(tuple(found))


_Planner = Callable[[list[tuple[Student, Present]]], Plan]


_WITH_RULES = {
    BatchKind.ACTIVATE: plan_activation,
    BatchKind.ENROL: plan_enrolment,
    BatchKind.UNENROL: plan_unenrolment,
}


async def _planner(session: AsyncSession, what: What, house: House) -> _Planner:
    config = config_print(what, house, await templates.all_live(session))
    plan = _WITH_RULES.get(what.kind)
    if what.kind in LETTER_KINDS:
        return lambda people: plan_letters(people, what.kind, what.options, config)
    if plan is None:
        return lambda people: plan_accounts(people, what.kind, config)
    rules = PlanRules(await rules_db.course_rules(session), house.moodle_sites, house.account_groups, config)
    return lambda people: plan(people, rules, what.options)


def config_print(what: What, house: House, letters: Mapping[LetterName, Template]) -> str:
    """A print of the settings that the result depends on; rates and sizes do not change what is done."""
    values: dict[str, object] = {"moodle_auth": house.moodle.auth, "moodle_role": house.moodle.role_id}
    for site, rules in sorted(house.moodle_sites.items()):
        values |= {f"moodle {site} {name}": value for name, value in _set(rules).items()}
    if what.kind in {BatchKind.ACTIVATE, BatchKind.LICENSE, BatchKind.UNLICENSE}:
        values |= {
            "prefix": house.account_prefix,
            "domain": house.account_domain,
            "sku": house.licence_sku,
            "letter": _letter(letters[LetterName.CREDENTIALS]),
        }
        values |= {"licence_group": house.licence_group} if house.licence_group else {}
        values |= {"account_groups": house.account_groups} if house.account_groups else {}
    if what.options.course_mail:
        values["course_letters"] = [_letter(letters[one]) for one in (LetterName.ENROLMENT, LetterName.COURSE)]
    if what.kind is BatchKind.STATUS:
        return print_of({"letter": _letter(letters[LetterName.STATUS])})
    if what.kind in LETTER_KINDS:
        values = {"letters": [_letter(letters[one]) for one in _LETTERS]}
    return print_of(values)


_LETTERS = (LetterName.CREDENTIALS, LetterName.PASSWORD, LetterName.NOTICE, LetterName.WELCOME)


def _letter(template: Template) -> list[str]:
    return [template.subject, template.html]


def _set(rules: MoodleRules) -> dict[str, object]:
    """What is not as it is by default, so that a setting that is new changes no print by being there."""
    usual = asdict(MoodleRules())
    return {name: value for name, value in asdict(rules).items() if value != usual[name]}
