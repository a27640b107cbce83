"""Added to a team Lucy says what comes first; taken out or blocked she posts nothing there until she is back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select

from lucy.db import cards as cards_db
from lucy.db.tables import AuditEventRow, ConversationRow
from lucy.domain.roles import Role
from tests.integration.support.channel import Talk, talking
from tests.integration.support.office import Office
from tests.integration.support.people import grant
from tests.integration.support.works import Works


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        yield opened


@pytest.fixture
def office(talk: Talk, works: Works) -> Office:
    return Office(talk, works)


async def happens(talk: Talk, activity: dict[str, Any]) -> list[Any]:
    """What the bot posts upon it."""
    seen = len(talk.teams.transcript.entries)
    answer = await talk.http.post("/api/messages", json=activity)
    assert answer.status_code < 300
    return talk.teams.transcript.entries[seen:]


async def audited(talk: Talk, action: str) -> list[AuditEventRow]:
    async with talk.db.transaction() as session:
        return list((await session.scalars(select(AuditEventRow).where(AuditEventRow.action == action))).all())


async def posts_in(talk: Talk) -> list[str]:
    async with talk.db.transaction() as session:
        return [one.conversation_id for one in await cards_db.staff_channels(session)]


async def test_added_it_greets_once_with_the_first_steps(talk: Talk) -> None:
    await grant(talk.db, talk.bruno, Role.APROBADOR)
    (greeting,) = await happens(talk, talk.scene.installation_update(talk.carla))
    text = str(greeting.card)
    assert "Hola, soy Lucy" in text
    assert f"Quién aprueba: {talk.bruno.name}" in text
    assert "permisos dar aprobador" in text
    assert await happens(talk, talk.scene.bot_added(talk.carla)) == [], "Teams tells it twice"
    assert len(await audited(talk, "channel.added")) == 1
    assert await posts_in(talk), "the report has a channel from the first night on"


async def test_its_buttons_show_how_everything_stands_to_who_may(office: Office) -> None:
    talk = office.talk
    (greeting,) = await happens(talk, talk.scene.installation_update(talk.carla))
    shown = await office.presses(talk.dario, greeting.card, "Ver cómo está todo")
    assert "alumnos" in shown.text.lower() or "Moodle" in shown.text
    assert "activar" in (await office.presses(talk.ana, greeting.card, "Ayuda")).text


async def test_taken_out_nothing_is_posted_until_it_is_back(talk: Talk) -> None:
    await happens(talk, talk.scene.installation_update(talk.carla))
    await talk.says(talk.ana, "estado")
    assert len(await posts_in(talk)) >= 1
    assert await happens(talk, talk.scene.installation_update(talk.carla, action="remove")) == []
    assert await posts_in(talk) == []
    (event,) = await audited(talk, "channel.removed")
    assert event.actor_name == talk.carla.name
    await talk.says(talk.ana, "estado")
    assert await posts_in(talk) == [talk.scene.channel.id], "whoever speaks to her there lets her in again"


async def test_a_channel_that_was_deleted_is_given_up_and_told_in_the_audit(office: Office) -> None:
    talk, works = office.talk, office.works
    await talk.says(talk.ana, "estado")
    async with talk.db.transaction() as session:
        gone = ConversationRow(
            conversation_id="19:gone@thread.tacv2",
            kind="channel",
            service_url=works.addresses.teams_url + "/",
            tenant_id="t",
            updated_at=datetime.now(UTC),
        )
        session.add(gone)
        await cards_db.add_card(
            session,
            shows="report",
            subject=datetime.now(UTC).date().isoformat(),
            service_url=gone.service_url,
            tenant_id="t",
            conversation_id=gone.conversation_id,
        )
    await works.announcer.run()
    assert "19:gone@thread.tacv2" not in await posts_in(talk)
    (event,) = await audited(talk, "channel.removed")
    assert event.outcome.startswith("failed ")
