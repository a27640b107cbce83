"""Views with long, accented, fictitious names: one of every card and of every state of a batch."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from cards import (
    aside,
    audit,
    batch,
    batch_rows,
    batches,
    download,
    help,
    ingest,
    notice,
    outage,
    report,
    status,
    student,
    waiting,
    welcome,
    why,
)
from lucy.domain.ingest_guard import Comparison, HeldRun
from lucy.domain.operations import BatchKind
from lucy.domain.source import Likeness
from lucy.domain.steps import StepState
from lucy.domain.students import SourceList, Stage
from lucy.domain.views import (
    AuditLine,
    AuditView,
    BatchLine,
    BatchRow,
    BatchRows,
    CourseState,
    Happening,
    HelpEntry,
    HelpView,
    OutageView,
    Proposal,
    ReportView,
    StatusView,
    StudentView,
    SystemState,
    WaitingBatch,
    WaitingView,
    WelcomeView,
)
from lucy.domain.views_ingest import AlikeGroup, HeldLine, HeldReason, HeldView, ListReport, Waiting
from lucy.domain.views_why import Because, WhyView
from tests.unit.cards.batch_samples import APPROVERS, AT, BATCHES, FRAME, LONG, REQUESTER, B, K
from tests.unit.cards.rule_samples import RULES_AND_DRIFT
from tests.unit.cards.trouble_samples import TROUBLE

STEPS_OF_ONE = (
    (K.ACCOUNT, "", StepState.DONE),
    (K.LICENCE, "", StepState.DONE),
    (K.CREDENTIALS_MAIL, "", StepState.FAILED),
    (K.MOODLE_USER, "", StepState.DONE),
    (K.ENROLMENT, "INGRESO-2026", StepState.DONE),
    (K.ENROLMENT, "CONT-1", StepState.DUE),
)

ROWS = BatchRows(
    "L-0122",
    37,
    1,
    (
        BatchRow("Etchegaray Güiraldes, María Ñusta", "40.123.456", STEPS_OF_ONE),
        BatchRow(LONG, "9.876.543", tuple((kind, target, StepState.DUE) for kind, target, _ in STEPS_OF_ONE)),
        BatchRow("O'Higgins, Íñigo", "95.000.111", ()),
    ),
    number=122,
    version=3,
)

REASONED = replace(
    ROWS,
    rows=(
        replace(
            ROWS.rows[0],
            steps=(*STEPS_OF_ONE, (K.UNENROL, "ADM-1", StepState.SKIPPED), (K.NEW_SECRET, "", StepState.SKIPPED)),
            reasons=("E-004: la casilla no existe o no acepta correo",),
            conflicts=((K.UNENROL, "ADM-1"),),
        ),
        replace(ROWS.rows[1], steps=(), reasons=("cambió la carrera", "cambió el correo personal")),
    ),
)

LISTS = (
    ListReport(SourceList.ASPIRANTES, AT, seen=412, new=37, changed=5, held=3),
    ListReport(SourceList.INGRESANTES, AT, seen=1284),
    ListReport(SourceList.PREINSCRIPTOS, None, failed="SIAL no contestó. Se vuelve a leer todo en la próxima ingesta."),
)
WAITING = (
    WaitingBatch("L-0121", "Activación completa", 12, REQUESTER, AT - timedelta(days=2, hours=1)),
    WaitingBatch("L-0120", "Activación completa", 1284, REQUESTER, AT - timedelta(days=1, hours=3), held=True),
    WaitingBatch("L-0122", "Activación completa", 37, REQUESTER, AT),
)
NUDGE = WaitingView(
    "L-0121",
    121,
    3,
    "Activación completa",
    12,
    REQUESTER,
    AT - timedelta(days=2, hours=1),
    expires_at=AT + timedelta(days=1),
    mentions=((APPROVERS[0], "29:1aBc"), (APPROVERS[1], "29:2dEf"), ("Nadie En Teams", "")),
)


def _waits(why: HeldRun, *, changed: int, unchanged: int) -> ListReport:
    compared = Comparison(True, 412, new=1, changed=changed, unchanged=unchanged)
    return ListReport(SourceList.ASPIRANTES, None, seen=1 + changed + unchanged, run=7, waits=Waiting(why, compared))


ASIDE = HeldView(
    (
        HeldReason("sin correo válido", "Registro de Alumnos", 31),
        HeldReason("con una carrera desconocida", "un administrador: reglas", 1),
        HeldReason("sin respuesta de SIAL para sus datos: se vuelve a leer en la próxima ingesta", "", 2),
    ),
    (
        HeldLine(
            SourceList.ASPIRANTES, "40.***.**6", "sin correo válido", "", "Registro de Alumnos", AT - timedelta(days=3)
        ),
        HeldLine(SourceList.INGRESANTES, "", "sin correo válido", "", "Registro de Alumnos", AT - timedelta(hours=3)),
        HeldLine(
            SourceList.PREINSCRIPTOS,
            "41.***.**0",
            "con una carrera desconocida",
            "99",
            "un administrador: reglas",
            AT - timedelta(days=30),
        ),
    ),
    (
        AlikeGroup(Likeness.NUMBER, 1, (("DNI ●●●●5432", "LE ●●●●5432"),)),
        AlikeGroup(Likeness.NAME, 3, (("DNI ●●●●5432", "DNI ●●●●0118"),)),
        AlikeGroup(Likeness.EMAIL, 1, (("DNI ●●●●5432", "DNI ●●●●0118", "DNI ●●●●7766"),)),
    ),
)

REPORT = ReportView(
    date(2026, 11, 24),
    LISTS,
    held=(
        HeldReason("correo inválido", "Registro de Alumnos", 2),
        HeldReason("carrera 99 desconocida", "un administrador", 1),
    ),
    waiting=WAITING,
    new_per_day=tuple(
        (date(2026, 11, 11) + timedelta(days=at), count)
        for at, count in enumerate((4, 0, 0, 12, 18, 9, 3, 0, 0, 0, 7, 22, 30, 37))
    ),
    audit_head="9f3c" + "0a1b2c3d4e5f" * 4 + "77aa99cc0b21",
    audit_events=1284,
    proposals=(
        Proposal("Preparar activación de los 37", "aspirantes nuevos"),
        Proposal("Reemitir las 4 sin estrenar", "carta:sin-estrenar", BatchKind.RESEND),
    ),
    unused=4,
    unused_days=10,
    bounced=3,
    mended=1,
)

STUDENT = StudentView(
    name="María Ñusta Etchegaray Güiraldes",
    document="40.123.456",
    document_type="DNI",
    stage=Stage.ASPIRANTE,
    cohort=2026,
    careers=("Contador Público, a distancia, comisión 01", "Licenciatura en Administración, presencial, comisión 02"),
    personal_email="maria_ñusta.etchegaray@example.com",
    upn="a40123456@eco.unrc.edu.ar",
    account_enabled=True,
    licensed=True,
    letter="aceptada el 24/11 08:15, sin estrenar",
    moodle_username="a40123456@eco.unrc.edu.ar",
    courses=(
        CourseState("INGRESO-2026", "matriculado", AT),
        CourseState("CONT-1", "pendiente"),
    ),
    open_cases=("La carta de bienvenida volvió: la casilla está llena. La corrige Registro de Alumnos.",),
    history=tuple(
        Happening(AT + timedelta(minutes=at), actor, action, outcome, about)
        for at, (actor, action, outcome, about) in enumerate(
            (
                ("Lucy", "student.email_changed", "noted", ""),
                ("Lucy", "step.account", "done", "L-0122"),
                ("Lucy", "step.enrolment", "failed", "CONT-1 · L-0122"),
                ("Lucy", "something.new", "unheard", ""),
            )
        )
    ),
)

WHY = WhyView(
    "María Ñusta Etchegaray Güiraldes",
    "DNI 40.123.456",
    ("aspirante 2026: CP a distancia, comisión 01", "figura en aspirantes, leída el 24/11 02:00"),
    (
        Because(
            "Cuenta",
            holds=True,
            facts=(
                "lo hizo L-0122",
                "Activación completa: la pidió Ana el 24/11 08:07; aprobó Bruno (24/11 08:15)",
                "contestó el 24/11 08:15 (request_id 3f2a)",
            ),
        ),
        Because("Licencia", holds=False, facts=("L-0122 lo intentó y no se pudo: no quedan licencias (T-005)",)),
        Because("CONT-1", holds=True, facts=("le toca por CP a distancia, comisión 01", LONG)),
        Because("ADM-1", holds=False, facts=("es para CP, LA; es presencial",)),
    ),
)

STATUS = StatusView(
    students=((Stage.PREINSCRIPTO, 120), (Stage.ASPIRANTE, 412), (Stage.INGRESANTE, 1284)),
    with_account=1602,
    licensed=1599,
    with_moodle=1580,
    held=3,
    systems=(
        SystemState("Entra y licencias", 0),
        SystemState("Moodle", 340, "no responde desde las 10:02, próximo intento 10:07"),
        SystemState("Correo", 12),
    ),
    last_ingest=LISTS,
    open_batches=WAITING[:1],
)

LINES = tuple(
    BatchLine(f"L-{122 - at:04d}", "Activación completa", state, 37 * (at + 1), REQUESTER, AT - timedelta(days=at))
    for at, state in enumerate((B.RUNNING, B.FINISHED_WITH_FAILURES, B.EXPIRED, B.AWAITING_APPROVAL, B.HELD))
)

AUDIT = AuditView(
    lines=(
        AuditLine(AT, REQUESTER, "batch.request.activate", "L-0122", "awaiting_approval", "37 alumnos"),
        AuditLine(AT + timedelta(minutes=3), APPROVERS[1], "batch.approve", "L-0122", "approved"),
        AuditLine(AT + timedelta(minutes=3), "Lucy", "step.credentials_mail", "●●●●5432", "failed", "E-004"),
    ),
    total=1284,
    sealed=1280,
    head=REPORT.audit_head,
    intact=True,
    filter="lote:L-0122",
)

HELP = HelpView(
    "operador",
    (
        HelpEntry("estado", "cómo está todo"),
        HelpEntry("alumno <dni|texto>", "todo lo que se sabe de un alumno", "alumno 40.123.456"),
        HelpEntry(
            "activar <selección>", "pide cuentas, licencias, cartas y cursos", "activar aspirantes nuevos correo:no"
        ),
    ),
)

NOTICE = notice.Notice(
    "Nadie cumple lo que pediste",
    "Nadie cumple «aspirantes carrera:TGA sin:cuenta». No se creó ningún lote.\nLos más parecidos: carrera:TGE (12).",
    ("activar aspirantes carrera:TGE sin:cuenta", "ayuda"),
)

DOWNLOAD = download.DownloadOffer(122, "L-0122", 3, "https://lucy.example.edu/descargas/" + "aB3_-" * 8 + "xyz", 15)
OUTAGE = OutageView(
    "Moodle",
    AT,
    340,
    next_try_at=AT + timedelta(minutes=5),
    code="M-010",
)


def _outage(view: OutageView) -> tuple[Callable[..., dict[str, object]], Callable[..., str], OutageView]:
    return outage.outage_card, lambda shown: outage.summary(shown, FRAME), view


Drawn = tuple[Callable[..., dict[str, object]], Callable[..., str], Any]


def _nudged(view: WaitingView) -> str:
    return waiting.summary(view, FRAME)


OTHERS: dict[str, Drawn] = {
    "rows": (batch_rows.batch_rows_card, batch_rows.summary, ROWS),
    "rows-last": (batch_rows.batch_rows_card, batch_rows.summary, replace(ROWS, first=35)),
    "rows-many": (
        batch_rows.batch_rows_card,
        batch_rows.summary,
        replace(
            ROWS,
            total=400,
            first=21,
            rows=(replace(ROWS.rows[1], reasons=("cambió la carrera en SIAL " * 20,) * 9),) * 60,
        ),
    ),
    "rows-reasons": (batch_rows.batch_rows_card, batch_rows.summary, REASONED),
    "rows-none": (batch_rows.batch_rows_card, batch_rows.summary, replace(ROWS, rows=(), first=41)),
    "report": (report.report_card, report.summary, REPORT),
    "report-empty": (report.report_card, report.summary, ReportView(date(2026, 11, 25), ())),
    "ingest-running": (ingest.ingest_card, ingest.summary, ListReport(SourceList.ASPIRANTES, None)),
    "ingest-done": (ingest.ingest_card, ingest.summary, replace(LISTS[1], emails=2, released_by="Etchegaray, Bruno")),
    "ingest-short": (ingest.ingest_card, ingest.summary, _waits(HeldRun.SHORT, changed=3, unchanged=200)),
    "ingest-empty": (ingest.ingest_card, ingest.summary, _waits(HeldRun.EMPTY, changed=0, unchanged=0)),
    "ingest-changed": (ingest.ingest_card, ingest.summary, _waits(HeldRun.CHANGED, changed=180, unchanged=232)),
    "aside": (aside.aside_card, aside.summary, ASIDE),
    "aside-none": (aside.aside_card, aside.summary, HeldView((), ())),
    "report-many": (
        report.report_card,
        report.summary,
        replace(
            REPORT,
            held=(HeldReason("correo inválido " * 20, LONG, 2),) * 40,
            waiting=(replace(WAITING[0], requested_by=LONG),) * 40,
            proposals=REPORT.proposals * 9,
        ),
    ),
    "student": (student.student_card, student.summary, STUDENT),
    "student-deeds": (
        lambda view, frame: student.student_card(view, frame, deeds=view.may),
        student.summary,
        replace(STUDENT, id=7, may=(BatchKind.RESEND, BatchKind.ENROL, BatchKind.RESET, BatchKind.DISABLE)),
    ),
    "welcome": (
        welcome.welcome_card,
        welcome.summary,
        WelcomeView("este equipo", ("Carla",), ("Bruno", "Carla"), (), rules=6, channels=1),
    ),
    "welcome-many": (
        welcome.welcome_card,
        welcome.summary,
        WelcomeView(LONG, (LONG,) * 9, (LONG,) * 9, (LONG,) * 2, rules=1, channels=12),
    ),
    "why": (why.why_card, why.summary, WHY),
    "why-many": (why.why_card, why.summary, replace(WHY, name=LONG, things=WHY.things * 9, others=31)),
    "student-bare": (
        student.student_card,
        student.summary,
        StudentView(LONG, "9.876.543", "LE", Stage.PREINSCRIPTO, None, (), ""),
    ),
    "student-many": (
        student.student_card,
        student.summary,
        replace(
            STUDENT,
            name=LONG,
            careers=STUDENT.careers * 10,
            courses=STUDENT.courses * 20,
            open_cases=STUDENT.open_cases * 30,
            history=STUDENT.history * 40,
        ),
    ),
    "status": (status.status_card, status.summary, STATUS),
    "status-quiet": (
        status.status_card,
        status.summary,
        replace(STATUS, systems=STATUS.systems[:1], last_ingest=(), open_batches=()),
    ),
    "batches": (batches.batches_card, batches.summary, LINES),
    "batches-none": (batches.batches_card, batches.summary, ()),
    "batches-many": (batches.batches_card, batches.summary, LINES * 20),
    "audit": (audit.audit_card, audit.summary, AUDIT),
    "audit-broken": (audit.audit_card, audit.summary, replace(AUDIT, intact=False)),
    "audit-empty": (audit.audit_card, audit.summary, AuditView((), 0, 0, "")),
    "audit-many": (audit.audit_card, audit.summary, replace(AUDIT, lines=AUDIT.lines * 30)),
    "help": (help.help_card, help.summary, HELP),
    "help-none": (help.help_card, help.summary, HelpView("")),
    "help-many": (help.help_card, help.summary, replace(HELP, entries=HELP.entries * 20)),
    "waiting": (waiting.waiting_card, _nudged, NUDGE),
    "waiting-decided": (
        waiting.waiting_card,
        _nudged,
        replace(NUDGE, outcome="L-0121 ya la aprobó Óscar Peñaloza el 24/11/2026 a las 08:15."),
    ),
    "waiting-held": (waiting.waiting_card, _nudged, replace(NUDGE, held=True, mentions=(), expires_at=None)),
    "waiting-many": (
        waiting.waiting_card,
        _nudged,
        replace(NUDGE, title=LONG, requested_by=LONG, mentions=((LONG, "29:" + "x" * 80),) * 40),
    ),
    "download": (download.download_card, download.summary, DOWNLOAD),
    "outage": _outage(OUTAGE),
    "outage-overnight": _outage(
        replace(OUTAGE, name="El servidor de correo", waiting=1, next_try_at=AT + timedelta(hours=20), code="")
    ),
    "outage-over": _outage(replace(OUTAGE, closed_at=AT + timedelta(minutes=19))),
    "outage-over-next-day": _outage(replace(OUTAGE, waiting=1, closed_at=AT + timedelta(hours=23))),
    "outage-unneeded": _outage(replace(OUTAGE, waiting=0, closed_at=AT + timedelta(minutes=19))),
    "outage-first-seen": _outage(replace(OUTAGE, waiting=0, next_try_at=None)),
    "notice": (notice.notice_card, notice.summary, NOTICE),
}

DRAWN: dict[str, Drawn] = {
    **{f"batch-{name}": (batch.batch_card, batch.summary, view) for name, view in BATCHES.items()},
    **{f"batch-{name}": (batch.batch_card, batch.summary, view) for name, view in TROUBLE.items()},
    **OTHERS,
    **RULES_AND_DRIFT,
}


def draw(name: str) -> dict[str, object]:
    card, _, view = DRAWN[name]
    return card(view, FRAME)


def summarise(name: str) -> str:
    _, summary, view = DRAWN[name]
    return summary(view)
