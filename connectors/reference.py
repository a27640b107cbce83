"""What each connector calls, needs and allows, as values: docs/connectors is written from these and the error codes."""

from collections.abc import Sequence
from dataclasses import dataclass

from lucy.errors import System


@dataclass(frozen=True, slots=True)
class CallReference:
    """One kind of call. `operation` is the name that errors and logs carry; `request` is what goes over the wire.

    `permission` is what the other side must allow for it, in its own words. `harmless`: asking twice does no harm.
    """

    operation: str
    request: str
    when: str
    permission: str = ""
    harmless: bool = True


@dataclass(frozen=True, slots=True)
class LimitReference:
    """A bound that the connector keeps to. `source` says where it comes from."""

    what: str
    value: str
    source: str


@dataclass(frozen=True, slots=True)
class Reference:
    """One page. `settings` are names of environment variables; `letters` are the first letters of its error codes."""

    system: System
    title: str
    summary: str
    settings: Sequence[str]
    calls: Sequence[CallReference]
    limits: Sequence[LimitReference]
    letters: Sequence[str]
    notes: Sequence[str] = ()
