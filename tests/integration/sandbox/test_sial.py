"""The SIAL simulator over real sockets, and the synthetic people behind it. Source: contracts/sial.md."""

import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from sandbox.control import Fault, serve
from sandbox.sial import LISTS, V1_BASE, V2_BASE, SialData, SialState, build_app, make_people

NOW = datetime(2026, 2, 20, 12, tzinfo=UTC)
CREDENTIALS = ("sandbox-sial", "sandbox-sial-password")


def entry(document: int, *, changed_at: str, **fields: Any) -> dict[str, Any]:
    return {"changed_at": changed_at, "entry": {"tipodoc": "DNI", "nrodoc": document, "carreras": [], **fields}}


@pytest.fixture
def state() -> SialState:
    state = SialState(*CREDENTIALS)
    state.seed(
        {
            "lists": {
                "aspirantes": [
                    entry(40000001, changed_at="2026-02-14T23:59:59-03:00"),
                    entry(40000002, changed_at="2026-02-15T00:00:00-03:00"),
                    entry(40000003, changed_at="2026-02-15T10:31:30-03:00"),
                    entry(40000004, changed_at="2026-02-16T09:00:00-03:00"),
                ]
            },
            "records": {"40000001": {"tipodoc": "DNI", "nrodoc": "40000001", "nombre": "Ana"}, "40000002": None},
        }
    )
    return state


@pytest.fixture
async def http(state: SialState) -> AsyncIterator[httpx.AsyncClient]:
    runner, port = await serve(build_app(state), port=0)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", auth=CREDENTIALS, timeout=5) as client:
        yield client
    await runner.cleanup()


async def documents(http: httpx.AsyncClient, window: str) -> list[int]:
    response = await http.get(f"{V2_BASE}/aspirantes/listas/{window}")
    assert response.status_code == 200
    return [row["nrodoc"] % 100 for row in response.json()]


@pytest.mark.parametrize("auth", [None, ("sandbox-sial", "wrong"), ("wrong", "sandbox-sial-password")])
@pytest.mark.parametrize(
    "path", [f"{V2_BASE}/aspirantes/listas/", f"{V2_BASE}/alumnos/datospersonales/1", f"{V1_BASE}/aspirantes/"]
)
async def test_basic_credentials_are_asked_for(
    http: httpx.AsyncClient, path: str, auth: tuple[str, str] | None
) -> None:
    async with httpx.AsyncClient(base_url=http.base_url, auth=auth) as stranger:
        refused = await stranger.get(path)
    assert refused.status_code == 401
    assert refused.headers["WWW-Authenticate"].startswith("Basic ")
    assert (await http.get(path)).status_code == 200


@pytest.mark.parametrize("header", ["Bearer abc", "Basic ***", "Basic"])
async def test_other_credentials_are_refused(http: httpx.AsyncClient, header: str) -> None:
    async with httpx.AsyncClient(base_url=http.base_url, headers={"Authorization": header}) as stranger:
        assert (await stranger.get(f"{V2_BASE}/aspirantes/listas/")).status_code == 401


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        ("", [1, 2, 3, 4]),
        ("20260215", [2, 3, 4]),
        ("202602151031", [3, 4]),
        ("202602151032", [4]),
        ("20260214/20260214", [1]),
        ("20260215/20260215", [2, 3]),
        ("202602150000/202602151031", [2, 3]),
        ("202602150000/202602151030", [2]),
        ("20260216/20260215", []),
    ],
)
async def test_windows_are_university_time(http: httpx.AsyncClient, window: str, expected: list[int]) -> None:
    assert await documents(http, window) == expected


@pytest.mark.parametrize(
    "stamp", ["2026-02-15", "20261301", "20260230", "2026021510", "202602152460", "hoy", "２０２６０２１５"]
)
async def test_malformed_dates_are_400(http: httpx.AsyncClient, stamp: str) -> None:
    assert (await http.get(f"{V2_BASE}/aspirantes/listas/{stamp}")).status_code == 400
    assert (await http.get(f"{V2_BASE}/aspirantes/listas/20260101/{stamp}")).status_code == 400


async def test_unknown_lists_are_404(http: httpx.AsyncClient) -> None:
    for path in (f"{V2_BASE}/egresados/listas/", f"{V2_BASE}/egresados/listas", f"{V1_BASE}/egresados/"):
        assert (await http.get(path)).status_code == 404


async def test_the_slash_matters(http: httpx.AsyncClient) -> None:
    moved = await http.get(f"{V2_BASE}/aspirantes/listas")
    assert moved.status_code == 301
    assert moved.headers["Location"] == f"{V2_BASE}/aspirantes/listas/"
    followed = await http.get(f"{V2_BASE}/aspirantes/listas", follow_redirects=True)
    assert len(followed.json()) == 4


