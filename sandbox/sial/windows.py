"""The windows of dialect v2.

Source: contracts/sial.md: `{since}`/`{until}` are `AAAAMMDD` or `AAAAMMDDHHMM`, local time of the university; a
malformed one is 400. Both ends are included here, `until` with its whole minute or its whole day: the contract leaves
the edge open, so a reader must overlap its windows.
"""

import re
from datetime import datetime, timedelta

from sandbox.sial.data import UNIVERSITY_TIME

_DAY, _MINUTE = 8, 12


class MalformedDateError(ValueError):
    """Not a stamp SIAL reads: 400."""


def window_start(stamp: str) -> datetime:
    """The first instant that counts, aware."""
    return _read(stamp)


def window_end(stamp: str) -> datetime:
    """The first instant that no longer counts, aware."""
    return _read(stamp) + (timedelta(days=1) if len(stamp) == _DAY else timedelta(minutes=1))


def _read(stamp: str) -> datetime:
    if re.fullmatch(r"[0-9]{8}([0-9]{4})?", stamp) is None:
        raise MalformedDateError(stamp)
    padded = stamp if len(stamp) == _MINUTE else f"{stamp}0000"
    try:
        return datetime.strptime(padded, "%Y%m%d%H%M").replace(tzinfo=UNIVERSITY_TIME)
    except ValueError as error:
        raise MalformedDateError(stamp) from error
