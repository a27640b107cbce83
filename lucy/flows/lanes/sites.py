"""What the lanes on Moodle have in common: each site's part is done apart, and one that fails fails alone."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Generic, Protocol, TypeVar

import structlog

from lucy.db.claims import ClaimedStep
from lucy.domain.house import House
from lucy.domain.moodle_rules import site_and_course
from lucy.errors import RemoteError, System
from lucy.flows.lanes.base import Lane, Noter, Outcome, from_error, unasked
from lucy.ports import Moodle

log = structlog.get_logger(__name__)


class Stepped(Protocol):
    @property
    def step(self) -> ClaimedStep: ...


P = TypeVar("P", bound=Stepped)


@dataclass(frozen=True)  # a generic one with slots cannot be made under its own name
class SiteWork(Generic[P]):
    """Outcomes that need no call, and what is to be done on each site, by the steps' keys."""

    known: list[Outcome] = field(default_factory=list)
    parts: dict[str, dict[str, P]] = field(default_factory=dict)

    def add(self, site: str, one: P) -> None:
        self.parts.setdefault(site, {})[str(one.step.id)] = one


class SiteLane(Lane[SiteWork[P]], Generic[P]):
    """`sites` by name; the main one is ""."""

    system: ClassVar[System] = System.MOODLE

    def __init__(self, sites: Mapping[str, Moodle], note: Noter, house: House) -> None:
        self._sites, self._note, self._house = sites, note, house

    def place(self, target: str) -> tuple[str, str]:
        """The site and the shortname of a course that a step is about."""
        return site_and_course(target, self._sites)

    async def perform(self, work: SiteWork[P]) -> AsyncIterator[Sequence[Outcome]]:
        if work.known:
            yield unasked(work.known)
        for site, part in work.parts.items():
            open_ = dict(part)
            try:
                async for outcomes in self.on_site(site, part):
                    yield outcomes
                    for outcome in outcomes:
                        open_.pop(str(outcome.step.id), None)
            except RemoteError as error:
                log.warning("lane.site_failed", lane=self.kind.value, site=site, code=error.code, error=str(error))
                yield [from_error(one.step, error) for one in open_.values()]

    @abstractmethod
    def on_site(self, site: str, part: Mapping[str, P]) -> AsyncIterator[Sequence[Outcome]]:
        """What is to be done on one site. A RemoteError raised counts for every step without an outcome yet."""