async def test_personal_record_is_an_array_of_one_or_none(http: httpx.AsyncClient) -> None:
    (record,) = (await http.get(f"{V2_BASE}/alumnos/datospersonales/40000001")).json()
    assert record["nrodoc"] == "40000001"
    for document in ("40000002", "99999999", "abc"):
        assert (await http.get(f"{V2_BASE}/alumnos/datospersonales/{document}")).json() == []


async def test_nothing_can_be_written(http: httpx.AsyncClient) -> None:
    assert (await http.post(f"{V2_BASE}/aspirantes/listas/", json={})).status_code == 405


async def test_v1_is_one_flat_list(http: httpx.AsyncClient, state: SialState) -> None:
    state.data = make_people(seed=1, preinscriptos=0, aspirantes=25, ingresantes=3, now=NOW)
    rows = (await http.get(f"{V1_BASE}/aspirantes/")).json()
    assert len(rows) == 25
    fields = {"dni", "apellido", "nombre", "email_personal", "email_institucional", "carrera"}
    assert all(set(row) == fields for row in rows)
    assert "Contador Público" in {row["carrera"] for row in rows}
    assert all(isinstance(row["dni"], str) for row in rows)
    assert len((await http.get(f"{V1_BASE}/ingresantes", follow_redirects=True)).json()) == 3


# --- faults and control ---


async def test_faults_for_one_list_and_for_one_person(http: httpx.AsyncClient, state: SialState) -> None:
    state.control.add_fault(Fault(match="listas/aspirantes", action="status", status=503, times=1))
    state.control.add_fault(Fault(match="datospersonales 40000001", action="status", status=500, times=1))
    assert (await http.get(f"{V2_BASE}/ingresantes/listas/")).status_code == 200
    assert (await http.get(f"{V2_BASE}/aspirantes/listas/")).status_code == 503
    assert (await http.get(f"{V2_BASE}/alumnos/datospersonales/40000002")).status_code == 200
    assert (await http.get(f"{V2_BASE}/alumnos/datospersonales/40000001")).status_code == 500
    assert (await http.get(f"{V2_BASE}/alumnos/datospersonales/40000001")).status_code == 200


async def test_late_answers(http: httpx.AsyncClient, state: SialState) -> None:
    state.control.add_fault(Fault(match="datospersonales", action="delay", delay_s=0.2, times=1))
    with pytest.raises(httpx.ReadTimeout):
        await http.get(f"{V2_BASE}/alumnos/datospersonales/40000001", timeout=0.05)
    assert len((await http.get(f"{V2_BASE}/alumnos/datospersonales/40000001")).json()) == 1


async def test_cut_and_html_answers(http: httpx.AsyncClient, state: SialState) -> None:
    state.control.add_fault(Fault(match="v1/aspirantes", action="cut_before", times=1))
    with pytest.raises(httpx.TransportError):
        await http.get(f"{V1_BASE}/aspirantes/")
    state.control.add_fault(Fault(match="listas/*", action="html", times=1))
    with pytest.raises(ValueError):
        (await http.get(f"{V2_BASE}/aspirantes/listas/")).json()


async def test_control_seeds_counts_and_resets(http: httpx.AsyncClient) -> None:
    row = {
        "entry": {"tipodoc": "DNI", "nrodoc": 41000000, "carreras": [{"id_carrera": 3, "fecha_inscri": "15/02/2026"}]}
    }
    record = {"nombre": "Ana", "apellido": "Suárez", "email": "ana@example.com"}
    wanted = {"replace": True, "lists": {"ingresantes": [row]}, "records": {"41000000": record}}
    assert (await http.post("/_control/seed", json=wanted)).is_success
    shown = (await http.get("/_control/state")).json()["lists"]
    assert (shown["aspirantes"]["entries"], shown["ingresantes"]["usable"]) == (0, 1)
    window = f"{V2_BASE}/ingresantes/listas/20260215/20260215"
    assert [one["nrodoc"] for one in (await http.get(window)).json()] == [41000000]
    await http.post("/_control/reset")
    assert (await http.get(f"{V2_BASE}/ingresantes/listas/")).json() == []


def test_an_unknown_list_cannot_be_seeded() -> None:
    with pytest.raises(ValueError, match="egresados"):
        SialState().seed({"lists": {"egresados": []}})


# --- the people ---


@pytest.fixture(scope="module")
def people() -> SialData:
    return make_people(seed=7, preinscriptos=10, aspirantes=40, ingresantes=10, now=NOW)


def careers(data: SialData) -> list[dict[str, Any]]:
    return [career for name in LISTS for one in data.lists[name] for career in one.body["carreras"]]


