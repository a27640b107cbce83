"""`reglas`: who belongs in which course, and what is wrong with a course; `reglas probar`: one student against them."""

from cards import wording
from cards.layout import bullets, heading, section, sheet, small
from cards.parts import Block, RichText
from lucy.domain.views import Frame
from lucy.domain.views_courses import CourseLine, RuleLine, RulesView, RuleTestView
from lucy.texts import _, plural

LINES_SHOWN = 40
OTHERS_SHOWN = 12


def rules_card(view: RulesView, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_("Reglas de cursos"), frame, about=_about(view, frame))]
    if not view.lines:
        body.append(RichText(_("No hay ninguna regla: nadie recibe cursos. Un administrador las carga.")))
    wrong = [line for line in view.lines if line.problems and line.active]
    if wrong:
        title = plural("{n} regla con problemas", "{n} reglas con problemas", len(wrong))
        texts = [f"{line.course}: {wording.clip(' '.join(line.problems), 240)}" for line in wrong[:LINES_SHOWN]]
        body.append(section(title, bullets(list(dict.fromkeys(texts)))))
    shown = view.lines[:LINES_SHOWN]
    if shown:
        body.append(section(_("Qué curso, para quién"), bullets([_rule(line) for line in shown])))
    if len(view.lines) > len(shown):
        body.append(small(plural("{n} regla más", "{n} reglas más", len(view.lines) - len(shown))))
    return sheet(body, summary(view))


def summary(view: RulesView) -> str:
    return _("Reglas de cursos: {total}").format(total=plural("{n} regla", "{n} reglas", len(view.lines)))


def _about(view: RulesView, frame: Frame) -> str:
    if view.asked:
        return _("Preguntando a Moodle por cada curso…")
    if view.checked_at is None:
        return _("Los cursos todavía no se revisaron en Moodle: «reglas verificar».")
    return _("Cursos revisados en Moodle el {when}").format(when=wording.when(view.checked_at, frame))


def _rule(line: RuleLine) -> str:
    text = _("{course}: {who}").format(course=wording.clip(line.course, 60), who=wording.clip(line.who, 160))
    return text if line.active else _("{rule} (apagada)").format(rule=text)


def rule_test_card(view: RuleTestView, frame: Frame) -> dict[str, object]:
    title = wording.dotted((_("Qué cursos le tocan"), wording.clip(view.name, 80), view.document))
    body: list[Block] = [heading(title, frame, about=wording.clip(view.about, 200))]
    if view.given:
        body.append(section(_("Le tocan"), bullets([_course(line) for line in view.given[:LINES_SHOWN]])))
    else:
        body.append(RichText(_("Ninguna regla le da un curso.")))
    others = view.others[:OTHERS_SHOWN]
    if others:
        body.append(section(_("No le tocan"), bullets([_course(line) for line in others])))
    if len(view.others) > len(others):
        body.append(small(plural("{n} curso más", "{n} cursos más", len(view.others) - len(others))))
    return sheet(body, rule_test_summary(view))


def rule_test_summary(view: RuleTestView) -> str:
    courses = wording.listed(line.course for line in view.given) or _("ninguno")
    return _("Cursos de {name}: {courses}").format(name=wording.clip(view.name, 80), courses=wording.clip(courses, 200))


def _course(line: CourseLine) -> str:
    return f"{wording.clip(line.course, 60)}: {wording.clip(line.why, 200)}"
