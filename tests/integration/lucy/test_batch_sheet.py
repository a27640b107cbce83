"""A batch's spreadsheet from the database: every student once, in the plan's order, as of one moment."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert, select, update

from lucy.db import batch_rows, downloads
from lucy.db.engine import Database
from lucy.db.tables import ApprovalRow, BatchRow, BatchStudentRow, DownloadRow, SealedSecretRow, StepRow
from lucy.domain.audit import Actor
from lucy.domain.batches import BatchId, BatchState
from lucy.domain.house import House
from lucy.domain.operations import BatchKind, StepKind
from lucy.domain.steps import StepState
from lucy.flows import batch_sheet
from lucy.flows.batch_sheet import write_batch_sheet
from lucy.flows.downloads import offer_download
from tests.integration.support.people import Known, students
from tests.integration.support.sheets import Opened, opened
from workers.sweeper import tidy

NOW = datetime(2026, 11, 25, 2, 30, tzinfo=UTC)  # the evening before in Río Cuarto
HOUSE = House(
    environment="SIMULADOR",
    zone=ZoneInfo("America/Argentina/Cordoba"),
    admins=frozenset(),
    account_prefix="a",
    account_domain="eco.unrc.edu.ar",
    licence_sku="A1",
    mail_domain="eco.unrc.edu.ar",
    approval_expires_h=72,
    batch_size=20,
    lease_s=60,
    graph_per_s=10,
    mail_per_s=0.5,
)


async def batch(db: Database, known: list[Known], *, kind: BatchKind = BatchKind.ACTIVATE, **changes: Any) -> BatchId:
    """A running batch over these students, in this order."""
    values = {
        "kind": kind,
        "options": {"mail": True, "moodle": True},
        "selection": "dni:40123456",
        "state": BatchState.RUNNING,
        "plan_hash": "",
        "students": len(known),
        "requested_by": "ana",
        "requested_by_name": "Ana",
        "requested_at": NOW,
        "expires_at": NOW + timedelta(days=3),
    }
    async with db.transaction() as session:
        row = BatchRow(**{**values, **changes})
        session.add(row)
        await session.flush()
        rows = [
            {"batch_id": row.id, "student_id": one.id, "position": place, "basis_hash": ""}
            for place, one in enumerate(known)
        ]
        if rows:
            await session.execute(insert(BatchStudentRow), rows)
        return row.id


async def step(db: Database, number: BatchId, student: Known, kind: StepKind, **changes: Any) -> int:
    async with db.transaction() as session:
        row = StepRow(
            **{
                "batch_id": number,
                "student_id": student.id,
                "kind": kind,
                "position": 0,
                "state": StepState.DUE,
                **changes,
            }
        )
        session.add(row)
        await session.flush()
        return row.id


async def sheet(db: Database, number: int) -> Opened:
    async with db.transaction() as session:
        content = await write_batch_sheet(session, number, house=HOUSE, now=NOW)
    assert content is not None
    return opened(content)


@pytest.mark.parametrize("many", [1, 3, 4, 7])
async def test_every_student_once_in_order_whatever_the_pages(
    db: Database, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    whole = batch_rows.pages
    monkeypatch.setattr(batch_sheet.batch_rows, "pages", lambda session, number: whole(session, number, size=3))
    known = list(reversed(await students(db, many)))
    number = await batch(db, known)
    for one in known:
        await step(db, number, one, StepKind.ACCOUNT)
    found = await sheet(db, number)
    assert [row["Documento"] for row in found.students] == [one.document for one in known]
    assert {row["Cuenta"] for row in found.students} == {"por hacer"}


async def test_nobody_and_nothing(db: Database) -> None:
    async with db.transaction() as session:
        assert await write_batch_sheet(session, 7, house=HOUSE, now=NOW) is None
    found = await sheet(db, await batch(db, []))
    assert found.students == []
    assert "Cuenta" not in found.heading


async def test_columns_are_the_kinds_of_the_plan(db: Database) -> None:
    (ana,) = await students(db, 1)
    number = await batch(db, [ana], kind=BatchKind.UNDO)
    for kind in (StepKind.DELETE_ACCOUNT, StepKind.UNENROL):
        await step(db, number, ana, kind, target="CONT-1" if kind is StepKind.UNENROL else "", state=StepState.DONE)
    (row,) = (await sheet(db, number)).students
    assert list(row)[4:6] == ["Bajas de cursos", "Eliminar la cuenta"]
    assert (row["Bajas de cursos"], row["Eliminar la cuenta"]) == ("hecho: CONT-1", "hecho")


async def test_times_are_those_of_the_faculty(db: Database) -> None:
    (ana,) = await students(db, 1)
    number = await batch(db, [ana])
    await step(db, number, ana, StepKind.ACCOUNT, state=StepState.DONE, closed_at=NOW, first_claimed_at=NOW)
    later = NOW + timedelta(minutes=5)
    await step(db, number, ana, StepKind.LICENCE, state=StepState.RUNNING, first_claimed_at=later)
    found = await sheet(db, number)
    assert found.students[0]["Último cambio"] == later.astimezone(HOUSE.zone).replace(tzinfo=None)
    (asked,) = [row for row in found.summary if row[0] == "Pedido por"]
    assert f"{asked[2]:%d/%m %H:%M}" == "24/11 23:30"
    assert ["Hora de", "America/Argentina/Cordoba"] in found.summary


async def test_everybody_who_approved_is_named(db: Database) -> None:
    number = await batch(db, [])
    async with db.transaction() as session:
        for minute, name in ((2, "Carla"), (1, "Bruno")):
            at = NOW + timedelta(minutes=minute)
            session.add(ApprovalRow(batch_id=number, approver_id=name, approver_name=name, at=at, plan_hash=""))
    found = await sheet(db, number)
    assert [row[1] for row in found.summary if row[0] == "Aprobado por"] == ["Bruno", "Carla"]


async def test_the_sheet_shows_one_moment(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """What changes while it is written is in the next one."""
    (ana,) = await students(db, 1)
    number = await batch(db, [ana])
    await step(db, number, ana, StepKind.ACCOUNT)
    whole = batch_rows.pages

    async def pages(session: Any, which: int) -> Any:
        async with db.transaction() as other:
            await other.execute(update(StepRow).values(state=StepState.DONE))
        async for page in whole(session, which):
            yield page

    monkeypatch.setattr(batch_sheet.batch_rows, "pages", pages)
    found = await sheet(db, number)
    assert found.students[0]["Cuenta"] == "por hacer"
    monkeypatch.undo()
    assert (await sheet(db, number)).students[0]["Cuenta"] == "hecho"


async def test_no_password_mail_or_technical_detail_is_in_it(db: Database) -> None:
    (ana,) = await students(db, 1, personal_email="secreta@example.com")
    number = await batch(db, [ana])
    failed = {"state": StepState.FAILED, "error_code": "T-009", "error_detail": "DETAIL", "outcome": {"upn": "OUTCOME"}}
    step_id = await step(db, number, ana, StepKind.ACCOUNT, **failed)
    async with db.transaction() as session:
        session.add(
            SealedSecretRow(
                step_id=step_id,
                student_id=ana.id,
                batch_id=number,
                ciphertext="CIPHERTEXT",
                fingerprint="FINGERPRINT",
                created_at=NOW,
                expires_at=NOW,
            )
        )
    told = str(await sheet(db, number))
    assert "T-009" in told
    for private in ("CIPHERTEXT", "FINGERPRINT", "secreta", "DETAIL", "OUTCOME"):
        assert private not in told


async def test_links_whose_time_is_over_are_swept_away(db: Database) -> None:
    number = await batch(db, [])
    now = datetime.now(UTC)
    async with db.transaction() as session:
        for minutes in (16, 14):
            await offer_download(session, number, actor=Actor("ana", "Ana"), now=now - timedelta(minutes=minutes))
    await tidy(db)
    async with db.transaction() as session:
        left = (await session.scalars(select(DownloadRow.token_hash))).all()
        assert len(left) == 1
        assert await downloads.is_open(session, left[0], now=now)
