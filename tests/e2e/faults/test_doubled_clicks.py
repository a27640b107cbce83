"""Everything that people and Teams do twice, ten times or at once is done once, by one bot or by two."""

import asyncio
from collections import Counter

from sqlalchemy import text

from lucy.domain.roles import Role
from tests.e2e.faults.conftest import COURSES
from tests.e2e.faults.stagehand import Stagehand
from tests.integration.support.people import grant

CLICKS = 10


async def outcomes(hand: Stagehand, action: str, number: int) -> Counter[str]:
    async with hand.db.transaction() as session:
        rows = await session.execute(
            text("select outcome from audit_event where action = :action and batch_id = :id"),
            {"action": action, "id": number},
        )
        return Counter(row.outcome for row in rows)


async def test_one_approval_however_often_and_by_whom_it_is_clicked(hand: Stagehand) -> None:
    """Ten presses at the same moment on two bots, by one person and by two; the batch runs once."""
    other = hand.stage.directory.people[2]
    await grant(hand.db, other, Role.APROBADOR)
    _worker, second = await asyncio.gather(hand.worker(), hand.second_bot())
    bots = [hand.stage.bot_url, second]
    for approvers in ([hand.stage.approver], [hand.stage.approver, other]):
        await hand.begin_with_others()
        known = await hand.students(20)
        number, card = await hand.requested()
        presses = [hand.press(card, approvers[click % len(approvers)]) for click in range(CLICKS)]
        answers = await asyncio.gather(
            *(hand.post(press, url=bots[click // 2 % 2]) for click, press in enumerate(presses))
        )
        assert [answer.status_code for answer in answers] == [200] * CLICKS
        cards = [body for body in (answer.json() for answer in answers) if isinstance(body["value"], dict)]
        assert len(cards) == 1, "one got the card, the others a sentence"
        await hand.finished(number)
        assert await outcomes(hand, "batch.approve", number) == {"approved": 1, "declined": CLICKS - 1}
        decided = await hand.scalar("select decided_by from batch where id = :id", id=number)
        assert decided in {one.aad_object_id for one in approvers}
        await hand.ledger.check(number, known, COURSES)


async def test_an_activity_delivered_again_and_again_asks_for_one_batch(hand: Stagehand) -> None:
    """Teams delivers again what was slow, with the same id or with another: three times each, at once, to two bots."""
    known = await hand.students(20)
    _worker, second = await asyncio.gather(hand.worker(), hand.second_bot())
    before = int(await hand.scalar("select count(*) from batch"))
    activity = hand.scene.channel_message(hand.stage.operator, f"activar aspirantes cohorte:{hand.cohort}")
    again = [activity | {"id": f"17000000000{number:02d}"} for number in range(3)]
    bots = [hand.stage.bot_url, second]
    answers = await asyncio.gather(
        *(hand.post(one, url=bots[place % 2]) for place, one in enumerate([activity, *again] * 3))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert int(await hand.scalar("select count(*) from batch")) == before + 1
    number = int(await hand.scalar("select max(id) from batch"))
    assert sum((await outcomes(hand, "batch.request.activate", number)).values()) == 1
    shown = [
        entry
        for entry in await hand.transcript()
        if entry["kind"] != "person" and entry["summary"].startswith(f"L-{number:04d}")
    ]
    assert len({entry["activity_id"] for entry in shown}) == 1, "one card"
    await hand.talk.presses(hand.stage.approver, shown[-1], "Aprobar")
    await hand.finished(number)
    await hand.ledger.check(number, known, COURSES)
