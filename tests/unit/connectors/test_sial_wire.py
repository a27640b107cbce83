"""SIAL's shapes and quirks, contracts/sial.md."""

import json
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.sial import wire
from connectors.sial.stream import DEEPEST, LONGEST_ELEMENT, ElementStream
from lucy.domain.students import SourceList
from lucy.errors import Refused, RemoteError, RetryLater, Unreadable
from lucy.ports import SourceCareer, SourceCommission, SourcePerson

CORDOBA = ZoneInfo("America/Argentina/Cordoba")
TODAY = date(2026, 2, 20)
BASE = "https://sial.example.org/webservice/sial/V2/04"

ENTRY = {
    "tipodoc": "DNI",
    "nrodoc": 27896410,
    "carreras": [
        {
            "id_carrera": 3,
            "nombre_carrera": "CONTADOR PÚBLICO",
            "fecha_inscri": "15/02/2026 10:31:00",
            "modalidad": "1",
            "cohorte": None,
            "comisiones": [{"id_comision": 41, "nombre_comision": "COMISION 01"}],
        }
    ],
}
RECORD = {
    "tipodoc": "DNI",
    "nrodoc": "27896410",
    "nombre": "Ana",
    "apellido": "Suárez",
    "email": "ana@example.com",
    "fecha_natal": "03/09/87",
    "telefono": "54-358-456-1234",
    "localidad": "Río Cuarto",
}


def test_base_is_added_once() -> None:
    assert wire.base("https://sial.example.org/", path=wire.V2_BASE) == BASE
    assert wire.base(BASE, path=wire.V2_BASE) == BASE


@pytest.mark.parametrize(
    ("since", "until", "tail"),
    [
        (None, None, ""),
        (datetime(2026, 2, 15, 13, 31, 59, tzinfo=UTC), None, "202602151031"),
        (datetime(2026, 2, 15, 2, 0, tzinfo=UTC), datetime(2026, 2, 15, 3, 0, tzinfo=UTC), "202602142300/202602150000"),
        (None, datetime(2026, 2, 15, 13, 31, 1, tzinfo=UTC), "19700101/202602151032"),
    ],
)
def test_windows_are_in_the_universitys_time(since: datetime | None, until: datetime | None, tail: str) -> None:
    address = wire.list_address(BASE, SourceList.ASPIRANTES, since=since, until=until, zone=CORDOBA)
    assert address == f"{BASE}/aspirantes/listas/{tail}"


def test_naive_windows_are_refused() -> None:
    naive = datetime(2026, 2, 15, tzinfo=UTC).replace(tzinfo=None)
    with pytest.raises(ValueError, match="aware"):
        wire.stamp(naive, zone=CORDOBA)


@pytest.mark.parametrize("number", ["", "../x", "1/2", "1?x"])
def test_no_strange_path_for_a_person(number: str) -> None:
    with pytest.raises(ValueError, match="document number"):
        wire.person_address(BASE, number)


@pytest.mark.parametrize(
    ("status", "location", "target"),
    [
        (200, "/x", None),
        (301, "", None),
        (302, "listas/", "https://sial.example.org/a/listas/"),
        (308, "https://other.example.org/", "https://other.example.org/"),
        (301, "file:///etc/passwd", None),
        (301, "https://x:port/", None),
    ],
)
def test_redirects(status: int, location: str, target: str | None) -> None:
    assert wire.redirect(status, {"location": location}, address="https://sial.example.org/a/listas") == target


@pytest.mark.parametrize(
    ("target", "may"),
    [
        ("http://sial.example.org/b/", True),
        ("https://sial.example.org/b/", True),
        ("http://sial.example.org:81/b/", False),
        ("http://other.example.org/b/", False),
        ("http://sial.example.org.evil.example/", False),
    ],
)
def test_credentials_stay_on_their_host(target: str, may: bool) -> None:
    assert wire.may_see_credentials(target, of="http://sial.example.org/a") is may


def test_credentials_never_go_from_https_to_http() -> None:
    assert not wire.may_see_credentials("http://sial.example.org/", of="https://sial.example.org/")


