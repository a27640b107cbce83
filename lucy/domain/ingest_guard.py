"""Whether a reading may be written, or a person is asked first (contracts/sial.md, rule 6)."""

import re
from dataclasses import dataclass
from enum import StrEnum

from lucy.errors import RequestError
from lucy.texts import _

FLOOR = 10  # people: a share of a short list says little


class HeldRun(StrEnum):
    """Why a reading waits for a person."""

    EMPTY = "empty"
    SHORT = "short"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A reading against what is known, in people.

    `on_list`: known from the last readings of this list; `unchanged`, `changed`: those of them that it has again.
    `new`: those it had not. `whole`: the answer was the whole list, so who is not in it is missing.
    """

    whole: bool
    on_list: int
    new: int
    changed: int
    unchanged: int

    @property
    def missing(self) -> int:
        return max(0, self.on_list - self.changed - self.unchanged) if self.whole else 0


def held_because(seen: Comparison, *, share: float) -> HeldRun | None:
    """None: it may be written. `share` is of the people known from this list; new people are never unusual."""
    if seen.whole and seen.on_list and not (seen.new or seen.changed or seen.unchanged):
        return HeldRun.EMPTY
    if _unusual(seen.missing, seen.on_list, share):
        return HeldRun.SHORT
    if _unusual(seen.changed, seen.on_list, share):
        return HeldRun.CHANGED
    return None


def _unusual(count: int, of: int, share: float) -> bool:
    return count >= FLOOR and count > share * of


def parse_share(text: str) -> float:
    """20%, 20 → 0.2. Raises RequestError."""
    found = re.fullmatch(r"(\d{1,3})\s*%?", text.strip())
    if found is None or not 1 <= int(found[1]) <= 100:
        raise RequestError(
            _("«{text}» no es una proporción. Escribí un porcentaje, por ejemplo 20%.").format(text=text)
        )
    return int(found[1]) / 100
