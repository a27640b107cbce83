"""How things stand: students, outside systems, the last night, open batches."""

from cards import wording
from cards.layout import bullets, heading, labelled, section, sheet
from cards.parts import Block, FactSet, RichText
from cards.report import list_text, waiting_text
from lucy.domain.views import Frame, StatusView, SystemState
from lucy.domain.views_ingest import ListReport
from lucy.texts import _, number, plural

BATCHES_SHOWN = 10


def status_card(view: StatusView, frame: Frame) -> dict[str, object]:
    when = _("Al {when}").format(when=wording.when(frame.drawn_at, frame))
    body: list[Block] = [heading(_("Estado"), frame, state=_state(view), about=when), FactSet(_facts(view))]
    if view.systems:
        lines = [_system(system) for system in view.systems]
        body.append(section(_("Sistemas"), lines))
    if view.last_ingest:
        lines = [_ingest(report, frame) for report in view.last_ingest]
        body.append(section(_("Última ingesta"), lines))
    body.append(_batches(view, frame))
    return sheet(body, summary(view))


def summary(view: StatusView) -> str:
    total = wording.students(sum(count for _stage, count in view.students))
    return _("Estado: {state}, {students}").format(state=_state(view), students=total)


def _state(view: StatusView) -> str:
    waiting = [system.name for system in view.systems if system.note]
    if not waiting:
        return _("Sin novedades de los sistemas")
    return _("Con novedades: {systems}").format(systems=wording.listed(waiting))


def _facts(view: StatusView) -> list[tuple[str, str]]:
    return [
        *((wording.stages(stage), number(count)) for stage, count in view.students),
        (_("Con cuenta"), number(view.with_account)),
        (_("Con licencia"), number(view.licensed)),
        (_("En Moodle"), number(view.with_moodle)),
        (_("Apartados"), number(view.held)),
    ]


def _system(system: SystemState) -> RichText:
    waiting = (
        plural("{n} paso espera", "{n} pasos esperan", system.waiting_steps)
        if system.waiting_steps
        else _("nada en espera")
    )
    return labelled(system.name, wording.dotted((waiting, wording.clip(system.note, 240))), spacing="small")


def _ingest(report: ListReport, frame: Frame) -> RichText:
    moment = f" ({wording.when(report.finished_at, frame)})" if report.finished_at else ""
    return labelled(wording.source_list(report.source_list) + moment, list_text(report), spacing="small")


def _batches(view: StatusView, frame: Frame) -> Block:
    if not view.open_batches:
        return RichText(_("No hay lotes abiertos."))
    lines = [waiting_text(batch, frame) for batch in view.open_batches[:BATCHES_SHOWN]]
    if (rest := len(view.open_batches) - BATCHES_SHOWN) > 0:
        lines.append(plural("{n} lote más", "{n} lotes más", rest))
    title = _("Lotes abiertos ({n})").format(n=number(len(view.open_batches)))
    return section(title, bullets(lines))
