"""A whole activation with everything that can go wrong, and then a search for what must not be seen."""

import asyncio
import io
import json
import logging
import zipfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import structlog
from prometheus_client import generate_latest
from sqlalchemy import update

from connectors.nudges import RedisNudger, make_broker
from lucy.db import audit
from lucy.db.tables import StepRow
from lucy.domain.batches import BatchState
from lucy.domain.operations import StepKind
from lucy.flows.batch_sheet import write_batch_sheet
from lucy.log import configure_logging
from tests.integration.support.channel import button, talking
from tests.integration.support.leaks import leaks, of_people, passwords_in, redis_contents
from tests.integration.support.people import course_rules, students
from tests.integration.support.works import Works, table_contents


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """All logs of this process, as a process of ours would write them, down to the finest."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    levels = {
        name: logger.level
        for name, logger in logging.Logger.manager.loggerDict.items()
        if isinstance(logger, logging.Logger)
    }
    stream = io.StringIO()
    configure_logging(stream=stream, level="DEBUG")
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)  # the simulated mail server's own, which logs every line
    yield stream
    root.handlers[:] = handlers
    root.setLevel(level)
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    structlog.reset_defaults()


async def test_nothing_that_is_secret_or_personal_is_seen_where_it_does_not_belong(
    works: Works, database_url: str, logs: io.StringIO
) -> None:
    known = await students(works.db, 12)
    await course_rules(works.db, "INGRESO-2026", "SIN-MANUAL")
    stranger, refused, later, in_moodle, gone = known[:5]
    works.states.graph.seed({"users": [{"userPrincipalName": stranger.upn, "employeeId": "20111222"}]})
    works.states.moodle.seed(
        {"users": [{"username": "otra", "firstname": "O", "lastname": "P", "email": in_moodle.upn, "idnumber": "1"}]}
    )
    works.fault("graph", "$batch", "cut_after")
    works.fault("graph", f"POST /users {gone.upn}", "status", status=500)
    works.fault("graph", "POST /users/{id}/assignLicense", "throttle", times=2, retry_after_s=0.2)
    works.fault("moodle", "core_user_create_users", "cut_after")
    works.fault("moodle", "core_user_get_users_by_field", "html")
    works.fault(
        "inbox", f"RCPT {refused.email}", "reply", status=550, times=None, body=f"5.1.1 <{refused.email}> unknown"
    )
    works.fault("inbox", f"RCPT {later.email}", "reply", status=451, times=1, body=f"4.2.0 <{later.email}> greylisted")
    async with talking(database_url) as talk:
        for words in (f"alumno {known[0].document}", f"activar {known[0].email}", f"eliminar {known[1].document}"):
            await talk.says(talk.bruno, words)
        told = await talk.says(talk.ana, "activar aspirantes")
        await talk.presses(talk.bruno, "batch.approve", button(told.card, "Aprobar")["data"])
        works.nudges.waiting += talk.nudges.take()
        await works.drain()
        assert (await works.batch(1)).state is BatchState.FINISHED_WITH_FAILURES
        for words in ("lote L-0001", "auditoria L-0001", f"auditoria {known[1].document}", "estado", "lotes"):
            await talk.says(talk.dario, words)
        said = [one.to_json() for one in talk.teams.transcript.since(0)]
    said += [one.to_json() for one in works.states.teams.transcript.since(0)]
    async with works.db.transaction() as session:
        assert (await audit.verify(session)).broken_at is None
    broker = make_broker(works.settings.redis_url)
    await RedisNudger(broker).send(works.nudges.sent)
    broker.close()

    tables = await table_contents(works.db)
    secret = dict.fromkeys(passwords_in(one.text for one in works.states.inbox.messages), "a mailed password")
    secret |= {
        **dict.fromkeys(works.states.graph.tokens, "a token of Graph"),
        works.addresses.graph_client_secret: "the client secret",
        works.addresses.moodle_token: "the token of Moodle",
        works.addresses.sial_password: "the password of SIAL",
        works.addresses.imap_password: "the password of the return mailbox",
        works.settings.secret_keys.get_secret_value(): "the key of the seals",
    }
    assert len(secret) > 10
    personal = of_people((one.document for one in known), [one.email for one in known] + [one.upn for one in known])
    everywhere = {
        "logs": logs.getvalue(),
        "redis": redis_contents(works.settings.redis_url),
        "channel": json.dumps(said, ensure_ascii=False),
        "metrics": generate_latest().decode(),
    }
    sheet = await sheet_of(works, 1)
    assert known[0].document in sheet, "an export names people, and no password"
    assert leaks(secret, {"export": sheet, "environment": environment()}) == []
    steps = "\n".join(tables["step"])
    assert len(everywhere["logs"].splitlines()) > 50
    assert "run_lane" in everywhere["redis"]
    assert "E-004" in steps
    assert "T-004" in steps
    assert leaks(secret, {**everywhere, **{name: "\n".join(rows) for name, rows in tables.items()}}) == []
    kept_apart = {
        name: "\n".join(tables[name])
        for name in ("audit_event", "audit_seal", "step", "outbox", "batch", "posted_card")
    }
    assert leaks(personal, {**everywhere, **kept_apart}) == []


def environment() -> str:
    """Of this process, which holds the workers and the bot."""
    return Path("/proc/self/environ").read_bytes().decode(errors="replace")


async def sheet_of(works: Works, number: int) -> str:
    """Everything that stands in the export of a batch."""
    async with works.db.transaction() as session:
        content = await write_batch_sheet(session, number, house=works.runtime.house, now=datetime.now(UTC))
    assert content is not None
    with zipfile.ZipFile(io.BytesIO(content)) as parts:
        return "\n".join(parts.read(name).decode("utf-8", errors="replace") for name in parts.namelist())


async def test_a_failure_of_ours_is_logged_without_the_row_it_stumbled_over(works: Works, logs: io.StringIO) -> None:
    """PostgreSQL and SQLAlchemy repeat the values; a password in hand must not be among them."""
    (known,) = await students(works.db, 1)
    await works.running()
    await works.lanes().run(StepKind.ACCOUNT)
    log = structlog.get_logger("tests")
    try:
        async with works.db.transaction() as session:
            await session.execute(update(StepRow).values(student_id=-1, error_detail=f"{known.email} {known.document}"))
    except Exception:
        log.exception("failed")
    try:
        async with works.db.transaction() as session:
            statement = "insert into student (document_type, document_number) values ('DNI', '" + known.document + "')"
            await (await session.connection()).exec_driver_sql(statement)
    except Exception:
        log.exception("failed", password="Secreta-1234", detail={"token": "abc.def.ghi"})
    await asyncio.sleep(0)
    told = logs.getvalue()
    assert told.count('"event": "failed"') == 2
    assert leaks({**of_people([known.document], [known.email]), "Secreta-1234": "a password"}, {"logs": told}) == []