def test_same_seed_same_people(people: SialData) -> None:
    again = make_people(seed=7, preinscriptos=10, aspirantes=40, ingresantes=10, now=NOW)
    other = make_people(seed=8, preinscriptos=10, aspirantes=40, ingresantes=10, now=NOW)
    assert again == people
    assert other.records.keys().isdisjoint(people.records.keys())


def test_lists_have_the_length_asked_for(people: SialData) -> None:
    assert [len(people.lists[name]) for name in LISTS] == [10, 40, 10]
    for size in range(4):
        tiny = make_people(seed=1, preinscriptos=size, aspirantes=size, ingresantes=0, now=NOW)
        assert [len(tiny.lists[name]) for name in LISTS] == [size, size, 0]


def test_usable_is_what_is_left(people: SialData) -> None:
    reasons = Counter(one.reason for one in people.unusable("aspirantes"))
    assert reasons == {"document": 1, "record": 1, "name": 1, "email": 1, "career": 1}
    assert people.usable("aspirantes") == 40 - 5 - 1  # five cannot be used, one stands twice
    assert (people.usable("preinscriptos"), people.usable("ingresantes")) == (10, 10)
    assert len(people.usable_documents("aspirantes")) == 34


def test_one_entry_twice_and_one_person_on_two_lists(people: SialData) -> None:
    counts = {name: Counter(one.document for one in people.lists[name] if one.document) for name in LISTS}
    assert sorted(counts["aspirantes"].values())[-2:] == [1, 2]
    shared = counts["aspirantes"].keys() & counts["preinscriptos"].keys()
    assert len(shared) == 1
    assert not counts["ingresantes"].keys() & counts["aspirantes"].keys()


def test_numbers_in_lists_and_texts_in_records(people: SialData) -> None:
    entries = [one.body for name in LISTS for one in people.lists[name]]
    assert all(body["nrodoc"] is None or 40_000_000 <= body["nrodoc"] < 48_000_000 for body in entries)
    records = [record for record in people.records.values() if record is not None]
    assert all(re.fullmatch(r"4[0-7][0-9]{6}", record["nrodoc"]) for record in records)
    assert all(re.fullmatch(r"\d\d/\d\d/\d\d", record["fecha_natal"]) for record in records)


def test_every_quirk_of_a_career_is_there(people: SialData) -> None:
    entries = [one.body for name in LISTS for one in people.lists[name]]
    assert Counter(len(body["carreras"]) for body in entries)[0] == 1
    assert any(len(body["carreras"]) == 2 for body in entries)
    every = careers(people)
    assert {career["id_carrera"] for career in every} == {2, 3, 4, 7, 8, 99}
    assert {career["modalidad"] for career in every} == {"1", "2"}
    assert {type(career["cohorte"]) for career in every} == {int, type(None)}
    commissions = [commission["id_comision"] for career in every for commission in career["comisiones"]]
    assert commissions.count(9999999) == 1
    assert set(commissions) - {9999999} == {41, 42, 43, 44, 45}
    lengths = {len(career["fecha_inscri"]) for career in every}
    assert lengths == {len("15/02/2026"), len("15/02/2026 10:31:00")}


def test_every_quirk_of_a_name_is_there(people: SialData) -> None:
    names = [f"{record['nombre']}|{record['apellido']}" for record in people.records.values() if record is not None]
    assert any("'" in name for name in names)
    assert any(name.isupper() for name in names)
    assert any("  " in name for name in names)
    assert any(" de la " in name for name in names)
    assert any("ü" in name for name in names)
    assert any(record is not None and record["fecha_natal"] == "03/09/58" for record in people.records.values())


def test_addresses_are_nobodys(people: SialData) -> None:
    addresses = [record["email"] for record in people.records.values() if record is not None]
    real = [address for address in addresses if "@" in address]
    assert len(addresses) - len(real) == 1
    assert all(address.endswith(("@example.com", "@example.org")) for address in real)
    assert len(set(real)) == len(real)


def test_changes_are_before_now_and_match_the_enrolment(people: SialData) -> None:
    for name in LISTS:
        for one in people.lists[name]:
            assert one.changed_at <= NOW
            for career in one.body["carreras"]:
                assert career["fecha_inscri"].startswith(f"{one.changed_at:%d/%m/%Y}")


def test_people_are_json(people: SialData) -> None:
    assert json.loads(json.dumps(SialState(data=people).snapshot()))["lists"]["aspirantes"]["usable"] == 34


def test_a_large_crowd_has_no_number_twice() -> None:
    crowd = make_people(seed=3, preinscriptos=0, aspirantes=5000, ingresantes=0, now=NOW)
    assert crowd.usable("aspirantes") == 5000 - 6
