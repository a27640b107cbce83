"""The days of the year on which a source list is read by itself (FEATURES row 5), as staff write them."""

import re
from dataclasses import dataclass
from datetime import date

from lucy.errors import RequestError
from lucy.texts import _


@dataclass(frozen=True, slots=True)
class ListWindow:
    """Both days included; None: no bound on that side. `closed`: on no day."""

    first: date | None = None
    last: date | None = None
    closed: bool = False

    def has(self, day: date) -> bool:
        after = self.first is None or self.first <= day
        return not self.closed and after and (self.last is None or day <= self.last)


def parse_window(text: str) -> ListWindow:
    """`siempre`, `nunca`, `2026-10-01..2026-12-15`; one side may be left open. Raises RequestError."""
    said = text.strip().lower()
    if said in {"siempre", "always"}:
        return ListWindow()
    if said in {"nunca", "never"}:
        return ListWindow(closed=True)
    found = re.fullmatch(r"(\d{4}-\d{2}-\d{2})?\.\.(\d{4}-\d{2}-\d{2})?", said)
    try:
        if found is None or not any(found.groups()):
            raise ValueError
        first, last = (date.fromisoformat(one) if one else None for one in found.groups())
        if first and last and last < first:
            raise ValueError
    except ValueError:
        reason = _("«{text}» no se entiende. Es siempre, nunca o unas fechas, por ejemplo: 2026-10-01..2026-12-15.")
        raise RequestError(reason.format(text=said)) from None
    return ListWindow(first, last)
