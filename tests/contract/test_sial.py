"""The SIAL connector against the simulator, or against the real service (README.md): it only reads."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from connectors.http import build_http_client
from connectors.sial.client import SialFlatRecords, SialRecords
from lucy.domain.ingest import key_of
from lucy.domain.students import SourceList
from lucy.errors import Refused
from sandbox.control import serve
from sandbox.sial import SialState, build_app
from sandbox.sial.people import make_people
from tests.contract.services import named
from tests.integration.connectors.counting import CountingLimiter

ZONE = ZoneInfo("America/Argentina/Cordoba")
Records = SialRecords | SialFlatRecords


def records(values: dict[str, str], http: object, *, dialect: str, password: str = "") -> Records:
    common = {
        "base_url": values["url"],
        "user": values["user"],
        "password": password or values["password"],
        "http": http,
        "limiter": CountingLimiter(),
    }
    if dialect == "v1":
        return SialFlatRecords(**common)  # type: ignore[arg-type]
    return SialRecords(**common, zone=ZONE, today=lambda: datetime.now(ZONE).date())  # type: ignore[arg-type]


@pytest.fixture(params=["v2", "v1"])
async def source(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Records, Records]]:
    """With the right password, and with a wrong one."""
    real = named("SIAL", "url", "user", "password")
    if real is not None:
        if request.param != real.get("dialect", "v2"):
            pytest.skip("the real service speaks the other dialect")
        async with build_http_client(timeout_s=120) as http:
            yield (
                records(real, http, dialect=request.param),
                records(real, http, dialect=request.param, password="wrong"),
            )
        return
    state = SialState()
    state.data = make_people(seed=1, preinscriptos=0, aspirantes=30, ingresantes=0, now=datetime.now(UTC))
    runner, port = await serve(build_app(state), port=0)
    values = {"url": f"http://127.0.0.1:{port}", "user": state.user, "password": state.password}
    async with build_http_client() as http:
        yield (
            records(values, http, dialect=request.param),
            records(values, http, dialect=request.param, password="wrong"),
        )
    await runner.cleanup()


async def first(source: Records, many: int = 2000, **window: datetime) -> list[object]:
    found: list[object] = []
    entries = source.entries(SourceList.ASPIRANTES, **window)
    async for element in entries:
        found.append(element)
        if len(found) == many:
            break
    await entries.aclose()  # type: ignore[attr-defined]
    return found


async def test_a_wrong_password_is_told(source: tuple[Records, Records]) -> None:
    with pytest.raises(Refused) as caught:
        await first(source[1])
    assert caught.value.code == "U-001"
    assert "wrong" not in str(caught.value)


async def test_a_list_has_people_with_numbers(source: tuple[Records, Records]) -> None:
    entries = [source[0].read_entry(element) for element in await first(source[0])]
    keys = [key_of(one.document_type, one.document_number) for one in entries]
    assert sum(key is not None for key in keys) > len(keys) * 0.8
    assert any(one.careers for one in entries)
    assert all(career.name for one in entries for career in one.careers)


async def test_identities_are_those_of_the_entries(source: tuple[Records, Records]) -> None:
    for element in await first(source[0], 200):
        entry = source[0].read_entry(element)
        assert source[0].identity(element) == (entry.document_type, entry.document_number)


async def test_a_window_holds_no_more_than_the_whole(source: tuple[Records, Records]) -> None:
    whole = await first(source[0])
    future = await first(source[0], since=datetime.now(UTC) + timedelta(days=300))
    assert len(future) == (0 if source[0].windows else len(whole))


async def test_a_personal_record_is_that_persons(source: tuple[Records, Records]) -> None:
    found = 0
    for element in await first(source[0], 10):
        entry = source[0].read_entry(element)
        if entry.personal is None and entry.document_number.isdigit():
            person = await source[0].person(entry.document_number)
            found += person is not None and person.document_number == entry.document_number
        else:
            found += entry.personal is not None
    assert found >= 5
    assert await source[0].person("1") is None
