import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.domain.batches import (
    CLOSED_STATES,
    OPEN_STATES,
    BatchEvent,
    BatchState,
    IllegalMove,
    advance,
    batch_code,
    parse_batch_code,
)
from tests.unit.lucy.people import THOROUGHLY

# From DESIGN.md, section 4, one line for each state; what is not here must be refused.
LEGAL = {
    "draft": "submit→awaiting_approval skip_approval→queued hold→held finish_empty→nothing_done cancel→cancelled",
    "held": "release→awaiting_approval reject→rejected expire→expired cancel→cancelled",
    "awaiting_approval": "approve→queued reject→rejected expire→expired cancel→cancelled",
    "queued": "start→running hold→held pause→paused cancel→cancelled",
    "running": "pause→paused hold→held cancel→cancelled finish→finished "
    "finish_with_failures→finished_with_failures finish_empty→nothing_done",
    "paused": "resume→running requeue→queued cancel→cancelled finish→finished "
    "finish_with_failures→finished_with_failures finish_empty→nothing_done",
    "finished_with_failures": "retry→running",
    "finished": "",
    "nothing_done": "",
    "rejected": "",
    "expired": "",
    "cancelled": "",
}
EXPECTED = {(state, move.split("→")[0]): move.split("→")[1] for state, moves in LEGAL.items() for move in moves.split()}


@pytest.mark.parametrize("state", BatchState)
@pytest.mark.parametrize("event", BatchEvent)
def test_every_state_with_every_event(state: BatchState, event: BatchEvent) -> None:
    expected = EXPECTED.get((state.value, event.value))
    if expected is not None:
        assert advance(state, event).value == expected
        return
    with pytest.raises(IllegalMove) as refused:
        advance(state, event)
    assert (refused.value.state, refused.value.event) == (state, event)
    assert str(refused.value) == f"{event.value} does not apply to {state.value}"


def test_the_expectation_names_only_what_exists() -> None:
    assert set(LEGAL) == {state.value for state in BatchState}
    assert {event for _state, event in EXPECTED} == {event.value for event in BatchEvent}


def test_open_and_closed_states() -> None:
    assert {state.value for state in OPEN_STATES} == {
        "draft", "awaiting_approval", "held", "queued", "running", "paused",
    }  # fmt: skip
    assert {state.value for state in CLOSED_STATES} == {
        "finished", "finished_with_failures", "nothing_done", "rejected", "expired", "cancelled",
    }  # fmt: skip


def test_every_open_batch_can_be_cancelled_and_reaches_an_end() -> None:
    for state in OPEN_STATES:
        assert advance(state, BatchEvent.CANCEL) is BatchState.CANCELLED


@pytest.mark.parametrize("event", [BatchEvent.START, BatchEvent.RESUME, BatchEvent.FINISH])
@pytest.mark.parametrize("state", [BatchState.DRAFT, BatchState.AWAITING_APPROVAL, BatchState.HELD])
def test_nothing_runs_before_it_is_approved(state: BatchState, event: BatchEvent) -> None:
    with pytest.raises(IllegalMove):
        advance(state, event)


@pytest.mark.parametrize(("number", "code"), [(1, "L-0001"), (42, "L-0042"), (9999, "L-9999"), (12345, "L-12345")])
def test_the_code_of_a_batch(number: int, code: str) -> None:
    assert batch_code(number) == code


@pytest.mark.parametrize("text", ["L-0042", "l-42", "L42", "42", " l 42 ", "L–42", "l-0042"])
def test_codes_as_people_type_them(text: str) -> None:
    assert parse_batch_code(text) == 42


@pytest.mark.parametrize("text", ["", "L", "L-", "LL42", "42a", "4 2", "-", "L-4.2", "1234567890", "²", "L-²", "٤٢"])
def test_what_is_no_code(text: str) -> None:
    assert parse_batch_code(text) is None


@THOROUGHLY
@given(st.integers(min_value=0, max_value=999_999_999))
def test_a_written_code_is_read_again(number: int) -> None:
    assert parse_batch_code(batch_code(number)) == number


@THOROUGHLY
@given(st.text(alphabet="Ll-–0123456789²٤ .a", max_size=12) | st.text())
def test_any_text_is_a_number_or_none(text: str) -> None:
    number = parse_batch_code(text)
    assert number is None or 0 <= number < 10**9
