"""`deriva`: accounts and enrolments that are otherwise than Lucy knows them, what to do about each kind, since when."""

from cards import wording
from cards.layout import bullets, heading, section, sheet
from cards.parts import Block, Container, RichText
from lucy.domain import course_drift
from lucy.domain.drift import in_words, remedy
from lucy.domain.views import Frame
from lucy.domain.views_accounts import CourseDriftGroup, DriftGroup, DriftView
from lucy.texts import _, number, plural


def drift_card(view: DriftView, frame: Frame) -> dict[str, object]:
    body: list[Block] = [heading(_("Deriva"), frame, about=_about(view, frame))]
    if view.checked_at is not None and not (view.groups or view.courses):
        body.append(RichText(_("Todo está en Entra y en Moodle como Lucy lo conoce.")))
    body += [
        section(_title(group), [RichText(remedy(group.drift)), *bullets(_lines(group, frame))]) for group in view.groups
    ]
    body += [_courses(group, frame) for group in view.courses]
    return sheet(body, summary(view))


def _courses(group: CourseDriftGroup, frame: Frame) -> Container:
    lines = [f"{wording.clip(course, 60)}: {number(count)}" for course, count in group.courses]
    if rest := group.count - sum(count for _course, count in group.courses):
        lines.append(plural("{n} más, en otros cursos", "{n} más, en otros cursos", rest))
    title = f"{_enrolments(group.count)}: {course_drift.in_words(group.drift)}"
    since = wording.age(group.since, frame)
    text = f"{course_drift.remedy(group.drift)} ({since})"
    return section(title, [RichText(text), *bullets(lines)])


def _enrolments(count: int) -> str:
    return plural("{n} matriculación", "{n} matriculaciones", count)


def summary(view: DriftView) -> str:
    what = [_title(group) for group in view.groups]
    what += [f"{_enrolments(group.count)}: {course_drift.in_words(group.drift)}" for group in view.courses]
    return _("Deriva: {what}").format(what=wording.clip(wording.listed(what), 400) or _("sin diferencias"))


def _about(view: DriftView, frame: Frame) -> str:
    if view.asked:
        return _("Preguntando a Entra y a Moodle…")
    if view.checked_at is None:
        return _("Todavía no se revisó. Se revisa solo cada mañana; ahora: «deriva verificar».")
    checked = _("Revisado el {when}").format(when=wording.when(view.checked_at, frame))
    if view.whole_at is None:
        return checked
    return wording.dotted((checked, _("todas, el {when}").format(when=wording.when(view.whole_at, frame))))


def _title(group: DriftGroup) -> str:
    count = plural("{n} cuenta", "{n} cuentas", group.count)
    return f"{count}: {in_words(group.drift)}"


def _lines(group: DriftGroup, frame: Frame) -> list[str]:
    lines = [wording.dotted((one.document or _("sin alumno"), wording.age(one.since, frame))) for one in group.oldest]
    if rest := group.count - len(group.oldest):
        lines.append(plural("{n} más", "{n} más", rest))
    return lines
