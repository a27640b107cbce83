"""The outside systems as staff call them, and the lanes that speak to each."""

from lucy.domain.operations import StepKind, system_of
from lucy.errors import System
from lucy.texts import _


def system_name(system: System) -> str:
    """As it begins a sentence: «El servidor de correo no responde»."""
    return {
        System.GRAPH: "Entra",
        System.MOODLE: "Moodle",
        System.SIAL: "SIAL",
        System.MAIL: _("El servidor de correo"),
        System.TEAMS: "Teams",
        System.QUEUE: _("La cola de trabajo"),
    }[system]


def kinds_of(system: System | None) -> tuple[StepKind, ...]:
    """The lanes that stand still with a system; all of them for None. No lane speaks to SIAL."""
    return tuple(kind for kind in StepKind if system is None or system_of(kind) is system)