def test_entry() -> None:
    entry = wire.read_entry(ENTRY, zone=CORDOBA)
    assert (entry.document_type, entry.document_number) == ("DNI", "27896410")
    assert entry.raw == ENTRY
    assert entry.careers == (
        SourceCareer(
            career_id=3,
            name="CONTADOR PÚBLICO",
            enrolled_on=datetime(2026, 2, 15, 10, 31, tzinfo=CORDOBA),
            modality="1",
            cohort=None,
            commissions=(SourceCommission(41, "COMISION 01"),),
        ),
    )


@pytest.mark.parametrize("number", ["27896410", " 27896410 ", 27896410, 27896410.0])
def test_document_numbers_come_as_numbers_and_text(number: object) -> None:
    assert wire.read_entry({**ENTRY, "nrodoc": number}, zone=CORDOBA).document_number == "27896410"


@pytest.mark.parametrize(
    "element",
    [None, "x", 7, [], {}, {"tipodoc": 1, "nrodoc": None, "carreras": {}}, {"nrodoc": [1], "carreras": None}],
)
def test_an_unusable_entry_still_comes_out(element: object) -> None:
    entry = wire.read_entry(element, zone=CORDOBA)
    assert entry.document_number == ""
    assert entry.careers == ()
    assert entry.raw == (element if isinstance(element, dict) else {"entry": element})


def test_wrong_types_in_a_career() -> None:
    broken = {"id_carrera": "x", "nombre_carrera": 5, "fecha_inscri": "hoy", "cohorte": "2026", "comisiones": [None]}
    entry = wire.read_entry({"nrodoc": 1, "carreras": [broken, "nada"]}, zone=CORDOBA)
    assert entry.careers == (
        SourceCareer(None, "5", None, "", 2026, (SourceCommission(0, ""),)),
        SourceCareer(None, "", None, "", None),
    )


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("15/02/2026", datetime(2026, 2, 15, tzinfo=CORDOBA)),
        ("15/02/2026 10:31", datetime(2026, 2, 15, 10, 31, tzinfo=CORDOBA)),
        ("31/02/2026", None),
        ("", None),
    ],
)
def test_enrolment_dates(written: str, moment: datetime | None) -> None:
    entry = wire.read_entry({"carreras": [{"fecha_inscri": written}]}, zone=CORDOBA)
    assert entry.careers[0].enrolled_on == moment


def test_person() -> None:
    person = wire.read_person(RECORD, document_number="27896410", today=TODAY)
    assert person == SourcePerson(
        document_number="27896410",
        first_name="Ana",
        last_name="Suárez",
        email="ana@example.com",
        phone="54-358-456-1234",
        locality="Río Cuarto",
        born_on=date(1987, 9, 3),
    )


def test_person_is_trimmed_and_keeps_its_capitals() -> None:
    record = {"nombre": "  Juan   Cruz ", "apellido": "D'ANGELO\u00a0", "email": None}
    person = wire.read_person(record, document_number="1", today=TODAY)
    assert person == SourcePerson(document_number="1", first_name="Juan Cruz", last_name="D'ANGELO", email="")


@pytest.mark.parametrize("record", [{"nrodoc": "30111222"}, "text", [RECORD]])
def test_a_record_of_somebody_else_is_not_taken(record: object) -> None:
    with pytest.raises(Unreadable) as caught:
        wire.read_person(record, document_number="27896410", today=TODAY)
    assert caught.value.code == "U-003"


@pytest.mark.parametrize(
    ("written", "born"),
    [
        ("03/09/87", date(1987, 9, 3)),
        ("03/09/58", date(1958, 9, 3)),
        ("20/02/26", date(2026, 2, 20)),
        ("21/02/26", date(1926, 2, 21)),
        ("29/02/04", date(2004, 2, 29)),
        ("29/02/05", None),
        ("03/09/2001", date(2001, 9, 3)),
        ("03/09/2031", None),
        ("", None),
    ],
)
def test_births(written: str, born: date | None) -> None:
    assert wire.born_on(written, today=TODAY) == born


@given(st.dates(min_value=date(1926, 2, 21), max_value=TODAY))
def test_two_digit_years_come_back(born: date) -> None:
    assert wire.born_on(born.strftime("%d/%m/%y"), today=TODAY) == born


