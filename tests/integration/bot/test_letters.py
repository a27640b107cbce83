"""A letter is changed from the channel: proposed, rendered for everybody, approved by somebody else; then it goes."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from cards.as_text import as_text
from lucy.db.tables import StepRow, StudentRow, TemplateRow
from lucy.domain.batches import BatchState
from lucy.domain.letter_texts import DEFAULTS
from lucy.domain.letters import LetterName, TemplateState
from lucy.domain.operations import BatchOptions, StepKind
from lucy.domain.roles import Role
from lucy.domain.students import Stage
from lucy.flows.check_letter import check_letter_for_all
from sandbox.teams.directory import Person
from tests.integration.support.channel import Talk, Told, grant, talking
from tests.integration.support.office import Office
from tests.integration.support.people import students
from tests.integration.support.works import Works

SUBJECT, HTML = "Tu cuenta está lista", "<p>Buen día, {nombre}:</p>\n<p>Usuario {upn}</p>\n<p>Clave {password}</p>"


@pytest.fixture
async def talk(database_url: str) -> AsyncIterator[Talk]:
    async with talking(database_url) as opened:
        yield opened


@pytest.fixture
def office(talk: Talk, works: Works) -> Office:
    return Office(talk, works)


async def form(office: Office, person: Person, words: str = "plantillas credenciales") -> Told:
    shown = await office.talk.says(person, words)
    return await office.presses(person, shown.card, "Cambiar el texto")


async def propose(office: Office, subject: str = SUBJECT, html: str = HTML) -> Told:
    """Carla fills the form in and sends it."""
    opened = await form(office, office.talk.carla)
    return await office.presses(office.talk.carla, opened.card, "Proponer", subject=subject, html=html)


async def versions(office: Office) -> list[TemplateRow]:
    async with office.talk.db.transaction() as session:
        return list((await session.scalars(select(TemplateRow).order_by(TemplateRow.id))).all())


async def shown(office: Office, words: str = "plantillas credenciales") -> Told:
    return await office.talk.says(office.talk.bruno, words)


async def test_all_letters_are_listed_and_each_can_be_read(office: Office) -> None:
    text = (await shown(office, "plantillas")).text
    for name in LetterName:
        assert f"{name.value}: " in text
        one = await shown(office, f"plantillas {name.value}")
        assert DEFAULTS[name].subject in one.text
    assert "No hay ninguna carta «credencial»" in (await shown(office, "plantillas credencial")).text
    assert "no tiene versión 7" in (await shown(office, "plantillas curso 7")).text


async def test_a_letter_goes_out_changed_only_after_it_was_tried_and_somebody_else_said_yes(office: Office) -> None:
    (known,) = await students(office.talk.db)
    await propose(office)
    card = (await shown(office)).card
    refused = await office.presses(office.talk.bruno, card, "Aprobar")
    assert "Todavía se está probando" in refused.text
    await office.drain()
    seen = await shown(office)
    assert "Probada con 1 alumno," in seen.text
    assert "+<p>Buen día, {nombre}:</p>" in seen.text
    assert "-<p>Hola, {nombre}:</p>" in seen.text
    assert "Buen día, " in seen.text.partition("Cómo se ve")[2]
    for hidden in (known.document, known.email, known.upn):
        assert hidden not in seen.text
    mine = await office.presses(office.talk.carla, seen.card, "Aprobar")
    assert "la tiene que aprobar otra persona" in mine.text
    yes = await office.presses(office.talk.bruno, seen.card, "Aprobar")
    assert "Es la que sale" in yes.text
    await office.works.activate(options=BatchOptions(moodle=False))
    (letter,) = office.works.states.inbox.sent_to(known.email)
    assert letter.subject == SUBJECT
    assert "Buen día, " in letter.text
    async with office.talk.db.transaction() as session:
        step = (await session.scalars(select(StepRow).where(StepRow.kind == StepKind.CREDENTIALS_MAIL))).one()
    assert step.outcome["template"] == "1"
    assert await office.outcomes("letter.decide") == ["approved"]


async def test_until_then_the_letter_goes_as_it_was(office: Office) -> None:
    (known,) = await students(office.talk.db)
    await propose(office)
    await office.works.activate(options=BatchOptions(moodle=False))
    (letter,) = office.works.states.inbox.sent_to(known.email)
    assert letter.subject == DEFAULTS[LetterName.CREDENTIALS].subject


async def test_what_is_wrong_is_said_by_line_and_nothing_that_was_typed_is_lost(office: Office) -> None:
    bad = HTML + "\n<p>{nombrre}</p>\n<script>x</script>"
    told = await propose(office, html=bad)
    assert "No se guardó" in told.text
    assert "Línea 4: no hay ninguna variable {nombrre}" in told.text
    assert "Línea 5: <script> no puede ir" in told.text
    values = {one["id"]: one["value"] for one in told.card["body"] if one["type"] == "Input.Text"}
    assert values == {"subject": SUBJECT, "html": bad}
    assert await versions(office) == []


async def test_a_letter_that_does_not_come_out_for_somebody_names_them_masked_and_cannot_be_approved(
    office: Office,
) -> None:
    (known, _other) = await students(office.talk.db, 2)
    async with office.talk.db.transaction() as session:
        await session.execute(update(StudentRow).where(StudentRow.id == known.id).values(first_name="\u202e"))
    await propose(office)
    await office.drain()
    seen = await shown(office)
    assert "Probada con 2 alumnos" in seen.text
    assert f"●●●●{known.document[-4:]}" in seen.text
    assert "no tiene {nombre}" in seen.text
    assert known.document not in seen.text
    refused = await office.presses(office.talk.bruno, seen.card, "Aprobar")
    assert "con 1 alumno la carta no sale bien" in refused.text
    assert [one.state for one in await versions(office)] == [TemplateState.PROPOSED]


async def test_who_does_not_get_the_letter_is_not_asked(office: Office) -> None:
    (known,) = await students(office.talk.db)
    async with office.talk.db.transaction() as session:
        await session.execute(update(StudentRow).values(first_name="", stage=Stage.PREINSCRIPTO))
    await propose(office)
    await office.drain()
    (row,) = await versions(office)
    assert (row.students, row.failed) == (0, 0)
    assert known.document


async def test_a_trial_of_the_day_before_yesterday_does_not_count(office: Office) -> None:
    await propose(office)
    await office.drain()
    async with office.talk.db.transaction() as session:
        await session.execute(update(TemplateRow).values(checked_at=datetime.now(UTC) - timedelta(hours=25)))
    card = (await shown(office)).card
    assert "hace más de un día" in (await office.presses(office.talk.bruno, card, "Aprobar")).text
    await office.says(office.talk.carla, "plantillas credenciales probar")
    await office.drain()
    assert "Es la que sale" in (await office.presses(office.talk.bruno, card, "Aprobar")).text


async def test_a_refused_version_never_goes_and_says_why(office: Office) -> None:
    await propose(office)
    await office.drain()
    card = (await shown(office)).card
    no = await office.presses(office.talk.bruno, card, "Rechazar", reason="El asunto no se entiende")
    assert "Rechazada" in no.text
    assert "El asunto no se entiende" in no.text
    assert "ya no espera a nadie" in (await office.presses(office.talk.bruno, card, "Aprobar")).text
    assert "Como vino con Lucy" in (await shown(office, "plantillas")).text


async def test_of_two_that_change_it_at_once_the_second_is_told(office: Office) -> None:
    await grant(office.talk.db, office.talk.bruno, Role.ADMINISTRADOR)
    first, second = await form(office, office.talk.carla), await form(office, office.talk.bruno)
    await office.presses(office.talk.carla, first.card, "Proponer", subject=SUBJECT, html=HTML)
    late = await office.presses(office.talk.bruno, second.card, "Proponer", subject="Otro", html=HTML)
    assert "Alguien escribió otra versión" in late.text
    again = await form(office, office.talk.bruno)
    await office.presses(office.talk.bruno, again.card, "Proponer", subject="Otro", html=HTML)
    assert [one.state for one in await versions(office)] == [TemplateState.REPLACED, TemplateState.PROPOSED]


async def test_nothing_changed_is_no_version(office: Office) -> None:
    default = DEFAULTS[LetterName.CREDENTIALS]
    told = await propose(office, default.subject, default.html)
    assert "no hay nada para cambiar" in told.text


@pytest.mark.parametrize("who", ["ana", "dario"])
async def test_only_an_administrator_may_change_it(office: Office, who: str) -> None:
    person = getattr(office.talk, who)
    assert "hace falta el rol administrador" in (await form(office, person)).text
    data: dict[str, Any] = {"letter": "credenciales", "version": 0, "id": 0, "subject": SUBJECT, "html": HTML}
    assert "hace falta el rol" in (await office.talk.presses(person, "letter.propose", data)).text
    assert await versions(office) == []


async def test_the_card_in_the_channel_moves_with_the_version(office: Office) -> None:
    await propose(office)
    await office.drain()
    newest = {one.activity_id: one for one in office.talk.teams.transcript.since(0) if one.card is not None}
    texts = [as_text(one.card) for one in newest.values() if one.card is not None]
    assert any("Carta credenciales" in one and "Probada con 0 alumnos" in one for one in texts), texts


async def test_a_press_with_nonsense_is_answered(office: Office) -> None:
    for data in ({}, {"letter": "x", "version": "a"}, {"letter": "nada", "version": 0}):
        told = await office.talk.presses(office.talk.carla, "letter.edit", data)
        assert "no se entiende" in told.text or "No hay ninguna carta" in told.text
    told = await office.talk.presses(office.talk.bruno, "letter.approve", {"letter": "curso", "version": 1, "id": 99})
    assert "ya no espera a nadie" in told.text


async def test_a_batch_that_was_approved_over_another_text_sends_nothing_and_is_asked_for_again(
    office: Office,
) -> None:
    """The text is part of what was approved: the row drops out, and a batch of its own waits for a yes."""
    (known,) = await students(office.talk.db)
    number = await office.works.request(options=BatchOptions(moodle=False))
    await office.works.approve(number)
    await propose(office)
    await check_letter_for_all(office.talk.db, 1, house=office.works.runtime.house)
    assert "Es la que sale" in (await office.presses(office.talk.bruno, (await shown(office)).card, "Aprobar")).text
    await office.drain()
    assert office.works.states.inbox.sent_to(known.email) == []
    (child,) = await office.children(number)
    assert child.state is BatchState.AWAITING_APPROVAL
