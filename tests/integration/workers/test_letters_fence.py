"""Letters are handed over by whoever holds the step, one at a time, within the quota; doubled ones are counted."""

import asyncio
from collections import Counter
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import update

from lucy.db import config as config_db
from lucy.db.tables import StepRow
from lucy.domain.batches import BatchState
from lucy.domain.config import LETTERS_A_DAY
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.steps import StepState
from lucy.domain.students import Stage
from tests.integration.conftest import OpenWorks
from tests.integration.support.outcomes import ended, states
from tests.integration.support.people import Known, actor, students
from tests.integration.support.works import Works, looked, until
from workers.sweeper import sweep

MAIL = StepKind.CREDENTIALS_MAIL


async def ready_to_mail(works: Works, many: int) -> tuple[int, list[Known]]:
    """A running batch whose next steps are letters."""
    known = await students(works.db, many)
    number = await works.running(options=BatchOptions(moodle=False))
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE):
        await works.lanes().run(kind)
    return number, known


async def quota(works: Works, letters: int) -> None:
    async with works.db.transaction() as session:
        now = datetime.now(UTC)
        who = actor(works.people[2])
        await config_db.put(session, LETTERS_A_DAY, str(letters), version=1, actor=who, now=now)


async def take_over(works: Works) -> None:
    """The lease of whoever is at it has run out, and everything is due again."""
    async with works.db.transaction() as session:
        late = datetime.now(UTC) - timedelta(seconds=1)
        await session.execute(update(StepRow).where(StepRow.state == StepState.RUNNING).values(lease_until=late))
    await sweep(works.db)


def received(works: Works) -> Counter[str]:
    return Counter(one.recipients[0] for one in works.states.inbox.messages)


async def test_a_worker_that_lost_its_lease_sends_no_further_letter(works: Works) -> None:
    """Only the letter that was on its way goes out twice, which the step tells."""
    number, known = await ready_to_mail(works, 4)
    works.fault("inbox", "DATA", "delay", delay_s=0.5)
    late = asyncio.ensure_future(works.lanes().run(MAIL))
    await until(looked(lambda: works.states.inbox.control.calls("DATA")))
    await take_over(works)
    await works.lanes().run(MAIL)
    await late
    await works.drain()
    (first, *rest) = known
    assert received(works) == {first.email: 2, **{one.email: 1 for one in rest}}
    assert await states(works, number, MAIL) == {"done": 4}
    assert [(await works.step(number, MAIL, one)).outcome.get("sent_again") for one in known] == [1, None, None, None]
    assert len({one.message_id for one in works.states.inbox.messages}) == 4
    assert (await works.batch(number)).state is BatchState.FINISHED


async def test_a_letter_that_may_have_been_accepted_is_counted(works: Works) -> None:
    number, (known,) = await ready_to_mail(works, 1)
    works.fault("inbox", "DATA", "cut_after", times=2)
    await works.drain()
    step = await works.step(number, MAIL, known)
    assert step.state is StepState.DONE
    assert (step.outcome["sent_again"], step.outcome["handing_over"]) == (2, None)
    (event,) = await works.audit("step.credentials_mail")
    assert event.detail["sent_again"] == "2"
    assert event.detail["message_id"] == step.outcome["message_id"]
    assert received(works) == {known.email: 3}


async def test_a_letter_that_was_refused_for_now_is_not_taken_for_doubled(works: Works) -> None:
    number, (known,) = await ready_to_mail(works, 1)
    works.fault("inbox", f"RCPT {known.email}", "reply", status=451, times=2)
    works.fault("inbox", f"DATA {known.email}", "reply", status=451, times=1)
    await works.drain()
    step = await works.step(number, MAIL, known)
    assert (step.state, step.attempts) == (StepState.DONE, 4)
    assert step.outcome["handing_over"] is None
    assert "sent_again" not in step.outcome
    assert received(works) == {known.email: 1}


async def test_without_a_server_one_letter_is_tried_and_the_rest_waits(works: Works) -> None:
    number, known = await ready_to_mail(works, 5)
    works.fault("inbox", "CONNECT", "reply", status=421)
    await works.lanes().run(MAIL)
    assert await ended(works, number, MAIL) == {("due", "E-006"): 5}
    assert len(works.states.inbox.control.calls("CONNECT")) == 1
    assert not any(one.outcome.get("handing_over") for one in await works.steps(number, MAIL))
    await works.drain()
    assert received(works) == {one.email: 1 for one in known}
    assert not any("sent_again" in one.outcome for one in await works.steps(number, MAIL))


async def test_letters_beyond_the_days_quota_go_out_after_midnight(works: Works) -> None:
    number, known = await ready_to_mail(works, 5)
    await quota(works, 3)
    await works.lanes().run(MAIL)
    assert received(works) == {one.email: 1 for one in known[:3]}
    zone = works.runtime.house.zone
    tomorrow = datetime.now(UTC).astimezone(zone).date() + timedelta(days=1)
    midnight = datetime.combine(tomorrow, time.min, zone)
    for one in known[3:]:
        step = await works.step(number, MAIL, one)
        assert (step.state, step.error_code, step.tries) == (StepState.DUE, "E-011", 0)
        assert step.due_at is not None
        assert timedelta(0) <= step.due_at - midnight < timedelta(minutes=1)
    async with works.db.transaction() as session:  # the day passes
        yesterday = datetime.now(UTC) - timedelta(days=1)
        await session.execute(update(StepRow).where(StepRow.state == StepState.DONE).values(closed_at=yesterday))
    await works.drain()
    assert received(works) == {one.email: 1 for one in known}
    assert (await works.batch(number)).state is BatchState.FINISHED


async def test_a_welcome_leaves_the_days_quota_to_the_passwords_of_what_is_running(works: Works) -> None:
    """Also to those whose account is still to be made."""
    known = await students(works.db, 2)
    greeted = await students(works.db, 3, stage=Stage.PREINSCRIPTO)
    passwords = await works.running(options=BatchOptions(moodle=False))
    welcome = await works.request("preinscriptos", kind=BatchKind.WELCOME)
    await works.approve(welcome)
    await works.start(welcome)
    await quota(works, 3)
    await works.lanes().run(StepKind.WELCOME_MAIL)
    assert received(works) == {greeted[0].email: 1}
    assert await ended(works, welcome, StepKind.WELCOME_MAIL) == {("done", ""): 1, ("due", "E-011"): 2}
    for kind in (StepKind.ACCOUNT, StepKind.LICENCE, MAIL):
        await works.lanes().run(kind)
    assert await states(works, passwords, MAIL) == {"done": 2}
    assert received(works) == {greeted[0].email: 1, **{one.email: 1 for one in known}}


async def test_rival_workers_share_one_quota(open_works: OpenWorks) -> None:
    works = await open_works(batch_size=2)
    number, _known = await ready_to_mail(works, 12)
    await quota(works, 5)
    works.fault("inbox", "DATA", "delay", delay_s=0.05, times=None)
    await asyncio.gather(*(works.lanes().run(MAIL) for _ in range(4)))
    assert len(works.states.inbox.messages) == 5
    assert await ended(works, number, MAIL) == {("done", ""): 5, ("due", "E-011"): 7}


async def test_no_quota_is_no_limit(works: Works) -> None:
    number, known = await ready_to_mail(works, 3)
    await quota(works, 0)
    await works.drain()
    assert received(works) == {one.email: 1 for one in known}
    assert await states(works, number, MAIL) == {"done": 3}
