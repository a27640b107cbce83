"""How many people must say yes, and how much may change at once before Lucy asks.

Both are settings with defaults (`lucy/domain/config.py`), written as staff write them. Thresholds may be raised or
lowered for a phase of the academic year; the phase ends by itself and so does its threshold (FEATURES rows 60-65).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

from lucy.domain.operations import REMOVALS, BatchKind, StepKind
from lucy.errors import RequestError
from lucy.texts import _, number, plural

_REMOVALS_ONLY = frozenset({BatchKind.UNENROL, BatchKind.UNLICENSE, BatchKind.DISABLE, BatchKind.UNDO})

# Below so many students a share says nothing: 3 of 12 is no landslide.
SHARE_COUNTS_FROM = 11
MOST_APPROVALS = 5

NAMES: dict[BatchKind, str] = {
    BatchKind.ACTIVATE: "activar",
    BatchKind.ENROL: "matricular",
    BatchKind.UNENROL: "desmatricular",
    BatchKind.DISABLE: "deshabilitar",
    BatchKind.ENABLE: "habilitar",
    BatchKind.LICENSE: "licencia",
    BatchKind.UNLICENSE: "licencia.quitar",
    BatchKind.RESET: "resetear",
    BatchKind.RESEND: "reenviar",
    BatchKind.WELCOME: "bienvenida",
    BatchKind.STATUS: "situacion",
    BatchKind.UPDATE: "cuenta.actualizar",
    BatchKind.RESTORE: "cuenta.restaurar",
    BatchKind.UNDO: "deshacer",
}


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """Steps of (up to so many students, approvals needed); the last one has no limit."""

    steps: tuple[tuple[int | None, int], ...]

    def needed(self, students: int) -> int:
        return next(count for limit, count in self.steps if limit is None or students <= limit)


@dataclass(frozen=True, slots=True)
class Threshold:
    """At most `count` students, and at most `percent` of those there are. None: no limit."""

    count: int | None = None
    percent: int | None = None


@dataclass(frozen=True, slots=True)
class Extent:
    """How much a batch would change: `affected` students of a `population`."""

    affected: int
    population: int

    @property
    def percent(self) -> float:
        return 100 * self.affected / self.population if self.population else 0.0


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of the academic year, both days included, with thresholds of its own."""

    name: str
    first: date
    last: date
    thresholds: Mapping[str, Threshold]


@dataclass(frozen=True, slots=True)
class Safety:
    """What is in force. `thresholds` by name (`activar`, `matricular.bajas`)."""

    approvals: Mapping[BatchKind, ApprovalRule]
    thresholds: Mapping[str, Threshold]
    phases: tuple[Phase, ...] = field(default=())

    def threshold(self, name: str, day: date) -> Threshold:
        """The phase's of that day, else the everyday one; it reverts by itself when the phase is over."""
        for phase in self.phases:
            if phase.first <= day <= phase.last and name in phase.thresholds:
                return phase.thresholds[name]
        return self.thresholds.get(name, Threshold())


def threshold_name(kind: BatchKind, *, removals: bool) -> str:
    """`umbral.…` of a kind and direction. Disabling is a removal through and through, as others are."""
    if removals and kind not in _REMOVALS_ONLY:
        return f"{NAMES[kind]}.bajas"
    return NAMES[kind]


def tripped(threshold: Threshold, extent: Extent, *, released: Extent | None = None) -> str:
    """Why a batch of this extent must be held, with the numbers; empty when it may go on.

    What somebody released after seeing the numbers goes on while they are no worse than those.
    """
    if released and extent.affected <= released.affected and extent.percent <= released.percent:
        return ""
    if threshold.count is not None and extent.affected > threshold.count:
        text = plural(
            "es {n} alumno y el umbral es {{limit}}", "son {n} alumnos y el umbral es {{limit}}", extent.affected
        )
        return text.format(limit=number(threshold.count))
    share = extent.affected >= SHARE_COUNTS_FROM and threshold.percent is not None
    if share and extent.percent > (threshold.percent or 0):
        text = _("son {n} de {all} alumnos ({share} %) y el umbral es {limit} %")
        return text.format(
            n=number(extent.affected),
            all=number(extent.population),
            share=f"{extent.percent:.0f}",
            limit=threshold.percent,
        )
    return ""


