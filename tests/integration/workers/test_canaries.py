"""A password is planted where none may be, place by place: the search names that place, and not the password."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from prometheus_client import REGISTRY, Gauge
from rich.console import Console
from sqlalchemy import func, select, update

from cli.check import check_canaries
from lucy.db import audit
from lucy.db.tables import AuditEventRow, Base, SealedSecretRow, StepRow, TrialLetterRow
from lucy.domain.audit import LUCY, AuditEvent
from lucy.domain.operations import StepKind
from lucy.flows.find_secrets import Leak, holds_text, leaks_found
from lucy.flows.run_schedules import bring_forward, plan_schedules, run_due_schedules
from lucy.flows.view_report import view_report
from tests.integration.conftest import OpenWorks
from tests.integration.support.people import students
from tests.integration.support.works import Works
from workers.canaries import search_house

CANARY = 'Canario"\\7é-q9XwK2'  # signs that JSON writes otherwise


async def planted(works: Works) -> None:
    """A password on its way to a letter, sealed where it belongs."""
    (known,) = await students(works.db)
    batch = await works.request()
    now = datetime.now(UTC)
    async with works.db.transaction() as session:
        step = (await session.scalars(select(StepRow).where(StepRow.kind == StepKind.ACCOUNT))).one()
        session.add(
            SealedSecretRow(
                step_id=step.id,
                student_id=known.id,
                batch_id=batch,
                ciphertext=works.runtime.sealer.seal(CANARY),
                fingerprint="",
                created_at=now,
                expires_at=now + timedelta(hours=1),
            )
        )


async def places(works: Works) -> set[str]:
    searched, leaks = await search_house(works.runtime)
    assert searched > 1, "the password and the secrets of the settings"
    return {leak.where for leak in leaks}


async def test_a_clean_house_is_found_clean_and_the_audit_keeps_that_it_was_looked_for(works: Works) -> None:
    await planted(works)
    assert await places(works) == set()
    async with works.db.transaction() as session:
        event = (await session.scalars(select(AuditEventRow).where(AuditEventRow.action == "secrets.search"))).one()
    assert event.outcome == "clean"


async def test_a_password_in_any_column_or_key_is_found_and_never_repeated(
    works: Works, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    await planted(works)
    now = datetime.now(UTC)
    async with works.db.transaction() as session:
        event = AuditEvent(LUCY, "letter.test", "queued", detail={"said": [f"clave {CANARY}"]})
        await audit.record(session, [event], now=now)
        await session.execute(update(StepRow).values(outcome={"reply": CANARY}))
        session.add(TrialLetterRow(address="a@example.com", asked_by_name="Ana", asked_at=now, reply=f"250 {CANARY}"))
    client = works.runtime.redis_client
    await client.set("plain:1", CANARY)
    await client.hset("hash:1", "field", json.dumps({"password": CANARY}))
    await client.rpush("list:1", CANARY)
    await client.sadd("set:1", f"x{CANARY}x")
    await client.zadd("sorted:1", {CANARY: 1})
    monkeypatch.setenv("SOMEBODY_WROTE", CANARY)
    gauge = Gauge("canary_test", "only here", ["said"])
    gauge.labels(said=CANARY).set(1)
    try:
        found = await places(works)
    finally:
        REGISTRY.unregister(gauge)
    assert found == {
        "audit_event.detail",
        "step.outcome",
        "trial_letter.reply",
        "redis plain",
        "redis hash",
        "redis list",
        "redis set",
        "redis sorted",
        "environment SOMEBODY_WROTE",
        "metrics",
    }
    async with works.db.transaction() as session:
        statement = select(AuditEventRow.detail).where(AuditEventRow.action == "secrets.search")
        told = str((await session.scalars(statement)).all())
        assert await leaks_found(session, since=now) == len(found)
        report = await view_report(session, now.astimezone(works.runtime.house.zone).date(), house=works.runtime.house)
    assert report.leaks == len(found)
    assert CANARY not in told + caplog.text
    assert CANARY not in str(report)


async def test_a_secret_of_the_settings_is_found_too(open_works: OpenWorks) -> None:
    works = await open_works(smtp_password="Correo-4711-clave")
    await works.runtime.redis_client.set("plain:1", "AUTH Correo-4711-clave")
    searched, leaks = await search_house(works.runtime)
    assert leaks == [Leak("LUCY_SMTP_PASSWORD", "redis plain")]
    assert searched > 1


async def test_every_column_that_can_hold_text_is_read() -> None:
    """A column whose type the search does not know would be left out in silence."""
    unread = {
        type(one.type).__name__ for t in Base.metadata.tables.values() for one in t.columns if not holds_text(one)
    }
    assert unread <= {"BigInteger", "SmallInteger", "Integer", "DateTime", "Date", "Boolean", "Enum", "LargeBinary"}


async def test_the_agenda_looks_each_night(works: Works) -> None:
    async with works.db.transaction() as session:
        house, now = works.runtime.house, datetime.now(UTC)
        await plan_schedules(session, house=house, now=now)
        await bring_forward(session, "canarios", actor=LUCY, now=now)
        assert await run_due_schedules(session, house=house, now=now) == ["canarios"]
    await works.drain()
    async with works.db.transaction() as session:
        statement = select(func.count()).where(AuditEventRow.action == "secrets.search")
        assert await session.scalar(statement) == 1


async def test_the_command_says_where_and_not_what(works: Works) -> None:
    await planted(works)
    await works.runtime.redis_client.set("plain:1", CANARY)
    console = Console(file=StringIO(), width=200)
    assert not await check_canaries(works.settings, console)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert "redis plain: to mend: holds a secret (temporary password)" in text
    assert CANARY not in text
    await works.runtime.redis_client.delete("plain:1")
    assert await check_canaries(works.settings, console)
