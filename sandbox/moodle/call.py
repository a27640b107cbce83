"""One call from its fields to its answer: token, service, arguments, effect. No HTTP here.

Source: contracts/moodle.md, "Errors".
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from sandbox.moodle.errors import (
    MoodleError,
    access_denied,
    invalid_parameter,
    invalid_token,
    moodle_exception,
    record_missing,
    write_failed,
)
from sandbox.moodle.functions import FUNCTIONS, Function, enrolment_keys, in_service, row_count
from sandbox.moodle.parameters import check
from sandbox.moodle.php import PhpArray
from sandbox.moodle.rest_format import json_answer, json_error, xml_answer, xml_error
from sandbox.moodle.state import MoodleState

_OWN_FIELDS = ("wstoken", "wsfunction", "moodlewsrestformat", "moodlewssettingfilter", "moodlewssettingraw")


@dataclass(frozen=True)
class Call:
    """One request taken apart; `dropped` is how many fields PHP cut away."""

    token: str
    function: str
    as_json: bool
    arguments: PhpArray
    dropped: int


def read_call(sent: PhpArray, *, dropped: int) -> Call:
    return Call(
        token=_text(sent, "wstoken"),
        function=_text(sent, "wsfunction"),
        as_json=_text(sent, "moodlewsrestformat") == "json",
        arguments={name: value for name, value in sent.items() if name not in _OWN_FIELDS},
        dropped=dropped,
    )


def _text(sent: PhpArray, name: str) -> str:
    value = sent.get(name, "")
    return value if isinstance(value, str) else ""


async def answer(state: MoodleState, call: Call) -> tuple[str, str]:
    """Do the call; returns (content type, body). A client that hangs up does not stop it (measured)."""
    write_result, write_error = (json_answer, json_error) if call.as_json else (xml_answer, xml_error)
    content_type = "application/json" if call.as_json else "application/xml"
    try:
        return content_type, write_result(await _run(state, call))
    except MoodleError as error:
        return content_type, write_error(error)


async def _run(state: MoodleState, call: Call) -> Any:
    function = _admit(state, call)
    arguments = check(function.parameters, dict(call.arguments))
    keys = enrolment_keys(call.function, arguments)
    clash = _clash(state, keys)
    mine = keys - state.in_flight
    state.in_flight |= mine
    try:
        await _take_time(state, rows=row_count(arguments))
        if clash:
            raise write_failed()
        return function.run(state, arguments)
    finally:
        state.in_flight -= mine


def _admit(state: MoodleState, call: Call) -> Function:
    """Token before function: Moodle authenticates first."""
    if not state.site.database_up:
        raise moodle_exception("dbconnectionfailed", "Error: Database connection failed")
    if call.token != state.token or not state.token_valid:
        raise invalid_token()
    if state.site.token_expired:
        state.token_valid = False  # the expired token is deleted: the next call says `invalidtoken`
        raise access_denied()
    if state.site.account_problem is not None:
        raise moodle_exception(state.site.account_problem, "Web service access refused for this account")
    if not call.function:
        raise invalid_parameter()
    function = FUNCTIONS.get(call.function)
    if function is None:
        raise record_missing("external_functions")
    if not in_service(state, call.function) or not state.may("webservice/rest:use"):
        raise access_denied()
    return function


def _clash(state: MoodleState, keys: set[tuple[int, int]]) -> bool:
    """Another call under way is making one of these rows: this one will be rolled back (`dmlwriteexception`)."""
    return any(key not in state.store.enrolments for key in keys & state.in_flight)


async def _take_time(state: MoodleState, *, rows: int) -> None:
    delay_s = state.site.latency_s + state.site.row_latency_s * rows
    if delay_s > 0:
        await asyncio.sleep(delay_s)
