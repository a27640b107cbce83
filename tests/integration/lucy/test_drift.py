"""Entra against what Lucy knows: each kind of difference caused by hand, told, and gone when it is put right."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, update

from lucy.db.tables import AccountRow, DirectoryCursorRow, DriftRow
from lucy.domain.drift import Drift
from lucy.domain.operations import BatchKind, BatchOptions
from lucy.errors import RemoteError
from lucy.flows.check_accounts import check_accounts
from lucy.flows.lanes import deleted_accounts
from lucy.flows.run_schedules import bring_forward, run_due_schedules
from lucy.flows.view_drift import view_drift
from lucy.ports import DirectoryChanges
from tests.integration.support.outcomes import account, in_entra, the_account
from tests.integration.support.people import Known, actor, students
from tests.integration.support.works import Works

ALONE = BatchOptions(mail=False, moodle=False)


async def check(works: Works, *, whole: bool = False) -> dict[str, int]:
    """Look, and return how many accounts differ in which way."""
    await check_accounts(works.db, works.runtime.directory, house=works.runtime.house, whole=whole)
    async with works.db.transaction() as session:
        return {group.drift.value: group.count for group in (await view_drift(session)).groups}


async def activated(works: Works, many: int = 3) -> list[Known]:
    known = await students(works.db, many)
    await works.activate(options=ALONE)
    return known


def change(works: Works, student: Known, **properties: object) -> None:
    works.states.graph.change(in_entra(works, student), dict(properties))


async def hours_ago(works: Works, hours: int) -> None:
    """What was told so far was told that long ago."""
    moment = datetime.now(UTC) - timedelta(hours=hours)
    async with works.db.transaction() as session:
        await session.execute(update(DriftRow).values(first_seen_at=moment))


async def test_nothing_differs_after_an_activation(works: Works) -> None:
    await activated(works)
    assert await check(works) == {}
    async with works.db.transaction() as session:
        view = await view_drift(session)
    assert view.checked_at is not None
    assert view.whole_at == view.checked_at


@pytest.mark.parametrize("whole", [True, False], ids=["all", "changes"])
async def test_each_difference_is_told_apart(works: Works, whole: bool) -> None:
    known = await activated(works, 6)
    await check(works)
    change(works, known[0], accountEnabled=False)
    change(works, known[1], surname="Otra")
    change(works, known[2], employeeId="20111222")
    works.states.graph.set_licences(in_entra(works, known[3]), {})
    gone, moved = in_entra(works, known[4]), in_entra(works, known[5])
    works.states.graph.delete(gone)
    works.states.graph.change(moved, {"userPrincipalName": "otra@eco.unrc.edu.ar"})
    found = await check(works, whole=whole)
    assert found.pop("unlicensed", 0) == 1
    assert found == {"disabled": 1, "name": 1, "somebody_elses": 1, "missing": 1, "sign_in_name": 1}
    assert await check(works, whole=whole) == {**found, "unlicensed": 1}, "told until it is put right"


async def test_what_is_put_right_is_told_no_more(works: Works) -> None:
    disabled, unlicensed, renamed = await activated(works)
    change(works, disabled, accountEnabled=False)
    works.states.graph.set_licences(in_entra(works, unlicensed), {})
    change(works, renamed, givenName="Otra")
    assert await check(works) == {"disabled": 1, "unlicensed": 1, "name": 1}
    for kind, student in ((BatchKind.ENABLE, disabled), (BatchKind.LICENSE, unlicensed), (BatchKind.UPDATE, renamed)):
        await works.carry_out(await works.request(student.document, kind=kind))
    assert await check(works) == {}
    assert in_entra(works, disabled).properties["accountEnabled"] is True


async def test_lucys_own_doings_are_no_drift(works: Works) -> None:
    await activated(works)
    await works.carry_out(await works.request(kind=BatchKind.DISABLE))
    await works.carry_out(await works.request(kind=BatchKind.UNLICENSE))
    assert await check(works, whole=True) == {}


async def test_an_account_is_gone_when_two_looks_hours_apart_agree(
    works: Works, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FEATURES row 17: one bad hour of the directory removes nobody."""
    known, other = await activated(works, 2)
    await check(works)
    works.states.graph.delete(in_entra(works, known))
    assert await check(works, whole=True) == {"missing": 1}
    assert await check(works, whole=True) == {"missing": 1}
    assert await account(works, known) is not None, "twice within the hour is once"
    await hours_ago(works, 7)
    assert await check(works) == {}
    assert await account(works, known) is None
    assert await the_account(works, other)
    monkeypatch.setattr(deleted_accounts, "KEPT_S", 0.0)  # nobody is that quick
    number = await works.activate(known.document, options=ALONE)
    assert "T-018" in await works.text_of_card(number), "the deleted account is offered, no second one made"


