"""Moodle's declared parameters and their strict check.

Moodle cleans each value for its type and refuses the call when cleaning changed it; unknown keys are refused too.
Every refusal is the same `invalidparameter`. Source: contracts/moodle.md, "Errors"; Moodle's
`external_api::validate_parameters` and `validate_param`, https://docs.moodle.org/dev/Web_service_API_functions.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeAlias

from sandbox.moodle.errors import invalid_parameter
from sandbox.moodle.php import PhpValue

Cleaner: TypeAlias = Callable[[str], Any]


class Absent(Enum):
    """What a parameter does when it is not sent."""

    REFUSED = "refused"
    LEFT_OUT = "left out"


@dataclass(frozen=True)
class Value:
    """One scalar. `absent`: refuse, leave out, or the default value to fill in."""

    clean: Cleaner
    absent: Any = Absent.REFUSED


@dataclass(frozen=True)
class Struct:
    """One PHP array with known keys."""

    fields: "Mapping[str, Parameter]"
    absent: Any = Absent.REFUSED


@dataclass(frozen=True)
class Rows:
    """A PHP array of equal items, in the order received."""

    item: "Parameter"
    absent: Any = Absent.REFUSED


Parameter: TypeAlias = Value | Struct | Rows


def check(parameter: Parameter, sent: PhpValue) -> Any:
    """Return the cleaned argument. Raises MoodleError (`invalidparameter`)."""
    if isinstance(parameter, Value):
        if not isinstance(sent, str):
            raise invalid_parameter()
        return parameter.clean(sent)
    if not isinstance(sent, dict):
        raise invalid_parameter()
    if isinstance(parameter, Rows):
        return [check(parameter.item, item) for item in sent.values()]
    if not sent.keys() <= parameter.fields.keys():
        raise invalid_parameter()
    return _check_fields(parameter.fields, sent)


def _check_fields(fields: Mapping[str, Parameter], sent: Mapping[str, PhpValue]) -> dict[str, Any]:
    cleaned: dict[str, Any] = {}
    for name, parameter in fields.items():
        if name in sent:
            cleaned[name] = check(parameter, sent[name])
        elif parameter.absent is Absent.REFUSED:
            raise invalid_parameter()
        elif parameter.absent is not Absent.LEFT_OUT:
            cleaned[name] = parameter.absent
    return cleaned


def _matching(pattern: str) -> Cleaner:
    compiled = re.compile(pattern)

    def clean(sent: str) -> str:
        if compiled.fullmatch(sent) is None:
            raise invalid_parameter()
        return sent

    return clean


def _integer(sent: str) -> int:
    """PARAM_INT: `true` and the empty text are refused (measured with `suspend`)."""
    if re.fullmatch(r"-?[0-9]{1,18}", sent) is None:
        raise invalid_parameter()
    return int(sent)


def _boolean(sent: str) -> bool:
    if sent not in ("0", "1"):
        raise invalid_parameter()
    return sent == "1"


def _no_tags(sent: str) -> str:
    """PARAM_NOTAGS: markup is refused; accents, apostrophes and blanks pass."""
    if re.search(r"<[a-zA-Z/!?]", sent) is not None:
        raise invalid_parameter()
    return sent


def _trimmed(sent: str) -> str:
    if sent != sent.strip():
        raise invalid_parameter()
    return sent


INT: Cleaner = _integer
BOOL: Cleaner = _boolean
NO_TAGS: Cleaner = _no_tags
TRIMMED: Cleaner = _trimmed
RAW: Cleaner = str
USERNAME: Cleaner = _matching(r"[a-z0-9._@-]+")
PLUGIN: Cleaner = _matching(r"[a-z][a-z0-9_]*")
SAFE_NAME: Cleaner = _matching(r"[a-zA-Z0-9_-]*")
LETTERS: Cleaner = _matching(r"[a-zA-Z]*")


def required(clean: Cleaner) -> Value:
    return Value(clean)


def optional(clean: Cleaner) -> Value:
    return Value(clean, absent=Absent.LEFT_OUT)


def defaulting(clean: Cleaner, default: Any) -> Value:
    return Value(clean, absent=default)
