"""The judge itself: whatever is missing, doubled, wrong or left over on either side is noticed."""

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sqlalchemy import text

from sandbox.graph.passwords import StoredPassword
from sandbox.moodle.models import Enrolment
from sandbox.together import Simulators
from tests.e2e.faults.ledger import Ledger
from tests.integration.support.people import Known, course_rules, students
from tests.integration.support.works import Works

COURSES = ("INGRESO-2026", "CONT-1")
Spoil = Callable[[Simulators, Known], None]


def _graph_user(outside: Simulators, one: Known) -> Any:
    return outside.graph.find(one.upn)


def _moodle_user(outside: Simulators, one: Known) -> Any:
    user = outside.moodle.store.user_by_username(one.upn)
    assert user is not None
    return user


def no_licence(outside: Simulators, one: Known) -> None:
    outside.graph.set_licences(_graph_user(outside, one), {})


def another_password(outside: Simulators, one: Known) -> None:
    _graph_user(outside, one).password = StoredPassword.of("Otra-Clave-2026x")


def an_account_too_many(outside: Simulators, one: Known) -> None:
    outside.graph.seed({"users": [{"userPrincipalName": f"x{one.upn}"}]})


def a_letter_lost(outside: Simulators, one: Known) -> None:
    outside.inbox.messages = [letter for letter in outside.inbox.messages if letter.recipients != (one.email,)]


def a_letter_twice(outside: Simulators, one: Known) -> None:
    outside.inbox.messages += outside.inbox.sent_to(one.email)


def a_letter_of_another_make(outside: Simulators, one: Known) -> None:
    outside.inbox.messages += [replace(letter, message_id="<other@x>") for letter in outside.inbox.sent_to(one.email)]


def a_letter_to_another(outside: Simulators, one: Known) -> None:
    outside.inbox.messages += [
        replace(letter, recipients=("otra@example.com",)) for letter in outside.inbox.sent_to(one.email)
    ]


def an_enrolment_lost(outside: Simulators, one: Known) -> None:
    store = outside.moodle.store
    with store.transaction():
        store.remove_enrolment(store.enrolments_of(_moodle_user(outside, one).id)[0])


def an_enrolment_too_many(outside: Simulators, one: Known) -> None:
    with outside.moodle.store.transaction():
        outside.moodle.store.put_enrolment(Enrolment(4, _moodle_user(outside, one).id, (5,)))


def a_moodle_user_lost(outside: Simulators, one: Known) -> None:
    with outside.moodle.store.transaction():
        outside.moodle.store.delete_user(_moodle_user(outside, one))


OUTSIDE: tuple[Spoil, ...] = (
    no_licence,
    another_password,
    an_account_too_many,
    a_letter_lost,
    a_letter_twice,
    a_letter_of_another_make,
    a_letter_to_another,
    an_enrolment_lost,
    an_enrolment_too_many,
    a_moodle_user_lost,
)
OURS = {
    "a step lost": "delete from step where student_id = :id and kind = 'licence'",
    "a step open": "update step set state = 'due', closed_at = null where student_id = :id and kind = 'licence'",
    "a step in somebody's hand": "update step set lease_id = 'x' where student_id = :id and kind = 'licence'",
    "a step failed": "update step set state = 'failed' where student_id = :id and kind = 'licence'",
    "an account not known": "update account set licensed = false where student_id = :id",
    "another account": "update account set entra_id = 'x' where student_id = :id",
    "an enrolment not known": "delete from enrolment where student_id = :id and course = 'CONT-1'",
    "a Moodle user of nobody's": "update moodle_user set made_by_batch = null where student_id = :id",
    "an open batch": "update batch set finished_at = null where :id > 0",
    "another end": "update batch set state = 'finished_with_failures' where :id > 0",
    "an end told twice": "insert into audit_event (at, actor_id, actor_name, action, batch_id, student_id, outcome)"
    " select at, actor_id, actor_name, action, batch_id, student_id, outcome from audit_event"
    " where student_id = :id and action = 'step.licence'",
    "a finish told twice": "insert into audit_event (at, actor_id, actor_name, action, batch_id, outcome)"
    " select at, actor_id, actor_name, action, batch_id, outcome from audit_event"
    " where action = 'batch.finish' and :id > 0",
    "a password kept": "insert into sealed_secret (step_id, student_id, batch_id, ciphertext, fingerprint, created_at,"
    " expires_at) select id, student_id, batch_id, 'x', 'x', now(), now() from step where student_id = :id"
    " and kind = 'account'",
}


TABLES = ("batch", "step", "account", "moodle_user", "enrolment", "sealed_secret", "audit_event", "audit_seal")


async def objects(ledger: Ledger, number: int, known: list[Known]) -> bool:
    try:
        await ledger.check(number, known, COURSES)
    except AssertionError:
        return True
    return False


async def judged(works: Works, ledger: Ledger) -> tuple[int, list[Known]]:
    """A batch that ended well."""
    known = await students(works.db, 3)
    await course_rules(works.db, *COURSES)
    number = await works.activate()
    await ledger.check(number, known, COURSES)
    return number, known


async def test_whatever_is_wrong_outside_is_noticed(works: Works, ledger: Ledger) -> None:
    number, known = await judged(works, ledger)
    outside = works.states
    kept: list[tuple[Any, str]] = [(outside.graph, name) for name in ("users", "_ids_by_upn", "_seated")]
    kept += [(outside.inbox, "messages"), (outside.moodle, "store")]
    missed = []
    for spoil in OUTSIDE:
        saved = copy.deepcopy([getattr(holder, name) for holder, name in kept])
        spoil(outside, known[1])
        if not await objects(ledger, number, known):
            missed.append(spoil.__name__)
        for (holder, name), value in zip(kept, saved, strict=True):
            setattr(holder, name, value)
    assert missed == []
    await ledger.check(number, known, COURSES)


async def test_whatever_is_wrong_on_our_side_is_noticed(works: Works, ledger: Ledger) -> None:
    number, known = await judged(works, ledger)
    missed = []
    async with works.db.transaction() as session:
        for table in TABLES:
            await session.execute(text(f"create table saved_{table} as table {table}"))
    for what, statement in OURS.items():
        async with works.db.transaction() as session:
            changed = await session.execute(text(statement), {"id": known[1].id})
            assert changed.rowcount > 0, what  # type: ignore[attr-defined]
        if not await objects(ledger, number, known):
            missed.append(what)
        async with works.db.transaction() as session:
            await session.execute(text("set local session_replication_role = replica"))  # the audit is append-only
            for table in TABLES:
                await session.execute(text(f"delete from {table}"))
                await session.execute(text(f"insert into {table} select * from saved_{table}"))
    assert missed == []
    await ledger.check(number, known, COURSES)
