"""The first thing somebody asks of a batch's spreadsheet: what it was, who wanted it, how far it came and why not."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lucy.domain import sheet_words
from lucy.domain.batch_sheet import Reason, Value
from lucy.domain.batches import BatchState
from lucy.domain.views import Approval, Tally
from lucy.texts import _

Row = Sequence[Value]

WIDTHS = (30, 34, 22, 14, 14, 14, 14, 14, 14, 14)


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """A batch without its rows. `made_at` is when the spreadsheet was; `zone` the one its times are in."""

    code: str
    title: str
    state: BatchState
    students: int
    selection: str
    requested_by: str
    requested_at: datetime
    approvals: tuple[Approval, ...]
    decided_by: str
    decided_at: datetime | None
    reason: str
    started_at: datetime | None
    finished_at: datetime | None
    tallies: tuple[Tally, ...]
    environment: str
    zone: str
    made_at: datetime


def facts_rows(facts: BatchFacts) -> list[Row]:
    """Names and values."""
    rows: list[Row] = [
        (_("Lote"), facts.code),
        (_("Operación"), facts.title),
        (_("Estado"), sheet_words.batch_state(facts.state)),
        (_("Alumnos"), facts.students),
        (_("Selección"), facts.selection),
        (_("Pedido por"), facts.requested_by, facts.requested_at),
        *_decisions(facts),
    ]
    if facts.reason:
        rows.append((_("Motivo"), facts.reason))
    rows += [(name, moment) for name, moment in _moments(facts) if moment]
    return [*rows, (_("Entorno"), facts.environment), (_("Hora de"), facts.zone)]


def _decisions(facts: BatchFacts) -> list[Row]:
    """Every yes; then who stopped it. A batch of before approvals were kept one by one has one decision."""
    rows: list[Row] = [(_("Aprobado por"), one.name, one.at) for one in facts.approvals]
    stopped = {BatchState.REJECTED: _("Rechazado por"), BatchState.CANCELLED: _("Cancelado por")}
    if facts.decided_by and (facts.state in stopped or not rows):
        rows.append((stopped.get(facts.state, _("Aprobado por")), facts.decided_by, facts.decided_at))
    return rows


def _moments(facts: BatchFacts) -> list[tuple[str, datetime | None]]:
    return [
        (_("Empezó"), facts.started_at),
        (_("Terminó"), facts.finished_at),
        (_("Planilla hecha"), facts.made_at),
    ]


def tally_rows(tallies: Sequence[Tally]) -> list[Row]:
    """A heading, then how far the steps of each kind are."""
    heading = (
        _("Paso"),
        _("Hecho"),
        _("Ya estaba"),
        _("Falló"),
        _("Quedó afuera"),
        _("No se hizo"),
        _("No se deshizo"),
        _("Cancelado"),
        _("Por hacer"),
        _("Total"),
    )
    return [
        heading,
        *(
            (
                sheet_words.column(one.kind),
                one.done,
                one.already,
                one.failed,
                one.dropped,
                one.skipped,
                one.conflicts,
                one.cancelled,
                one.left,
                one.total,
            )
            for one in tallies
        ),
    ]


def reason_rows(counts: Mapping[Reason, int]) -> list[Row]:
    """A heading, then the reasons, the most frequent first."""
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0].code, pair[0].text))
    rows: list[Row] = [(reason.code or None, reason.text, reason.who, count) for reason, count in ordered]
    return [(_("Código"), _("Motivo"), _("Quién corrige"), _("Alumnos")), *rows]