async def test_an_account_that_is_back_in_time_stays(works: Works) -> None:
    (known,) = await activated(works, 1)
    user = in_entra(works, known)
    works.states.graph.delete(user)
    assert await check(works) == {"missing": 1}
    works.states.graph.restore(user.id)
    await hours_ago(works, 30)
    assert await check(works) == {}
    assert await account(works, known) is not None


async def test_strangers_with_a_name_of_lucys_are_told(works: Works) -> None:
    (known,) = await students(works.db)
    works.states.graph.seed(
        {
            "users": [
                {"userPrincipalName": known.upn},
                {"userPrincipalName": "a20999888@eco.unrc.edu.ar"},
                {"userPrincipalName": "rectora@eco.unrc.edu.ar"},
            ]
        }
    )
    assert await check(works) == {"unknown": 1, "nobodys": 1}


async def test_a_link_that_ran_out_begins_anew(works: Works) -> None:
    (known,) = await activated(works, 1)
    await check(works)
    works.states.graph.seed({"delta_lifetime_s": 0})
    await asyncio.sleep(0.01)
    change(works, known, accountEnabled=False)
    assert await check(works) == {"disabled": 1}


async def test_a_check_that_fails_in_the_middle_is_made_again_from_where_it_began(works: Works) -> None:
    (known,) = await activated(works, 1)
    await check(works)
    change(works, known, accountEnabled=False)
    works.fault("graph", "GET /users/delta", "status", status=403, times=None)
    with pytest.raises(RemoteError):
        await check(works)
    works.states.graph.control.clear_faults()
    assert await check(works) == {"disabled": 1}


async def test_a_directory_that_answers_nothing_removes_nobody(works: Works) -> None:
    """An empty page is no proof: each account is read by its id before it is told."""
    await activated(works, 2)
    await check(works)
    async with works.db.transaction() as session:
        await session.execute(delete(DirectoryCursorRow))
        await session.execute(update(AccountRow).values(verified_at=datetime.now(UTC) - timedelta(days=2)))
    silent: Any = Silent(works.runtime.directory)
    await check_accounts(works.db, silent, house=works.runtime.house, whole=True)
    async with works.db.transaction() as session:
        assert (await view_drift(session)).groups == ()


@dataclass
class Silent:
    """A directory whose list is empty, and which answers all else."""

    real: Any

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    async def changes(self, link: str = "") -> DirectoryChanges:
        return DirectoryChanges(delta_link="x")


async def test_the_agenda_checks_and_posts_what_it_found(works: Works) -> None:
    (known,) = await activated(works, 1)
    change(works, known, accountEnabled=False)
    now = datetime.now(UTC)
    async with works.db.transaction() as session:
        await bring_forward(session, "cuentas", actor=actor(works.people[2]), now=now)
        assert await run_due_schedules(session, house=works.runtime.house, now=now) == ["cuentas"]
    await works.drain()
    async with works.db.transaction() as session:
        assert {group.drift for group in (await view_drift(session)).groups} == {Drift.DISABLED}
