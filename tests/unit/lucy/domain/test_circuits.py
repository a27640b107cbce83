"""When a system counts as down, and how long it is left alone."""

from datetime import UTC, datetime, timedelta

import pytest

from lucy.domain.circuits import (
    CircuitRules,
    Sign,
    is_evidence,
    may_probe,
    next_try,
    opens,
    sign_of,
    verdict,
    was_tried,
)
from lucy.errors import (
    Conflict,
    Invalid,
    NotFound,
    OutcomeUnknown,
    Refused,
    RemoteError,
    RemoteIds,
    RetryLater,
    System,
    Unreadable,
)

NOW = datetime(2026, 11, 24, 13, 0, tzinfo=UTC)
RULES = CircuitRules()


def seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


def later(code: str, *, throttled: bool = False, remote_code: str = "") -> RetryLater:
    return RetryLater(System.MOODLE, "x", code, ids=RemoteIds(remote_code=remote_code), throttled=throttled)


@pytest.mark.parametrize(
    ("error", "sign"),
    [
        (later("M-010"), Sign.DOWN),
        (later("M-009"), Sign.DOWN),
        (later("E-006"), Sign.DOWN),
        (later("M-010", remote_code="dbconnectionfailed"), Sign.DOWN),
        (OutcomeUnknown(System.GRAPH, "x", "T-009"), Sign.DOWN),
        (Unreadable(System.MOODLE, "x", "M-015"), Sign.DOWN),
        (later("M-010", throttled=True), Sign.NONE),
        (later("T-010", throttled=True), Sign.NONE),
        (later("T-010"), Sign.NONE),
        (later("T-013"), Sign.NONE),
        (later("G-006"), Sign.NONE),
        (later("E-003"), Sign.NONE),
        (later("E-011"), Sign.NONE),
        (later("M-010", remote_code="dmlwriteexception"), Sign.NONE),
        (Refused(System.GRAPH, "x", "T-002"), Sign.UP),
        (Invalid(System.MOODLE, "x", "M-004"), Sign.UP),
        (Conflict(System.GRAPH, "x", "T-004"), Sign.UP),
        (NotFound(System.MOODLE, "x", "M-005"), Sign.UP),
    ],
)
def test_what_an_error_says_of_the_system(error: RemoteError, sign: Sign) -> None:
    assert sign_of(error) is sign


@pytest.mark.parametrize(
    ("error", "probe", "counts"),
    [
        (later("M-010"), False, True),
        (later("M-010"), True, False),
        (later("E-003"), False, True),
        (later("T-013"), True, True),
        (later("T-010", throttled=True), False, False),
        (later("G-006"), False, False),
        (later("E-011"), False, False),
    ],
)
def test_what_counts_towards_giving_up(error: RemoteError, probe: bool, counts: bool) -> None:
    assert was_tried(error, probe=probe) is counts


@pytest.mark.parametrize(
    ("signs", "whole"),
    [
        ([], Sign.NONE),
        ([Sign.NONE], Sign.NONE),
        ([Sign.DOWN, Sign.NONE], Sign.DOWN),
        ([Sign.DOWN, Sign.UP, Sign.DOWN], Sign.UP),
    ],
)
def test_one_answer_is_enough_to_be_up(signs: list[Sign], whole: Sign) -> None:
    assert verdict(signs) is whole


@pytest.mark.parametrize(
    ("failures", "after_s", "opened"),
    [(1, 0, False), (4, 0, False), (5, 0, True), (2, 300, False), (3, 29, False), (3, 30, True), (9, 1, True)],
)
def test_it_opens_after_some_failures_or_fewer_slow_ones(failures: int, after_s: float, opened: bool) -> None:
    assert opens(failures=failures, since=NOW - seconds(after_s), now=NOW, rules=RULES) is opened


def test_the_wait_grows_to_five_minutes() -> None:
    waits, at = [], NOW
    for _try in range(8):
        later_ = next_try(opened_at=NOW, now=at, rules=RULES)
        waits.append((later_ - at).total_seconds())
        at = later_
    assert waits == [30, 30, 60, 120, 240, 300, 300, 300]


@pytest.mark.parametrize(
    ("next_s", "probing_s", "may"),
    [(-1, None, True), (0, None, True), (1, None, False), (-9, 5, False), (-9, -1, True), (None, None, True)],
)
def test_one_tries_when_it_is_time(next_s: float | None, probing_s: float | None, may: bool) -> None:
    next_try_at = None if next_s is None else NOW + seconds(next_s)
    probing_until = None if probing_s is None else NOW + seconds(probing_s)
    assert may_probe(next_try_at=next_try_at, probing_until=probing_until, now=NOW) is may


@pytest.mark.parametrize(
    ("steps", "attempts", "evidence"), [(1, 1, True), (1, 5, True), (1, 6, False), (2, 6, True), (300, 40, True)]
)
def test_a_step_that_fails_alone_for_long_is_no_witness(steps: int, attempts: int, evidence: bool) -> None:
    assert is_evidence(steps=steps, attempts=attempts, rules=RULES) is evidence
