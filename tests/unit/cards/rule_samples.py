"""Views of rules, of drift, of letters, of settings."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from cards import drift, letters, rules, settings, trial_letter
from lucy.domain.course_drift import CourseDrift
from lucy.domain.drift import Drift
from lucy.domain.error_codes import explain
from lucy.domain.letters import TemplateState
from lucy.domain.views_accounts import CourseDriftGroup, DriftGroup, DriftLine, DriftView
from lucy.domain.views_courses import CourseLine, RuleLine, RulesView, RuleTestView
from lucy.domain.views_letters import LetterLine, LetterView, TrialLetterView
from tests.unit.cards.batch_samples import AT, LONG

_RULES = RulesView(
    (
        RuleLine("ADM-1", "LA · presencial · aspirantes", problems=(explain("M-005"),), checked=True),
        RuleLine("CONT-1", "CP · a distancia", checked=True),
        RuleLine("CONT-1-01", "CP · comisión 01, 02", active=False),
        RuleLine("posgrado:TALLER", "todos", problems=(explain("M-013"), explain("M-014")), checked=True),
    ),
    AT - timedelta(hours=2),
)
_LETTERS = (
    LetterLine("bienvenida", "La bienvenida a preinscriptos y aspirantes", 0),
    LetterLine("credenciales", "La primera contraseña de una cuenta nueva", 3, "Carla", AT - timedelta(days=2), 4),
)
_LETTER = LetterView(
    name="credenciales",
    means="La primera contraseña de una cuenta nueva",
    places=("nombre", "password", "upn"),
    subject="Tu cuenta está lista",
    html="<p>Hola, {nombre}:</p>\n<p>{upn}</p>\n<p>{password}</p>\n",
    text="Hola, A●●●:\n\na●●●@eco.unrc.edu.ar\n\n●●●●●●●●\n",
    version=4,
    newest=4,
    id=9,
    state=TemplateState.PROPOSED,
    by="Carla",
    at=AT - timedelta(minutes=5),
    changes=("-Tu cuenta", "+Tu cuenta está lista"),
    before=("versión 3, Carla, 21/11 10:00: sale",),
)
_TRIED = replace(_LETTER, tried_at=AT, students=4812)
_TEST = RuleTestView(
    "Ana Suárez",
    "DNI ●●●●3456",
    "CP a distancia, comisión 01; aspirante",
    (
        CourseLine("CONT-1-01", "por CP a distancia, comisión 01"),
        CourseLine("INGRESO-2026", "por su etapa, aspirante"),
    ),
    (
        CourseLine("CONT-1", "le gana la regla que nombra su comisión"),
        CourseLine("ADM-1", "es para LA; es presencial"),
    ),
)
_DRIFT = DriftView(
    tuple(
        DriftGroup(kind, count, (DriftLine("●●●●5432", AT - timedelta(days=3)), DriftLine("", AT - timedelta(hours=1))))
        for count, kind in enumerate(Drift, 2)
    ),
    AT - timedelta(hours=1),
    AT - timedelta(days=2),
    tuple(
        CourseDriftGroup(kind, 40 * count, (("CONT-1", 30), ("posgrado:TALLER", 2)), AT - timedelta(days=count))
        for count, kind in enumerate(CourseDrift, 1)
    ),
)
_EXAMPLES = ("config umbral.activar 6000", "config umbral.activar por defecto")
_SETTINGS = {
    "Cuántas personas aprueban": [
        "aprobaciones.activar: 1 (por defecto)",
        "aprobaciones.deshacer: 2 (Carla, 24/11 08:10)",
    ],
    "Umbrales": ["umbral.activar: 6000 (Carla, 24/11 08:10)"],
    "Lo demás": ["fases: — (por defecto)"],
}
_MANY = tuple(replace(line, course=LONG, problems=(LONG,)) for line in _RULES.lines) * 40

RULES_AND_DRIFT: dict[str, Any] = {
    "rules": (rules.rules_card, rules.summary, _RULES),
    "rules-none": (rules.rules_card, rules.summary, RulesView(())),
    "rules-many": (rules.rules_card, rules.summary, replace(_RULES, lines=_MANY)),
    "rule-test": (rules.rule_test_card, rules.rule_test_summary, _TEST),
    "rule-test-none": (rules.rule_test_card, rules.rule_test_summary, replace(_TEST, given=(), others=())),
    "rule-test-many": (
        rules.rule_test_card,
        rules.rule_test_summary,
        replace(_TEST, name=LONG, given=_TEST.given * 60, others=_TEST.others * 60),
    ),
    "drift": (drift.drift_card, drift.summary, _DRIFT),
    "drift-none": (drift.drift_card, drift.summary, replace(_DRIFT, groups=(), courses=())),
    "drift-never": (drift.drift_card, drift.summary, DriftView(())),
    "trial-sending": (trial_letter.trial_letter_card, trial_letter.summary, TrialLetterView("a●●●@example.com", LONG)),
    "trial-accepted": (
        trial_letter.trial_letter_card,
        trial_letter.summary,
        TrialLetterView("a●●●@example.com", "Carla", finished=True, reply="250 2.0.0 4F9C"),
    ),
    "trial-refused": (
        trial_letter.trial_letter_card,
        trial_letter.summary,
        TrialLetterView("a●●●@example.com", "Carla", finished=True, code="E-005", reply="535 5.7.8 at AUTH"),
    ),
    "letters": (letters.letters_card, letters.letters_summary, _LETTERS),
    "letter-own": (
        letters.letter_card,
        letters.letter_summary,
        replace(_LETTER, version=0, id=0, state=TemplateState.LIVE, by="", at=None, changes=(), before=()),
    ),
    "letter-trying": (letters.letter_card, letters.letter_summary, _LETTER),
    "letter-tried": (letters.letter_card, letters.letter_summary, _TRIED),
    "letter-failing": (
        letters.letter_card,
        letters.letter_summary,
        replace(_TRIED, failed=12, failures=("●●●●3456 (n.º 7): no tiene {nombre}",) * 10),
    ),
    "letter-refused": (
        letters.letter_card,
        letters.letter_summary,
        replace(_TRIED, state=TemplateState.REJECTED, decided_by="Bruno", decided_at=AT, reason="No se entiende"),
    ),
    "letter-long": (
        letters.letter_card,
        letters.letter_summary,
        replace(_TRIED, by=LONG, changes=("+" + LONG * 3,) * 60, text="palabra " * 900, before=(LONG,) * 20),
    ),
    "letter-drawn": (
        letters.letter_card,
        letters.letter_summary,
        replace(_TRIED, picture="https://lucy.example.edu/cartas/imagen/" + "t" * 43, linkable=True),
    ),
    "letter-page": (
        letters.page_card,
        lambda page: letters.page_summary(page),
        letters.LetterPage("credenciales", "https://lucy.example.edu/cartas/" + "t" * 43, 15),
    ),
    "letter-form": (
        lambda view, frame: letters.letter_form(view, frame, subject=view.subject, html=view.html),
        letters.form_summary,
        _TRIED,
    ),
    "letter-form-faults": (
        lambda view, frame: letters.letter_form(
            view, frame, subject=view.subject, html="<p>x</p>" * 2000, faults=("Línea 4: hay una llave suelta",) * 15
        ),
        letters.form_summary,
        _TRIED,
    ),
    "settings": (lambda view, frame: settings.settings_card(view, _EXAMPLES, frame), settings.summary, _SETTINGS),
    "settings-many": (
        lambda view, frame: settings.settings_card(view, _EXAMPLES, frame),
        settings.summary,
        {name: [LONG * 4] * 15 for name in _SETTINGS},
    ),
}
