from collections import Counter
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.domain.batches import IllegalMove
from lucy.domain.operations import NEEDS, StepKind
from lucy.domain.steps import (
    CLOSED_STATES,
    GOOD_STATES,
    OPEN_STATES,
    Sibling,
    StepEvent,
    StepId,
    StepState,
    advance,
    settle,
)
from tests.unit.lucy.people import THOROUGHLY

# From DESIGN.md, section 4, one line for each state; what is not here must be refused.
LEGAL = {
    "waiting": "release→due skip→skipped cancel→cancelled drop→dropped",
    "due": "claim→running skip→skipped cancel→cancelled drop→dropped",
    "running": "postpone→due complete→done find_done→already skip→skipped fail→failed drop→dropped",
    "failed": "retry→due",
    "skipped": "retry→waiting",
    "cancelled": "retry→waiting",
    "done": "",
    "already": "",
    "dropped": "",
}
EXPECTED = {(state, move.split("→")[0]): move.split("→")[1] for state, moves in LEGAL.items() for move in moves.split()}
ACCOUNT, LICENCE, MAIL, USER, ENROLMENT = (
    StepKind.ACCOUNT,
    StepKind.LICENCE,
    StepKind.CREDENTIALS_MAIL,
    StepKind.MOODLE_USER,
    StepKind.ENROLMENT,
)
WAITING, DUE, RUNNING, DONE, ALREADY, SKIPPED, FAILED, CANCELLED, DROPPED = StepState
ENDINGS = [StepEvent.COMPLETE, StepEvent.FIND_DONE, StepEvent.SKIP, StepEvent.FAIL, StepEvent.DROP]


@pytest.mark.parametrize("state", StepState)
@pytest.mark.parametrize("event", StepEvent)
def test_every_state_with_every_event(state: StepState, event: StepEvent) -> None:
    expected = EXPECTED.get((state.value, event.value))
    if expected is not None:
        assert advance(state, event).value == expected
        return
    with pytest.raises(IllegalMove) as refused:
        advance(state, event)
    assert (refused.value.state, refused.value.event) == (state, event)


def test_the_expectation_names_only_what_exists() -> None:
    assert set(LEGAL) == {state.value for state in StepState}
    assert {event for _state, event in EXPECTED} == {event.value for event in StepEvent}


def test_open_closed_and_good_states() -> None:
    assert {WAITING, DUE, RUNNING} == OPEN_STATES
    assert {DONE, ALREADY, SKIPPED, FAILED, CANCELLED, DROPPED} == CLOSED_STATES
    assert {DONE, ALREADY} == GOOD_STATES


def test_needs_point_backwards_and_cover_every_kind() -> None:
    """`settle` carries a skip on in one pass only because what is needed stands before what needs it."""
    order = list(StepKind)
    assert set(NEEDS) == set(order)
    for kind, needed in NEEDS.items():
        assert all(order.index(one) < order.index(kind) for one in needed)


def siblings(*pairs: tuple[StepKind, StepState]) -> list[Sibling]:
    return [Sibling(StepId(number), kind, state) for number, (kind, state) in enumerate(pairs)]


def moves(*pairs: tuple[StepKind, StepState]) -> dict[int, StepEvent]:
    return {sibling.id: event for sibling, event in settle(siblings(*pairs))}


@pytest.mark.parametrize("account", StepState)
def test_a_licence_after_every_ending_of_the_account(account: StepState) -> None:
    expected = {
        WAITING: {},
        DUE: {},
        RUNNING: {},
        DONE: {1: StepEvent.RELEASE},
        ALREADY: {1: StepEvent.RELEASE},
        SKIPPED: {1: StepEvent.SKIP},
        FAILED: {1: StepEvent.SKIP},
        CANCELLED: {1: StepEvent.SKIP},
        DROPPED: {1: StepEvent.SKIP},
    }[account]
    found = moves((ACCOUNT, account), (LICENCE, WAITING))
    assert {key: event for key, event in found.items() if key == 1} == expected


@pytest.mark.parametrize("account", StepState)
@pytest.mark.parametrize("licence", [state for state in StepState if state is not WAITING])
def test_a_letter_waits_for_account_and_licence(account: StepState, licence: StepState) -> None:
    """The letter invites the student to enter Teams: both must be good, one that went wrong is enough to skip it."""
    bad = {SKIPPED, FAILED, CANCELLED, DROPPED}
    expected = {}
    if account in bad or licence in bad:
        expected = {2: StepEvent.SKIP}
    elif account in {DONE, ALREADY} and licence in {DONE, ALREADY}:
        expected = {2: StepEvent.RELEASE}
    found = moves((ACCOUNT, account), (LICENCE, licence), (MAIL, WAITING))
    assert {key: event for key, event in found.items() if key == 2} == expected


def test_a_skip_is_carried_on_to_the_end() -> None:
    found = moves(
        (ENROLMENT, WAITING), (ENROLMENT, WAITING), (USER, WAITING), (MAIL, WAITING), (LICENCE, WAITING),
        (ACCOUNT, FAILED),
    )  # fmt: skip
    assert found == dict.fromkeys(range(5), StepEvent.SKIP)


