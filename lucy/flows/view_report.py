"""The nightly report and `estado`: what came in, what is aside, what waits for a person."""

from datetime import date, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from lucy.db import audit, batches, doubles
from lucy.db import config as config_db
from lucy.db import ingest as ingest_db
from lucy.db import letters as letters_db
from lucy.db import students as students_db
from lucy.db.letters import LetterCounts
from lucy.db.tables import AccountRow, BatchRow, IngestRunRow, MoodleUserRow, StepRow, StudentRow
from lucy.db.unsent import unsent
from lucy.domain.batches import BatchState, batch_code
from lucy.domain.config import days_unused
from lucy.domain.error_codes import explain
from lucy.domain.house import House
from lucy.domain.ingest import HeldReason as Reason
from lucy.domain.ingest import explain as explain_held
from lucy.domain.ingest_guard import Comparison, HeldRun
from lucy.domain.operations import BatchKind, batch_title, options_from, system_of
from lucy.domain.selections import LetterFate, Selection, Thing
from lucy.domain.steps import StepState
from lucy.domain.students import SourceList, Stage, mask_document_number
from lucy.domain.views import BatchLine, Proposal, ReportView, StatusView, SystemState, WaitingBatch
from lucy.domain.views_ingest import AlikeGroup, HeldLine, HeldReason, HeldView, ListReport, Waiting
from lucy.errors import System
from lucy.flows.find_obstacles import system_notes
from lucy.flows.find_secrets import leaks_found
from lucy.texts import _, number, plural

NIGHT = timedelta(hours=24)
DAYS_SHOWN = 14
ASIDE_SHOWN = 20
_SYSTEMS = {System.GRAPH: "Entra", System.MAIL: _("Correo"), System.MOODLE: "Moodle"}


async def view_report(session: AsyncSession, day: date, *, house: House) -> ReportView:
    """What the night of `day` brought, as it stands now."""
    end = datetime.combine(day + timedelta(days=1), datetime.min.time(), house.zone)
    runs = await ingest_db.latest_runs(session, since=end - NIGHT)
    runs |= {
        one.source_list: one for one in await ingest_db.waiting_runs(session)
    }  # what waits for a person is the news of its list
    since = datetime.combine(day - timedelta(days=DAYS_SHOWN - 1), datetime.min.time(), house.zone)
    new = await ingest_db.new_per_day(session, since=since, zone=str(house.zone))
    head, events = await audit.head(session)
    held = await ingest_db.held_by_reason(session)
    lost = await unsent(session)
    letters, values = await letters_db.counts(session), await config_db.values(session)
    days = [day - timedelta(days=back) for back in range(DAYS_SHOWN - 1, -1, -1)]
    return ReportView(
        day=day,
        lists=tuple(list_report(runs[one]) for one in SourceList if one in runs),
        held=tuple(HeldReason(*explain_held(reason), count) for reason, count in held),
        waiting=await _waiting(session),
        new_per_day=tuple((one, new.get(one, 0)) for one in days),
        audit_head=head,
        audit_events=events,
        proposals=(*await _proposals(session, house), *_reissues(letters, lost)),
        absent=await students_db.count_absent(session),
        unsent=lost,
        unused=letters.unused,
        unused_days=days_unused(values),
        bounced=letters.bounced,
        mended=letters.mended,
        leaks=await leaks_found(session, since=end - NIGHT),
    )


def list_report(run: IngestRunRow) -> ListReport:
    return ListReport(
        source_list=run.source_list,
        finished_at=run.finished_at,
        seen=run.seen,
        new=run.new,
        changed=run.changed,
        held=run.held,
        failed=explain(run.error_code) if run.error_code else "",
        emails=run.emails,
        unanswered=run.unanswered,
        run=run.id,
        waits=Waiting(HeldRun(run.waits_for), Comparison(**run.comparison)) if run.waits_for else None,
        released_by=run.released_by,
    )


async def view_aside(session: AsyncSession, source_list: SourceList | None) -> HeldView:
    """What is aside now, the oldest first."""
    reasons = await ingest_db.held_by_reason(session, source_list)
    rows = await ingest_db.oldest_held(session, source_list, limit=ASIDE_SHOWN)
    return HeldView(
        reasons=tuple(HeldReason(*explain_held(reason), count) for reason, count in reasons),
        lines=tuple(
            HeldLine(
                row.source_list,
                mask_document_number(row.document_number) if row.document_number else "",
                explain_held(Reason(row.reason))[0],
                row.detail,
                explain_held(Reason(row.reason))[1],
                row.first_seen_at,
            )
            for row in rows
        ),
        alike=await _alike(session) if source_list is None else (),
    )


