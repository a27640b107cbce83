import dataclasses
import hashlib
import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from lucy.domain.audit import GENESIS, SealedEvent, seal, short

EVENT = SealedEvent(
    id=7,
    at=datetime(2026, 11, 24, 11, 15, tzinfo=UTC),
    actor_id="0a1b",
    actor_name="Lucía Ñandú",
    action="batch.approve",
    batch=42,
    student=None,
    outcome="approved",
    detail={"plan": "9f3c", "attempts": 1},
)
NEXT = dataclasses.replace(EVENT, id=8)


def test_the_canonical_form_is_a_contract() -> None:
    """An exported chain is verified by other people's code, years later."""
    assert EVENT.canonical().decode() == (
        '{"action":"batch.approve","actor_id":"0a1b","actor_name":"Lucía Ñandú",'
        '"at":"2026-11-24T11:15:00.000000+00:00","batch":42,"detail":{"attempts":1,"plan":"9f3c"},"id":7,"outcome":"approved","student":null}'
    )


def test_a_link_can_be_recomputed_without_our_code() -> None:
    bodies = [
        json.dumps(
            {**dataclasses.asdict(one), "at": "2026-11-24T11:15:00.000000+00:00"},
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )
        for one in (EVENT, NEXT)
    ]
    text = "\n".join([GENESIS, *bodies])
    assert seal(GENESIS, [EVENT, NEXT]) == hashlib.sha256(text.encode()).hexdigest()


def test_the_zone_the_time_was_read_in_does_not_matter() -> None:
    local = dataclasses.replace(EVENT, at=EVENT.at.astimezone(timezone(timedelta(hours=-3))))
    assert local.canonical() == EVENT.canonical()


def test_the_order_of_the_detail_does_not_matter() -> None:
    turned = dataclasses.replace(EVENT, detail={"attempts": 1, "plan": "9f3c"})
    assert turned.canonical() == EVENT.canonical()


@pytest.mark.parametrize(
    "change",
    [
        {"id": 9},
        {"at": EVENT.at + timedelta(microseconds=1)},
        {"actor_id": "0a1c"},
        {"actor_name": "Lucia Ñandú"},
        {"action": "batch.reject"},
        {"batch": None},
        {"student": 42},
        {"outcome": "declined"},
        {"detail": {"plan": "9f3d", "attempts": 1}},
        {"detail": {"plan": "9f3c", "attempts": "1"}},
        {"detail": {}},
    ],
    ids=lambda change: "-".join(change),
)
def test_every_change_breaks_the_link(change: dict[str, Any]) -> None:
    assert seal(GENESIS, [dataclasses.replace(EVENT, **change), NEXT]) != seal(GENESIS, [EVENT, NEXT])


def test_every_field_is_sealed() -> None:
    assert set(json.loads(EVENT.canonical())) == {field.name for field in dataclasses.fields(SealedEvent)}


def test_a_link_tells_order_omission_and_what_came_before() -> None:
    links = [[EVENT, NEXT], [NEXT, EVENT], [EVENT], [NEXT], [], [EVENT, EVENT]]
    assert len({seal(previous, link) for previous in (GENESIS, "1" * 64) for link in links}) == 12


def test_cutting_the_chain_elsewhere_gives_another_head() -> None:
    assert seal(seal(GENESIS, [EVENT]), [NEXT]) != seal(GENESIS, [EVENT, NEXT])


def test_the_head_as_the_report_shows_it() -> None:
    assert short("9f3c" + "0" * 57 + "b21") == "9f3c…b21"
    assert short("") == ""
