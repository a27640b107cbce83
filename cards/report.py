"""The nightly report: what the lists brought, what is put aside, what waits, what may be done next."""

from datetime import date

from cards import wording
from cards.actions import Execute
from cards.layout import bullets, fingerprint, heading, labelled, section, sheet, small
from cards.parts import MAX_ACTIONS, Action, Block, RichText, Run
from cards.verbs import Verb
from lucy.domain.ingest_guard import HeldRun
from lucy.domain.operations import BatchKind
from lucy.domain.views import Frame, Proposal, ReportView, WaitingBatch
from lucy.domain.views_ingest import HeldReason, ListReport, Waiting
from lucy.texts import _, number, plural

LEVELS = "▁▂▃▄▅▆▇█"
NONE = "·"
LINES_SHOWN = 10


def report_card(view: ReportView, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_title(view), frame)]
    body += [list_line(report) for report in view.lists] or [RichText(_("No se leyó ninguna lista."))]
    body += [
        *_chart(view.new_per_day),
        *_held(view.held),
        *_open_cases(view),
        *_waiting(view.waiting, frame),
        *_chain(view),
    ]
    proposals: list[Action] = [
        Execute(wording.clip(one.label, 60), Verb.BATCH_PROPOSE, _asks(one)) for one in view.proposals[:MAX_ACTIONS]
    ]
    return sheet(body, summary(view), proposals)


def summary(view: ReportView) -> str:
    lists = [f"{wording.source_list(report.source_list)}: {list_text(report)}" for report in view.lists]
    return ". ".join([_title(view), *lists]) + "."


def list_line(report: ListReport) -> RichText:
    return labelled(wording.source_list(report.source_list), list_text(report), spacing="small")


def list_text(report: ListReport) -> str:
    """412 en SIAL, 37 nuevos, 5 con cambios, 3 apartados."""
    if report.failed:
        return _("no se pudo leer. {why}").format(why=wording.clip(report.failed, 240)).rstrip(".")
    if report.waits is not None:
        return waits_text(report.waits)
    pieces = [_("{n} en SIAL").format(n=number(report.seen))]
    if not (report.new or report.changed or report.held):
        return wording.listed([*pieces, _("sin novedades")])
    if report.new:
        pieces.append(plural("{n} nuevo", "{n} nuevos", report.new))
    if report.changed:
        pieces.append(plural("{n} con cambios", "{n} con cambios", report.changed))
    if report.held:
        pieces.append(plural("{n} apartado", "{n} apartados", report.held))
    if report.emails:
        pieces.append(plural("{n} con cuenta cambió de correo", "{n} con cuenta cambiaron de correo", report.emails))
    return wording.listed(pieces)


def waits_text(waiting: Waiting) -> str:
    """Nothing was written: what is unusual about the reading."""
    seen = waiting.comparison
    known = plural("{n} conocido", "{n} conocidos", seen.on_list)
    if waiting.why is HeldRun.EMPTY:
        text = _("SIAL contestó con la lista vacía, y tenía {known}. No se aplicó nada: alguien tiene que decidir")
        return text.format(known=known)
    if waiting.why is HeldRun.SHORT:
        text = _("faltan {n} de {known}. No se aplicó nada: alguien tiene que decidir")
        return text.format(n=number(seen.missing), known=known)
    text = _("cambiarían {n} de {known}. No se aplicó nada: alguien tiene que decidir")
    return text.format(n=number(seen.changed), known=known)