def test_flat_entry() -> None:
    entry = wire.read_flat_entry(
        {
            "dni": "12345678",
            "apellido": "Pérez",
            "nombre": "Juan",
            "email_personal": "juan@example.com",
            "email_institucional": "juan.perez@estudiantes.example.edu.ar",
            "carrera": "Contador Público",
        }
    )
    assert entry.document_number == "12345678"
    assert entry.personal == SourcePerson("12345678", "Juan", "Pérez", "juan@example.com")
    assert [career.name for career in entry.careers] == ["Contador Público"]


NAMES = st.sampled_from(["nrodoc", "tipodoc", "carreras", "comisiones", "fecha_inscri", "fecha_natal", "cohorte"])


def streamed(body: bytes, *, piece: int = 65_536) -> list[object]:
    stream = ElementStream("list")
    found = [one for start in range(0, len(body), piece) for one in stream.feed(body[start : start + piece])]
    stream.close()
    return found


JSON_VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)


@given(st.lists(JSON_VALUES), st.integers(0, 2), st.integers(1, 9))
def test_elements_are_those_of_the_list(rows: list[object], indent: int, piece: int) -> None:
    body = json.dumps(rows, indent=indent or None, ensure_ascii=False).encode()
    assert streamed(body, piece=piece) == json.loads(body.replace(b"\\u0000", b"\\ufffd"))


@given(st.lists(st.dictionaries(st.text(), st.integers()), min_size=1), st.data())
def test_a_cut_list_is_never_taken_for_whole(rows: list[object], data: st.DataObject) -> None:
    body = json.dumps(rows).encode()
    with pytest.raises(Unreadable):
        streamed(body[: data.draw(st.integers(0, len(body) - 1))])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "null",
        "<html>",
        "[1,]",
        "[1 2]",
        "[1]]",
        '["a]',
        "[,]",
        "[" * 5000 + "]",
        "[NaN]",
        "[1] x",
        "[-Infinity]",
    ],
)
def test_what_is_not_a_list_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable) as caught:
        streamed(text.encode())
    assert caught.value.code == "U-003"


def test_text_that_is_not_utf8_is_unreadable() -> None:
    for body in ('["Suárez"]'.encode("latin-1"), '["á'.encode()[:-1]):
        with pytest.raises(Unreadable):
            streamed(body)


def test_an_element_has_bounds() -> None:
    for body in (b'["' + b"x" * (LONGEST_ELEMENT + 2) + b'"]', b"[" * (DEEPEST + 2) + b"]" * (DEEPEST + 2)):
        with pytest.raises(Unreadable):
            streamed(body)


def test_what_no_database_keeps_is_replaced() -> None:
    assert streamed(b'[{"nombre": "A\\u0000n\\ud800a"}]') == [{"nombre": "A\ufffdn\ufffda"}]


@given(st.binary(max_size=400), st.integers(1, 40))
def test_any_bytes_are_entries_or_unreadable(body: bytes, piece: int) -> None:
    try:
        rows = streamed(body, piece=piece)
    except Unreadable:
        return
    for row in rows:
        assert isinstance(wire.read_entry(row, zone=CORDOBA).document_number, str)
        assert isinstance(wire.read_flat_entry(row).document_number, str)


@given(st.recursive(JSON_VALUES | st.floats(allow_nan=False), lambda inner: st.dictionaries(NAMES, inner)))
def test_any_json_is_an_entry_and_a_person_or_unreadable(row: object) -> None:
    assert wire.read_entry(row, zone=CORDOBA).careers is not None
    try:
        wire.read_person(row, document_number="1", today=TODAY)
    except Unreadable as error:
        assert error.code == "U-003"


@pytest.mark.parametrize(
    ("status", "family", "code"),
    [
        (401, Refused, "U-001"),
        (403, Refused, "U-001"),
        (404, Refused, "U-004"),
        (400, Refused, "U-004"),
        (429, RetryLater, "U-002"),
        (500, RetryLater, "U-002"),
        (503, RetryLater, "U-002"),
    ],
)
def test_statuses(status: int, family: type[RemoteError], code: str) -> None:
    error = wire.status_error("list", status, retry_after_s=None)
    assert type(error) is family
    assert error.code == code


def test_a_named_wait_is_kept() -> None:
    error = wire.status_error("list", 503, retry_after_s=7)
    assert isinstance(error, RetryLater)
    assert (error.after_s, error.throttled) == (7, True)
