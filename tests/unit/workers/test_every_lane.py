from typing import Any, cast

from cryptography.fernet import Fernet

from lucy.domain.operations import StepKind, system_of
from lucy.sealing import Sealer
from lucy.settings import Settings
from workers.runtime import every_lane


def lanes() -> dict[StepKind, Any]:
    unused = cast(Any, object())
    key = Fernet.generate_key().decode()
    values: dict[str, Any] = {"mode": "sandbox", "secret_keys": key, "database_url": "unused", "redis_url": "unused"}
    house = Settings(**values).house()
    return every_lane(unused, unused, unused, sealer=Sealer(key), note=unused, house=house)


def test_every_kind_of_step_has_a_lane() -> None:
    assert set(lanes()) == set(StepKind)


def test_a_lane_speaks_to_the_system_that_its_kind_says() -> None:
    assert {kind: lane.system for kind, lane in lanes().items()} == {kind: system_of(kind) for kind in StepKind}
