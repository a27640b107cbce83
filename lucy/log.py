"""Logs: an event and ids, one line each, with the correlation id of what is being done.

Never bodies, tokens or people's data. What slips in all the same is masked here: document numbers, e-mail addresses,
bearer tokens, and values under a secret's name. Library logs pass through the same masks.
"""

import logging
import re
import secrets
import sys
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from lucy.domain.students import mask_document_number, mask_email

# These tell of bodies, headers or addresses with people's data below the given level.
_QUIET = {
    "aiohttp.access": logging.CRITICAL,
    "aiosmtplib": logging.WARNING,
    "azure": logging.WARNING,
    "botbuilder": logging.WARNING,
    "botframework": logging.WARNING,
    "httpcore": logging.WARNING,
    "httpx": logging.WARNING,
    "msal": logging.WARNING,
    "msrest": logging.ERROR,
    "oauthlib": logging.WARNING,
    "requests_oauthlib": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "urllib3": logging.ERROR,
}
_SECRET_NAMES = ("password", "passwd", "token", "secret", "authorization", "contraseña", "clave")
_ALPHABET = "abcdefghjkmnpqrstuvwxyz"  # no digits: never taken for a document number


def configure_logging(*, json_lines: bool = True, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (stderr by default): JSON lines, or for eyes on a terminal."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        tell_the_exception,
        mask,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, default=_shown)
        if json_lines
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_with_message, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name, quietest in _QUIET.items():
        logging.getLogger(name).setLevel(max(quietest, root.level))


def new_correlation() -> str:
    """An id for one chain chat → job → call, short enough to be read out on the telephone."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _letter in range(4)) for _group in range(3))


def bind_correlation(correlation: str) -> None:
    """Everything logged from here on in this task carries the id."""
    structlog.contextvars.bind_contextvars(correlation=correlation)


def correlation() -> str:
    """The id of what is being done; empty outside of anything."""
    return str(structlog.contextvars.get_contextvars().get("correlation", ""))


_DOCUMENT = re.compile(r"(?<![0-9])[0-9]{7,10}(?![0-9])|(?<![0-9.])[0-9]{1,2}\.[0-9]{3}\.[0-9]{3}(?![0-9])")
_EMAIL = re.compile(r"[\w.+\-']{1,64}@[\w\-]{1,63}(?:\.[\w\-]{1,63}){1,8}")
_BEARER = re.compile(r"\b(?:Bearer|Basic)\s+[\w.~+/=\-]+|\beyJ[\w\-]+\.[\w\-]+(?:\.[\w\-]+)?", re.IGNORECASE)
# SQLAlchemy and PostgreSQL repeat the row they stumbled over.
_PARAMETERS = re.compile(r"\[parameters: .*?\]$", re.MULTILINE | re.DOTALL)
_DETAIL = re.compile(r"^\s*DETAIL: .*$", re.MULTILINE)


def mask_text(text: str) -> str:
    """Document numbers and addresses made unrecognisable, tokens taken out."""
    text = _BEARER.sub("●●●", text)
    text = _EMAIL.sub(lambda found: mask_email(found[0]), text)
    return _DOCUMENT.sub(lambda found: mask_document_number(found[0].replace(".", "")), text)


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: masks every string value at any depth and drops what is named like a secret."""
    return {key: _masked(value) for key, value in event.items() if not _is_secret(key)}


def tell_the_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Processor: the traceback without the row that the database repeats in its messages."""
    told = event.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        event["exception"] = _without_rows("".join(traceback.format_exception(error)))
    return event


def _without_rows(text: str) -> str:
    return _DETAIL.sub("DETAIL: ●●●", _PARAMETERS.sub("[parameters: ●●●]", text))


def _with_message(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A library's record: its message is formatted already, its arguments are not wanted twice."""
    event.pop("positional_args", None)
    return event


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {str(key): _masked(held) for key, held in value.items() if not _is_secret(key)}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_masked(held) for held in value]
    if value is None or isinstance(value, (bool, int, float)) or _is_a_record(value):
        return value
    return _shown(value)


def _is_a_record(value: object) -> bool:
    """What structlog itself keeps in the event until the line is written."""
    return isinstance(value, (logging.LogRecord, TracebackType))


def _shown(value: object) -> str:
    return mask_text(str(value))


def _is_secret(key: object) -> bool:
    name = str(key).lower()
    return any(secret in name for secret in _SECRET_NAMES)