def removes(kinds: Iterable[StepKind]) -> bool:
    return any(kind in REMOVALS for kind in kinds)


# How staff write them


def parse_approvals(text: str) -> ApprovalRule:
    """`1`, or `1:0 50:1 2`: up to 1 student nobody, up to 50 one other person, above that two. Raises RequestError."""
    steps: list[tuple[int | None, int]] = []
    for word in text.split():
        found = re.fullmatch(r"(?:([0-9]{1,6}):)?([0-9])", word)
        if not found or int(found[2]) > MOST_APPROVALS or (steps and steps[-1][0] is None):
            raise _bad_approvals(text)
        limit = int(found[1]) if found[1] else None
        if steps and limit is not None and limit <= (steps[-1][0] or 0):
            raise _bad_approvals(text)
        steps.append((limit, int(found[2])))
    if not steps or steps[-1][0] is not None:
        raise _bad_approvals(text)
    return ApprovalRule(tuple(steps))


def _bad_approvals(text: str) -> RequestError:
    said = _("«{text}» no se entiende. Es, por ejemplo, 1 (una persona), o 1:0 50:1 2 (hasta 1 alumno nadie, hasta 50")
    return RequestError((said + _(" una, más de 50 dos).")).format(text=text))


def parse_threshold(text: str) -> Threshold:
    """`2000`, `100 10%`, `10%` or `nunca` (no limit). Raises RequestError."""
    if text.strip().lower() in {"nunca", "never"}:
        return Threshold()
    words = re.sub(r"\s+%", "%", text.replace("/", " ")).split()
    shares = [word for word in words if re.fullmatch(r"[0-9]{1,2}%|100%", word)]
    counts = [word for word in words if re.fullmatch(r"[0-9]{1,6}", word)]
    if words != [*counts, *shares] or len(counts) > 1 or len(shares) > 1 or not words:
        said = _("«{text}» no es un umbral. Es, por ejemplo, 2000, 100 10% o nunca.")
        raise RequestError(said.format(text=text))
    return Threshold(int(counts[0]) if counts else None, int(shares[0].rstrip("%")) if shares else None)


_PHASE = re.compile(r"(?P<name>[^\d;=]+?)\s+(?P<first>\S+?)\.\.(?P<last>\S+)(?P<rest>(?:\s+[\w.]+=[^\s;]+)+)")


def parse_phases(text: str, names: frozenset[str]) -> tuple[Phase, ...]:
    """`inscripciones 2026-02-01..2026-03-31 activar=6000; receso …`. `names` are the thresholds there are.

    Raises RequestError naming the phase that was not understood.
    """
    phases: list[Phase] = []
    for part in filter(None, (one.strip() for one in text.split(";"))):
        found = _PHASE.fullmatch(part)
        try:
            if not found:
                raise ValueError
            first, last = date.fromisoformat(found["first"]), date.fromisoformat(found["last"])
            given = dict(word.split("=", 1) for word in found["rest"].split())
            if last < first or not set(given) <= names:
                raise ValueError
        except ValueError:
            said = _(
                "La fase «{text}» no se entiende. Es, por ejemplo: inscripciones 2026-02-01..2026-03-31 activar=6000. "
                "Los umbrales son: {names}."
            )
            raise RequestError(said.format(text=part, names=", ".join(sorted(names)))) from None
        thresholds = {name: parse_threshold(value) for name, value in given.items()}
        phases.append(Phase(found["name"].strip(), first, last, thresholds))
    return tuple(phases)
