"""Letters about courses and about a changed situation: to whom, when, and only about what is so."""

from dataclasses import replace

from sqlalchemy import select

from lucy.db import templates
from lucy.db.tables import LetterRow
from lucy.domain.batches import BatchState
from lucy.domain.letter_texts import DEFAULTS
from lucy.domain.letters import LetterName
from lucy.domain.operations import BatchKind, BatchOptions, StepKind
from lucy.domain.students import SourceList
from lucy.flows.check_courses import check_courses
from lucy.flows.plan_rows import What, config_print
from tests.integration.lucy.test_ingest import add, everybody, read, touch
from tests.integration.support.outcomes import ended, states
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works

TOLD = BatchOptions(course_mail=True)


async def enrol(works: Works, options: BatchOptions = TOLD) -> int:
    return await works.carry_out(await works.request(kind=BatchKind.ENROL, options=options))


async def names_sent(works: Works) -> list[LetterName]:
    async with works.db.transaction() as session:
        return list((await session.scalars(select(LetterRow.name).order_by(LetterRow.accepted_at))).all())


async def test_several_courses_are_listed_with_their_addresses(works: Works) -> None:
    (known,) = await students(works.db)
    await course_rules(works.db, "CONT-1", "ECON-1")
    await works.activate(options=BatchOptions(moodle=False))
    await check_courses(works.db, works.runtime.moodle_sites, house=works.runtime.house)
    number = await enrol(works)
    assert (await works.batch(number)).state is BatchState.FINISHED, await works.text_of_card(number)
    _credentials, letter = works.states.inbox.sent_to(known.email)
    assert letter.subject == "Tus cursos en el aula virtual"
    for course in ("CONT-1", "ECON-1"):
        found = works.states.moodle.course_by_shortname(course)
        assert found is not None
        assert found.fullname in letter.text
        assert f"{works.settings.moodle_url}/course/view.php?id={found.id}" in letter.html
    assert known.upn in letter.text
    assert await names_sent(works) == [LetterName.CREDENTIALS, LetterName.ENROLMENT]


async def test_one_course_has_a_letter_of_its_own(works: Works) -> None:
    (known,) = await students(works.db)
    await course_rules(works.db, "CONT-1")
    await works.activate(options=BatchOptions(course_mail=True))
    subjects = [one.subject for one in works.states.inbox.sent_to(known.email)]
    assert subjects[1:] == ["Ya estás en CONT-1"], subjects
    assert await names_sent(works) == [LetterName.CREDENTIALS, LetterName.COURSE]


async def test_nobody_is_written_to_without_being_asked_for_or_twice(works: Works) -> None:
    (known,) = await students(works.db)
    await course_rules(works.db, "CONT-1")
    await works.activate(options=BatchOptions(moodle=False))
    await enrol(works, BatchOptions())
    assert len(works.states.inbox.sent_to(known.email)) == 1
    await course_rules(works.db, "CONT-1", "ECON-1")
    await enrol(works)
    assert len(works.states.inbox.sent_to(known.email)) == 2, "there was something new"
    number = await works.request(kind=BatchKind.ENROL, options=TOLD)
    assert await works.steps(number, StepKind.ENROLMENT_MAIL) == []


async def test_what_worked_is_told_though_another_course_did_not(works: Works) -> None:
    (known,) = await students(works.db)
    await course_rules(works.db, "CONT-1", "NO-SUCH-COURSE")
    await works.activate(options=BatchOptions(moodle=False))
    number = await enrol(works)
    assert (await works.batch(number)).state is BatchState.FINISHED_WITH_FAILURES
    assert await states(works, number, StepKind.ENROLMENT_MAIL) == {"done": 1}
    letter = works.states.inbox.sent_to(known.email)[-1]
    assert "CONT-1" in letter.text
    assert "NO-SUCH-COURSE" not in letter.text


async def test_where_nothing_worked_there_is_nothing_to_tell(works: Works) -> None:
    (known,) = await students(works.db)
    await course_rules(works.db, "NO-SUCH-COURSE")
    await works.activate(options=BatchOptions(moodle=False))
    number = await enrol(works)
    assert await states(works, number, StepKind.ENROLMENT_MAIL) == {"skipped": 1}
    assert len(works.states.inbox.sent_to(known.email)) == 1


async def test_a_text_that_changed_after_the_approval_asks_again(works: Works) -> None:
    before = DEFAULTS[LetterName.COURSE]
    what = What(BatchKind.ENROL, TOLD)
    async with works.db.transaction() as session:
        live = await templates.all_live(session)
    other = {**live, LetterName.COURSE: replace(before, subject="Otro asunto")}
    house = works.runtime.house
    assert config_print(what, house, live) != config_print(what, house, other)
    untold = What(BatchKind.ENROL, BatchOptions())
    assert config_print(untold, house, live) == config_print(untold, house, other)


async def test_a_changed_situation_is_told_once(works: Works) -> None:
    document = add(works)
    await read(works)
    touch(works, document)
    add(works, int(document), where="ingresantes")
    await read(works, SourceList.INGRESANTES)
    (row,) = (await everybody(works)).values()
    assert (row.stage.value, row.former_stage) == ("ingresante", "aspirante")
    number = await works.carry_out(await works.request("todos", kind=BatchKind.STATUS))
    assert await ended(works, number) == {("done", ""): 1}, await works.text_of_card(number)
    (letter,) = works.states.inbox.sent_to(row.personal_email)
    assert "figurabas como aspirante" in letter.text
    assert "ahora figurás como ingresante" in " ".join(letter.text.split())
    again = await works.request("todos", kind=BatchKind.STATUS)
    assert await works.steps(again) == []
    assert "su situación no cambió" in await works.text_of_card(again)


async def test_who_never_changed_is_not_written_to(works: Works) -> None:
    await students(works.db)
    number = await works.request(kind=BatchKind.STATUS)
    assert await works.steps(number) == []
    assert works.states.inbox.messages == []
