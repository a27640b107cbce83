"""What is otherwise in the courses of Moodle than the rules and Lucy's record have it (FEATURES row 56)."""

from enum import StrEnum

from lucy.texts import _


class CourseDrift(StrEnum):
    """A student and a course."""

    MISSING = "missing"
    SUSPENDED = "suspended"
    EXTRA = "extra"


def judge_place(
    *, told: frozenset[CourseDrift], recorded: bool, expected: bool, inside: bool, suspended: bool
) -> CourseDrift | None:
    """One student and one course. `recorded`: Lucy knows them to be active in it; `expected`: a rule gives it.

    `inside` and `suspended` are what Moodle says now. What was told before is told until it is right again: Lucy's
    record has followed Moodle meanwhile.
    """
    if suspended:
        return CourseDrift.SUSPENDED if expected and (recorded or CourseDrift.SUSPENDED in told) else None
    if inside:
        return None if expected else CourseDrift.EXTRA
    return CourseDrift.MISSING if expected and (recorded or CourseDrift.MISSING in told) else None


def in_words(drift: CourseDrift) -> str:
    """What it is, after a number of enrolments."""
    return {
        CourseDrift.MISSING: _("ya no están en el curso, y les toca"),
        CourseDrift.SUSPENDED: _("están suspendidas en el curso, y Lucy no lo hizo"),
        CourseDrift.EXTRA: _("están en el curso sin que ninguna regla se lo dé"),
    }[drift]


def remedy(drift: CourseDrift) -> str:
    """Who does what about it; never anything by itself."""
    return {
        CourseDrift.MISSING: _("Para volver a ponerlas: matricular."),
        CourseDrift.SUSPENDED: _("Si no corresponde: matricular."),
        CourseDrift.EXTRA: _("Las que puso Lucy salen con «matricular … bajas:si»; las demás las ve un administrador."),
    }[drift]
