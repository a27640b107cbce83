"""What can go wrong outside, grouped by what the caller can do about it.

LucyError
├── RemoteError          an outside system did not do what was asked
│   ├── RetryLater       wait, then ask again (throttled, down, not replicated yet)
│   ├── Refused          an administrator must act (permission, licence seats, configuration)
│   ├── Invalid          the source must be mended (a value the other side will never take)
│   ├── NotFound         it is not there
│   ├── AlreadyThere     it is there already
│   ├── Conflict         it is there and belongs to somebody else
│   ├── OutcomeUnknown   it was sent and no answer came: look before trying again
│   └── Unreadable       an answer came that cannot be understood
└── RequestError         what a person asked for cannot be done as asked (bad input, wrong state, not allowed)

Connectors raise the first kind, flows the second. Texts of remote errors never hold a body, a token, a password or a
person's data: they are shown to staff and logged.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar


class System(StrEnum):
    """The outside systems, as limits, circuits and error codes name them."""

    GRAPH = "graph"
    MOODLE = "moodle"
    SIAL = "sial"
    MAIL = "mail"
    TEAMS = "teams"
    QUEUE = "queue"


class Remedy(StrEnum):
    """Who has to act; stored with a failed step and shown with it."""

    WAIT = "wait"
    ADMINISTRATOR = "administrator"
    SOURCE = "source"
    OPERATOR = "operator"


class LucyError(Exception):
    """Base of everything this project raises on purpose."""


@dataclass(frozen=True, slots=True)
class RemoteIds:
    """What the provider's support asks for: never secrets, never personal data."""

    request_id: str = ""
    client_request_id: str = ""
    remote_code: str = ""


@dataclass(eq=False)
class RemoteError(LucyError):
    """An outside system failed one operation.

    `code` is what staff see (`T-…` Entra and Teams, `M-…` Moodle, `E-…` mail, `U-…` SIAL, `G-…` general; the list is
    `lucy/domain/error_codes.py`). `detail` is a short technical remark without personal data.
    """

    system: System
    operation: str
    code: str
    detail: str = ""
    ids: RemoteIds = field(default_factory=RemoteIds)

    remedy: ClassVar[Remedy] = Remedy.OPERATOR

    def __str__(self) -> str:
        return f"{self.code} {self.system.value} {self.operation}: {self.detail or type(self).__name__}"


@dataclass(eq=False)
class RetryLater(RemoteError):
    """Ask again after `after_s` seconds.

    `throttled` says the provider named the wait itself (429 or a Retry-After header): then every worker waits.
    """

    after_s: float = 5.0
    throttled: bool = False

    remedy: ClassVar[Remedy] = Remedy.WAIT
    __str__ = RemoteError.__str__


class Refused(RemoteError):
    """An administrator must act: permission, seats, configuration."""

    remedy: ClassVar[Remedy] = Remedy.ADMINISTRATOR


class Invalid(RemoteError):
    """The value itself is refused; whoever owns the source must mend it."""

    remedy: ClassVar[Remedy] = Remedy.SOURCE


class NotFound(RemoteError):
    """The object is not there (or not yet: the caller knows whether it was just made)."""


class AlreadyThere(RemoteError):
    """The object exists already."""


class Conflict(RemoteError):
    """The object exists and is somebody else's."""

    remedy: ClassVar[Remedy] = Remedy.ADMINISTRATOR


class OutcomeUnknown(RemoteError):
    """The request went out and no trustworthy answer came back; it may have had its effect."""

    remedy: ClassVar[Remedy] = Remedy.WAIT


class Unreadable(RemoteError):
    """An answer came that breaks the contract (not JSON, truncated, HTML)."""

    remedy: ClassVar[Remedy] = Remedy.ADMINISTRATOR


class RequestError(LucyError):
    """What a person asked cannot be done; the text says what to do and is shown to them as it is."""


class ConfigurationError(LucyError):
    """The process must not start like this; the text names the variable and the mend."""
