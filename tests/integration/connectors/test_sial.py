"""The SIAL connector over real sockets against the simulator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from aiohttp import web

from connectors.sial import SialFlatRecords, SialRecords
from lucy.domain.students import SourceList
from lucy.errors import Refused, RemoteError, RetryLater, System, Unreadable
from lucy.ports import SourceEntry, SourcePerson, StudentRecords
from sandbox.control import Fault, serve
from sandbox.sial.app import build_app
from sandbox.sial.state import SialState
from tests.integration.connectors.counting import CountingLimiter

CORDOBA = ZoneInfo("America/Argentina/Cordoba")
ASPIRANTES = SourceList.ASPIRANTES


@dataclass
class Bench:
    state: SialState
    base_url: str
    http: httpx.AsyncClient
    limiter: CountingLimiter

    def records(self, *, base_url: str = "", password: str = "", timeout_s: float = 2.0) -> SialRecords:
        return SialRecords(
            base_url=base_url or self.base_url,
            user=self.state.user,
            password=password or self.state.password,
            http=self.http,
            limiter=self.limiter,
            zone=CORDOBA,
            today=lambda: date(2026, 2, 20),
            list_timeout_s=timeout_s,
            person_timeout_s=timeout_s,
        )

    def flat(self) -> SialFlatRecords:
        return SialFlatRecords(
            base_url=self.base_url,
            user=self.state.user,
            password=self.state.password,
            http=self.http,
            limiter=self.limiter,
        )

    def fail(self, match: str, action: str, **more: Any) -> None:
        self.state.control.add_fault(Fault(match=match, action=action, **more))


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    state = SialState()
    state.seed(
        {
            "lists": {
                "aspirantes": [
                    {"changed_at": "2026-02-15T10:31:00-03:00", "entry": entry(27896410)},
                    {"changed_at": "2026-02-16T00:00:00-03:00", "entry": entry(30111222)},
                    {"changed_at": "2026-02-17T00:00:00-03:00", "entry": {"nrodoc": None, "carreras": []}},
                ]
            },
            "records": {"27896410": record("27896410"), "30111222": None},
        }
    )
    runner, port = await serve(build_app(state), port=0)
    async with httpx.AsyncClient(trust_env=False) as http:
        yield Bench(state, f"http://127.0.0.1:{port}", http, CountingLimiter())
    await runner.cleanup()


def entry(number: int) -> dict[str, Any]:
    career = {
        "id_carrera": 3,
        "nombre_carrera": "CONTADOR PÚBLICO",
        "fecha_inscri": "15/02/2026 10:31:00",
        "modalidad": "1",
        "cohorte": None,
        "comisiones": [{"id_comision": 41, "nombre_comision": "COMISION 01"}],
    }
    return {"tipodoc": "DNI", "nrodoc": number, "carreras": [career]}


def record(number: str) -> dict[str, Any]:
    return {
        "tipodoc": "DNI",
        "nrodoc": number,
        "nombre": " Ana ",
        "apellido": "SUÁREZ",
        "email": "ana@example.com",
        "fecha_natal": "03/09/58",
        "telefono": "54-358-456-1234",
        "localidad": "Río Cuarto",
    }


async def all_of(records: StudentRecords, **window: Any) -> list[SourceEntry]:
    return [records.read_entry(one) async for one in records.entries(ASPIRANTES, **window)]


async def test_a_whole_list(bench: Bench) -> None:
    entries = await all_of(bench.records())
    assert [one.document_number for one in entries] == ["27896410", "30111222", ""]
    assert entries[0].careers[0].enrolled_on == datetime(2026, 2, 15, 13, 31, tzinfo=UTC)
    assert entries[0].careers[0].name == "CONTADOR PÚBLICO"
    assert bench.limiter.spent[System.SIAL] == 1


async def test_base_url_may_hold_the_dialects_path(bench: Bench) -> None:
    records = bench.records(base_url=f"{bench.base_url}/webservice/sial/V2/04/")
    assert len(await all_of(records)) == 3


async def test_windows(bench: Bench) -> None:
    records = bench.records()
    since = datetime(2026, 2, 15, 13, 31, tzinfo=UTC)
    until = datetime(2026, 2, 16, 2, 58, 30, tzinfo=UTC)
    assert len(await all_of(records, since=since)) == 3
    assert [one.document_number for one in await all_of(records, since=since, until=until)] == ["27896410"]
    assert [one.document_number for one in await all_of(records, until=until)] == ["27896410"]
    call = bench.state.control.calls("listas/aspirantes")[1]
    assert (call["since"], call["until"]) == ("202602151031", "202602152359")


async def test_a_list_that_is_not_there_is_empty_not_wrong(bench: Bench) -> None:
    assert [one async for one in bench.records().entries(SourceList.INGRESANTES)] == []


async def test_person(bench: Bench) -> None:
    records = bench.records()
    assert await records.person("27896410") == SourcePerson(
        document_number="27896410",
        first_name="Ana",
        last_name="SUÁREZ",
        email="ana@example.com",
        phone="54-358-456-1234",
        locality="Río Cuarto",
        born_on=date(1958, 9, 3),
    )
    assert await records.person("30111222") is None
    assert await records.person("1") is None


async def test_wrong_credentials(bench: Bench) -> None:
    with pytest.raises(Refused) as caught:
        await all_of(bench.records(password="wrong"))
    assert caught.value.code == "U-001"
    assert "wrong" not in f"{caught.value!r}"


async def test_a_wrong_address(bench: Bench) -> None:
    with pytest.raises(Refused) as caught:
        await all_of(bench.records(base_url=f"{bench.base_url}/elsewhere"))
    assert caught.value.code == "U-004"


@pytest.mark.parametrize(
    ("action", "more", "family", "code"),
    [
        ("status", {"status": 500}, RetryLater, "U-002"),
        ("status", {"status": 503, "retry_after_s": 9}, RetryLater, "U-002"),
        ("cut_before", {}, RetryLater, "U-002"),
        ("cut_after", {}, RetryLater, "U-002"),
        ("truncate", {}, RetryLater, "U-002"),
        ("delay", {"delay_s": 0.2}, RetryLater, "U-002"),
        ("html", {}, Unreadable, "U-003"),
        ("malformed", {}, Unreadable, "U-003"),
        ("status", {"status": 200, "body": {"error": "x"}}, Unreadable, "U-003"),
        ("status", {"status": 404}, Refused, "U-004"),
        ("status", {"status": 400}, Refused, "U-004"),
    ],
)
async def test_failures(bench: Bench, action: str, more: dict[str, Any], family: type[RemoteError], code: str) -> None:
    records = bench.records(timeout_s=0.1 if action == "delay" else 5.0)
    for match in ("listas/aspirantes", "datospersonales"):
        bench.fail(match, action, **more)
    with pytest.raises(family) as caught:
        await all_of(records)
    assert caught.value.code == code
    with pytest.raises(family) as caught:
        await records.person("27896410")
    assert caught.value.code == code


async def test_a_named_wait_holds_everybody_back(bench: Bench) -> None:
    bench.fail("listas", "status", status=429, retry_after_s=9)
    with pytest.raises(RetryLater) as caught:
        await all_of(bench.records())
    assert (caught.value.after_s, caught.value.throttled) == (9, True)
    assert bench.limiter.held_back_s == {System.SIAL: 9}


async def test_a_closed_port() -> None:
    async with httpx.AsyncClient(trust_env=False) as http:
        dead = Bench(SialState(), "http://127.0.0.1:1", http, CountingLimiter())
        with pytest.raises(RetryLater) as caught:
            await all_of(dead.records())
    assert caught.value.code == "U-002"


async def test_dialect_v1(bench: Bench) -> None:
    entries = await all_of(bench.flat(), since=datetime(2026, 2, 15, tzinfo=UTC))
    assert [one.document_number for one in entries] == ["27896410", "30111222", ""]
    assert entries[0].personal == SourcePerson("27896410", "Ana", "SUÁREZ", "ana@example.com")
    assert entries[0].careers[0].name == "Contador Público"
    assert await bench.flat().person("27896410") is None


# Redirects


@asynccontextmanager
async def redirecting(target: str) -> AsyncIterator[tuple[str, list[bool]]]:
    """A server that sends every request on to `target` + its path, and remembers whether credentials came."""
    seen: list[bool] = []

    async def send_on(request: web.Request) -> web.Response:
        seen.append("Authorization" in request.headers)
        if request.path.endswith("/here"):
            return web.json_response([])
        return web.Response(status=302, headers={"Location": f"{target}{request.path}here"})

    app = web.Application()
    app.router.add_get("/{path:.*}", send_on)
    runner, port = await serve(app, port=0)
    try:
        yield f"http://127.0.0.1:{port}", seen
    finally:
        await runner.cleanup()


async def test_credentials_go_along_on_the_same_host(bench: Bench) -> None:
    async with redirecting("") as (address, seen):
        assert await all_of(bench.records(base_url=address)) == []
    assert seen == [True, True]
    assert bench.limiter.spent[System.SIAL] == 2


async def test_credentials_do_not_go_to_another_host(bench: Bench) -> None:
    async with redirecting("") as (elsewhere, seen_elsewhere), redirecting(elsewhere) as (address, seen):
        assert await all_of(bench.records(base_url=address)) == []
    assert seen == [True]
    assert seen_elsewhere == [False]


async def test_redirects_in_circles_end(bench: Bench) -> None:
    async def circle(request: web.Request) -> web.Response:
        return web.Response(status=301, headers={"Location": request.path})

    app = web.Application()
    app.router.add_get("/{path:.*}", circle)
    runner, port = await serve(app, port=0)
    with pytest.raises(Unreadable):
        await all_of(bench.records(base_url=f"http://127.0.0.1:{port}"))
    await runner.cleanup()
