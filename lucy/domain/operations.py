"""What staff can ask for, and the steps each request is made of."""

from dataclasses import dataclass
from enum import StrEnum

from lucy.texts import _


class StepKind(StrEnum):
    """One operation for one student; steps of one kind form a lane."""

    ACCOUNT = "account"
    LICENCE = "licence"
    CREDENTIALS_MAIL = "credentials_mail"
    MOODLE_USER = "moodle_user"
    ENROLMENT = "enrolment"


class BatchKind(StrEnum):
    """The operations that a batch can carry."""

    ACTIVATE = "activate"


# A step waits until these, where the plan has them for the same student, are done or already true. The letter waits for
# the licence because it invites the student to enter Teams.
NEEDS: dict[StepKind, tuple[StepKind, ...]] = {
    StepKind.ACCOUNT: (),
    StepKind.LICENCE: (StepKind.ACCOUNT,),
    StepKind.CREDENTIALS_MAIL: (StepKind.ACCOUNT, StepKind.LICENCE),
    StepKind.MOODLE_USER: (StepKind.ACCOUNT,),
    StepKind.ENROLMENT: (StepKind.MOODLE_USER,),
}


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """What the request left in or out: `correo:no`, `moodle:no`."""

    mail: bool = True
    moodle: bool = True


def batch_title(kind: BatchKind, options: BatchOptions) -> str:
    """What the batch is, with what was left out of it."""
    match kind:
        case BatchKind.ACTIVATE if options.mail and options.moodle:
            return _("Activación completa")
        case BatchKind.ACTIVATE if options.mail:
            return _("Activación sin Moodle")
        case BatchKind.ACTIVATE if options.moodle:
            return _("Activación sin cartas")
        case BatchKind.ACTIVATE:
            return _("Activación de cuentas, sin cartas ni Moodle")
