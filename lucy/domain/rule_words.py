"""Course rules in words: for whom one is, why somebody gets a course, why not."""

from collections.abc import Iterable

from lucy.domain.course_rules import CourseReason, CourseRule, Miss, Verdict
from lucy.domain.students import Career, Modality, Stage
from lucy.texts import _

_MODALITIES = {Modality.PRES.value: "presencial", Modality.DIST.value: "a distancia"}
EVERYBODY = "todos"


def for_whom(rule: CourseRule) -> str:
    """CP, LA · a distancia · comisión 01 · aspirantes."""
    pieces = [_either(sorted(rule.careers)), _modalities(rule), _commissions(rule), _stages(rule)]
    return " · ".join(piece for piece in pieces if piece) or _(EVERYBODY)


def career_words(career: Career) -> str:
    """CP a distancia, comisión 01."""
    modality = _(_MODALITIES[career.modality.value]) if career.modality else _("sin modalidad")
    text = f"{career.code} {modality}"
    if not career.commissions:
        return text
    return _("{career}, comisión {names}").format(career=text, names=_either(career.commissions))


def why_given(reason: CourseReason) -> str:
    """por CP a distancia, comisión 01."""
    if not reason.career:
        return _("por su etapa, {stage}").format(stage=reason.stage)
    career = " ".join(piece for piece in (reason.career, _(_MODALITIES.get(reason.modality, ""))) if piece)
    if not reason.commissions:
        return _("por {career}").format(career=career)
    return _("por {career}, comisión {names}").format(career=career, names=_either(sorted(reason.commissions)))


def why_not(verdict: Verdict) -> str:
    """What the rule asks for and the student is not, for the career that comes nearest."""
    return "; ".join(_miss(miss, verdict.rule) for miss in verdict.missed)


def _miss(miss: Miss, rule: CourseRule) -> str:
    match miss:
        case Miss.STAGE:
            return _("es para {stages}").format(stages=_stages(rule))
        case Miss.CAREER if rule.careers:
            return _("es para {careers}").format(careers=_either(sorted(rule.careers)))
        case Miss.CAREER:
            return _("no tiene carrera en SIAL")
        case Miss.MODALITY:
            return _("es {modalities}").format(modalities=_modalities(rule))
        case Miss.COMMISSION:
            return _("es de la {commissions}").format(commissions=_commissions(rule))
        case Miss.OUTDONE:
            return _("le gana la regla que nombra su comisión")


def _modalities(rule: CourseRule) -> str:
    return _either(_(_MODALITIES.get(one, one)) for one in sorted(rule.modalities, reverse=True))


def _commissions(rule: CourseRule) -> str:
    return _("comisión {names}").format(names=_either(sorted(rule.commissions))) if rule.commissions else ""


def _stages(rule: CourseRule) -> str:
    return _either(f"{stage.value}s" for stage in Stage if stage in rule.stages)


def _either(values: Iterable[str]) -> str:
    return ", ".join(values)