def test_a_failed_licence_does_not_stop_moodle() -> None:
    found = moves((ACCOUNT, DONE), (LICENCE, FAILED), (MAIL, WAITING), (USER, WAITING), (ENROLMENT, WAITING))
    assert found == {2: StepEvent.SKIP, 3: StepEvent.RELEASE}


def test_a_release_does_not_release_the_next() -> None:
    assert moves((USER, WAITING), (ENROLMENT, WAITING), (ACCOUNT, DONE)) == {0: StepEvent.RELEASE}


def test_one_of_several_courses_says_nothing_about_the_others() -> None:
    found = moves((USER, DONE), (ENROLMENT, FAILED), (ENROLMENT, WAITING), (ENROLMENT, RUNNING))
    assert found == {2: StepEvent.RELEASE}


def test_needs_that_the_plan_does_not_have_count_as_good() -> None:
    assert moves((ENROLMENT, WAITING)) == {0: StepEvent.RELEASE}
    assert moves((MAIL, WAITING), (ACCOUNT, DONE)) == {0: StepEvent.RELEASE}


def test_nothing_waits_nothing_moves() -> None:
    assert settle([]) == []
    assert moves((ACCOUNT, FAILED), (LICENCE, DUE), (MAIL, RUNNING)) == {}


def run_to_the_end(steps: list[Sibling], draw_ending: st.DataObject) -> list[Sibling]:
    """What workers do: any due step, in any order, ends anyhow; after each ending the others are settled."""
    states = {one.id: one.state for one in steps}
    kinds = {one.id: one.kind for one in steps}

    def settled() -> None:
        for sibling, event in settle([Sibling(id_, kinds[id_], state) for id_, state in states.items()]):
            states[sibling.id] = advance(states[sibling.id], event)

    while due := [id_ for id_, state in states.items() if state is DUE]:
        chosen = draw_ending.draw(st.sampled_from(due))
        states[chosen] = advance(states[chosen], StepEvent.CLAIM)
        ending = draw_ending.draw(st.sampled_from([*ENDINGS, StepEvent.POSTPONE]))
        states[chosen] = advance(states[chosen], ending)
        if ending is not StepEvent.POSTPONE:
            settled()
    return [Sibling(id_, kinds[id_], state) for id_, state in states.items()]


@st.composite
def planned(draw: st.DrawFn) -> list[Sibling]:
    """Any part of an activation in any order, as a plan leaves it: what nothing holds up is due or true already."""
    kinds = draw(st.lists(st.sampled_from(StepKind), unique=True, min_size=1))
    kinds += [ENROLMENT] * draw(st.integers(0, 2))
    bad_or_open = set(draw(st.lists(st.sampled_from(StepKind), unique=True)))
    found: dict[StepKind, StepState] = {}
    for kind in StepKind:
        held_up = any(found.get(need, ALREADY) is not ALREADY for need in NEEDS[kind] if need in kinds)
        found[kind] = ALREADY if kind not in bad_or_open else (WAITING if held_up else DUE)
    return siblings(*((kind, found[kind]) for kind in draw(st.permutations(kinds))))


@THOROUGHLY
@given(planned(), st.data())
def test_no_waiting_step_is_ever_stuck(steps: list[Sibling], data: st.DataObject) -> None:
    for step in run_to_the_end(steps, data):
        assert step.state in CLOSED_STATES


@THOROUGHLY
@given(planned(), st.data())
def test_what_needs_something_bad_is_never_done(steps: list[Sibling], data: st.DataObject) -> None:
    ended = run_to_the_end(steps, data)
    began = {one.id: one.state for one in steps}
    for step in ended:
        needed = [one for one in ended if one.kind in NEEDS[step.kind]]
        if began[step.id] is WAITING and any(one.state not in GOOD_STATES for one in needed):
            assert step.state is SKIPPED


@THOROUGHLY
@given(st.lists(st.tuples(st.sampled_from(StepKind), st.sampled_from(StepState)), max_size=8))
def test_settling_is_lawful_and_leaves_nothing_more_to_settle(pairs: list[tuple[StepKind, StepState]]) -> None:
    steps = siblings(*pairs)
    first = settle(steps)
    assert max(Counter(sibling.id for sibling, _event in first).values(), default=1) == 1
    states = {one.id: one.state for one in steps}
    for sibling, event in first:
        states[sibling.id] = advance(states[sibling.id], event)
    after = [Sibling(one.id, one.kind, states[one.id]) for one in steps]
    assert settle(after) == []
    for step in after:
        if step.state is WAITING:  # only what still has something open to wait for
            assert any(one.state in OPEN_STATES for one in after if one.kind in NEEDS[step.kind])


def test_the_order_in_which_the_database_gives_the_steps_does_not_matter() -> None:
    given_steps = siblings(
        (ACCOUNT, DONE), (LICENCE, FAILED), (MAIL, WAITING), (USER, WAITING), (ENROLMENT, WAITING)
    )  # fmt: skip
    expected = {2: StepEvent.SKIP, 3: StepEvent.RELEASE}
    for order in permutations(given_steps):
        assert {sibling.id: event for sibling, event in settle(order)} == expected