def spark(counts: list[int]) -> str:
    """One sign per day, its height by the largest; a day without any is a dot."""
    top = max(counts, default=0)
    return "".join(LEVELS[(count * len(LEVELS) - 1) // top] if count else NONE for count in counts)


def waiting_text(batch: WaitingBatch, frame: Frame) -> str:
    """L-0121 · Activación completa · 12 alumnos, pedida por Ana, espera hace 2 días."""
    name = wording.dotted((batch.code, batch.title, wording.students(batch.students)))
    state = _("retenida {age}") if batch.held else _("espera {age}")
    return _("{batch}, pedida por {name}, {state}").format(
        batch=name, name=batch.requested_by, state=state.format(age=wording.age(batch.since, frame))
    )


def _asks(one: Proposal) -> dict[str, object]:
    """An activation is what a card from before there were others asks for."""
    kind = {} if one.kind is BatchKind.ACTIVATE else {"kind": one.kind.value}
    return {"selection": one.selection, **kind}


def _title(view: ReportView) -> str:
    return _("Informe de la noche · {day}").format(day=wording.weekday(view.day))


def _open_cases(view: ReportView) -> list[Block]:
    """What nothing is done about by itself: whoever left may come back, and a letter needs an address."""
    left = plural(
        "{n} alumno con cuenta ya no figura en ninguna lista de SIAL: deshabilitar ausentes con:cuenta",
        "{n} alumnos con cuenta ya no figuran en ninguna lista de SIAL: deshabilitar ausentes con:cuenta",
        view.absent,
    )
    unsent = plural(
        "{n} alumno espera una contraseña cuya carta no salió: corregir el correo, y reenviar (carta:fallida)",
        "{n} alumnos esperan una contraseña cuya carta no salió: corregir el correo, y reenviar (carta:fallida)",
        view.unsent,
    )
    leaks = plural(
        "Hay un secreto en {n} lugar donde no puede estar: cambialo ya, y mirá dónde con lucy check --canaries",
        "Hay secretos en {n} lugares donde no pueden estar: cambialos ya, y mirá dónde con lucy check --canaries",
        view.leaks,
    )
    unused = plural(
        "Sin uso: {n} credencial enviada hace más de {{days}} días que nadie estrenó",
        "Sin uso: {n} credenciales enviadas hace más de {{days}} días que nadie estrenó",
        view.unused,
    ).format(days=number(view.unused_days))
    bounced = plural(
        "{n} carta rebotó, y en SIAL sigue el mismo correo: lo corrige Registro de Alumnos (carta:rebotada)",
        "{n} cartas rebotaron, y en SIAL sigue el mismo correo: los corrige Registro de Alumnos (carta:rebotada)",
        view.bounced,
    )
    mended = plural(
        "{n} carta rebotó, y en SIAL ya hay otro correo: falta reemitirla",
        "{n} cartas rebotaron, y en SIAL ya hay otro correo: falta reemitirlas",
        view.mended,
    )
    cases = (
        (leaks, view.leaks),
        (unsent, view.unsent),
        (bounced, view.bounced),
        (mended, view.mended),
        (unused, view.unused),
        (left, view.absent),
    )
    told = [text for text, count in cases if count]
    return [section(_("Casos abiertos"), bullets(told))] if told else []


def _chart(per_day: tuple[tuple[date, int], ...]) -> list[Block]:
    """Bars made of text, and the same in words."""
    if not per_day:
        return []
    counts = [count for _day, count in per_day]
    first, last = f"{per_day[0][0]:%d/%m}", f"{per_day[-1][0]:%d/%m}"
    title = _("Nuevos por día, del {first} al {last}").format(first=first, last=last)
    total = plural("{n} en total", "{n} en total", sum(counts))
    top_day, top = max(per_day, key=lambda one: one[1])
    words = _("{total}, el día con más fue el {day} con {top}").format(
        total=total, day=f"{top_day:%d/%m}", top=number(top)
    )
    if not top:
        return [section(title, [small(_("ninguno"))])]
    return [section(title, [RichText(Run(spark(counts), mono=True, size="large"), spacing="small"), small(words)])]


def _held(held: tuple[HeldReason, ...]) -> list[Block]:
    if not held:
        return []
    title = _("Apartados ({n})").format(n=number(sum(one.count for one in held)))
    lines = []
    for one in held[:LINES_SHOWN]:
        text = plural("{n} {{reason}} (lo corrige {{who}})", "{n} {{reason}} (los corrige {{who}})", one.count)
        if not one.who:
            text = number(one.count) + " {reason}"
        lines.append(text.format(reason=wording.clip(one.reason, 160), who=one.who))
    if rest := held[LINES_SHOWN:]:
        lines.append(_("{n} por otros motivos").format(n=number(sum(one.count for one in rest))))
    return [section(title, bullets(lines))]


def _waiting(waiting: tuple[WaitingBatch, ...], frame: Frame) -> list[Block]:
    if not waiting:
        return []
    lines = [waiting_text(one, frame) for one in waiting[:LINES_SHOWN]]
    if rest := len(waiting) - LINES_SHOWN:
        lines += [plural("{n} lote más", "{n} lotes más", rest)] if rest > 0 else []
    title = _("Para decidir ({n})").format(n=number(len(waiting)))
    return [section(title, bullets(lines))]


def _chain(view: ReportView) -> list[Block]:
    """The whole head: the channel keeps it as a witness."""
    if not view.audit_head:
        return []
    events = plural("{n} evento", "{n} eventos", view.audit_events)
    title = _("Cierre de auditoría: {events}").format(events=events)
    return [section(title, [small(fingerprint(view.audit_head), mono=True)])]