async def _alike(session: AsyncSession) -> tuple[AlikeGroup, ...]:
    counts, groups = await doubles.alike(session, most=ASIDE_SHOWN)
    return tuple(
        AlikeGroup(
            likeness,
            count,
            tuple(
                tuple(f"{kind} {mask_document_number(number)}" for kind, number in one.people)
                for one in groups
                if one.likeness is likeness
            ),
        )
        for likeness, count in counts.items()
    )


async def _waiting(session: AsyncSession) -> tuple[WaitingBatch, ...]:
    rows = await batches.in_states(session, [BatchState.AWAITING_APPROVAL, BatchState.HELD])
    return tuple(_waiting_batch(row) for row in rows)


def _waiting_batch(row: BatchRow) -> WaitingBatch:
    return WaitingBatch(batch_code(row.id), _title(row), row.students, row.requested_by_name, row.requested_at)


async def _proposals(session: AsyncSession, house: House) -> tuple[Proposal, ...]:
    """Activate those who have no account yet, where nobody has asked for it."""
    found: list[Proposal] = []
    for stage in (Stage.ASPIRANTE, Stage.INGRESANTE):
        selection = Selection(stages=frozenset({stage}), lacking=frozenset({Thing.ACCOUNT}))
        asked = await session.scalar(
            select(BatchRow.id).where(
                BatchRow.selection == str(selection),
                BatchRow.state.in_([BatchState.AWAITING_APPROVAL, BatchState.QUEUED, BatchState.RUNNING]),
            )
        )
        count = await students_db.count(session, selection, zone=house.zone)
        if count and asked is None:
            name = plural("{n} " + stage.value, "{n} " + stage.value + "s", count)
            found.append(Proposal(_("Preparar activación de {students}").format(students=name), str(selection)))
    return tuple(found)


def _reissues(letters: LetterCounts, lost: int) -> list[Proposal]:
    """A new password for those whose last one is of no use; who has no other address would get it as little."""
    found = []
    for fate, count, one, many in (
        (LetterFate.FAILED, lost, _("Reenviar la que no salió"), _("Reenviar las {n} que no salieron")),
        (LetterFate.UNUSED, letters.unused, _("Reemitir la que nadie estrenó"), _("Reemitir las {n} sin estrenar")),
        (LetterFate.MENDED, letters.mended, _("Reemitir la que rebotó"), _("Reemitir las {n} que rebotaron")),
    ):
        if count:
            selection = str(Selection(letters=frozenset({fate})))
            found.append(Proposal((one if count == 1 else many).format(n=number(count)), selection, BatchKind.RESEND))
    return found


async def view_status(session: AsyncSession, *, house: House, now: datetime) -> StatusView:
    """How things stand: people, systems with work waiting, the last readings, open batches."""
    stages = {
        row.stage: row.n
        for row in await session.execute(select(StudentRow.stage, func.count().label("n")).group_by(StudentRow.stage))
    }
    accounts = await session.scalar(select(func.count()).select_from(AccountRow)) or 0
    licensed = await session.scalar(select(func.count()).select_from(AccountRow).where(AccountRow.licensed)) or 0
    moodle = await session.scalar(select(func.count(MoodleUserRow.student_id.distinct()))) or 0
    waiting = await session.execute(
        select(StepRow.kind, func.count().label("n"))
        .join(BatchRow, BatchRow.id == StepRow.batch_id)
        .where(BatchRow.state == BatchState.RUNNING, StepRow.state.in_([StepState.DUE, StepState.RUNNING]))
        .group_by(StepRow.kind)
    )
    by_system = dict.fromkeys(_SYSTEMS, 0)
    for row in waiting:
        by_system[system_of(row.kind)] += row.n
    notes = await system_notes(session, zone=house.zone, now=now)
    systems = [SystemState(_SYSTEMS[one], count, notes.get(one, "")) for one, count in by_system.items()]
    if System.SIAL in notes:
        systems.append(SystemState("SIAL", 0, notes[System.SIAL]))
    runs = await ingest_db.latest_runs(session, since=now - timedelta(days=7))
    runs |= {one.source_list: one for one in await ingest_db.waiting_runs(session)}
    return StatusView(
        students=tuple((stage, stages.get(stage, 0)) for stage in Stage),
        with_account=accounts,
        licensed=licensed,
        with_moodle=moodle,
        held=sum(count for _reason, count in await ingest_db.held_by_reason(session)),
        systems=tuple(systems),
        last_ingest=tuple(list_report(runs[one]) for one in SourceList if one in runs),
        open_batches=tuple(_waiting_batch(row) for row in await batches.open_batches(session)),
    )


async def view_batches(session: AsyncSession, *, limit: int = 10) -> tuple[BatchLine, ...]:
    """The newest batches."""
    return tuple(
        BatchLine(batch_code(row.id), _title(row), row.state, row.students, row.requested_by_name, row.requested_at)
        for row in await batches.latest(session, limit=limit)
    )


def _title(row: BatchRow) -> str:
    return batch_title(row.kind, options_from(row.options))
