import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.domain.ingest import (
    Held,
    HeldReason,
    KnownCareer,
    commission_name,
    entry_print,
    explain,
    interpret,
    is_email,
    join_prints,
    person_key,
    tidy,
    tidy_name,
)
from lucy.domain.source import SourceCommission, SourceEntry
from lucy.domain.students import Career, Modality
from tests.unit.lucy.people import THOROUGHLY, entry, person, source_career

CAREERS = {
    3: KnownCareer(3, "CP", "Contador Público"),
    4: KnownCareer(4, "LA", "Licenciatura en Administración"),
}
CORDOBA = ZoneInfo("America/Argentina/Cordoba")
FEBRUARY = datetime(2026, 2, 15, 10, 31, tzinfo=CORDOBA)
COM_01, COM_02 = SourceCommission(41, "COMISION 01"), SourceCommission(42, "Comisión 02")
INCONSISTENT = SourceCommission(9999999, "COMISION 99")


def test_a_usable_entry() -> None:
    source = source_career(enrolled_on=FEBRUARY, commissions=(COM_01,))
    who = person(phone=" 54-358-456-1234 ", locality="Río  Cuarto", born_on=date(1987, 9, 3))
    facts, held = interpret([entry(source)], who, CAREERS)
    assert held == []
    assert facts is not None
    assert (facts.first_name, facts.last_name, facts.personal_email) == ("Ana", "Suárez", "ana@example.com")
    assert (facts.phone, facts.locality, facts.born_on) == ("54-358-456-1234", "Río Cuarto", "1987-09-03")
    assert facts.careers == (Career(3, "CP", "Contador Público", Modality.PRES, 2026, ("01",), "2026-02-15"),)
    assert facts.cohort == 2026


@pytest.mark.parametrize(
    ("who", "reason"),
    [
        (None, HeldReason.NO_PERSONAL_RECORD),
        (person(first_name=""), HeldReason.NO_NAME),
        (person(last_name="  \u200b "), HeldReason.NO_NAME),
        (person(last_name="-"), HeldReason.NO_NAME),
        (person(first_name="123"), HeldReason.NO_NAME),
        (person(email=""), HeldReason.BAD_EMAIL),
        (person(email="no tiene"), HeldReason.BAD_EMAIL),
        (person(email="ana@example.com, ana@example.org"), HeldReason.BAD_EMAIL),
    ],
)
def test_a_person_that_cannot_be_used(who: Any, reason: HeldReason) -> None:
    assert interpret([entry(source_career())], who, CAREERS) == (None, [Held(reason)])


def test_an_entry_without_usable_number_has_no_key() -> None:
    """The run keeps those aside as NO_DOCUMENT before it asks for anything."""
    for number in ("", "S/D", "12345", "AB123456"):
        assert person_key(entry(document_number=number)) is None


@pytest.mark.parametrize(
    ("type_", "number", "key"),
    [
        ("DNI", "27896410", ("DNI", "27896410")),
        (" dni ", "27.896.410", ("DNI", "27896410")),
        ("", "27896410", ("DNI", "27896410")),
        ("Pas\x00", "1234567", ("PAS", "1234567")),
    ],
)
def test_a_person_is_known_by_type_and_number(type_: str, number: str, key: tuple[str, str]) -> None:
    assert person_key(entry(document_type=type_, document_number=number)) == key


def test_an_unknown_career_alone_holds_the_entry() -> None:
    unknown = entry(source_career(career_id=99), source_career(career_id=None, name="Tango"))
    assert interpret([unknown, unknown], person(), CAREERS) == (None, [Held(HeldReason.UNKNOWN_CAREER, "99, Tango")])


def test_one_unknown_career_of_two_is_told_and_the_other_used() -> None:
    facts, held = interpret([entry(source_career(career_id=99), source_career())], person(), CAREERS)
    assert facts is not None
    assert [career.code for career in facts.careers] == ["CP"]
    assert held == [Held(HeldReason.UNKNOWN_CAREER, "99")]


def test_nobody_is_held_for_having_no_career() -> None:
    facts, held = interpret([entry()], person(), CAREERS)
    assert facts is not None
    assert (facts.careers, facts.cohort, held) == ((), None, [])


def test_the_inconsistent_commission_is_told_and_not_used() -> None:
    source = source_career(commissions=(INCONSISTENT, COM_02))
    facts, held = interpret([entry(source)], person(), CAREERS)
    assert facts is not None
    assert facts.careers[0].commissions == ("02",)
    assert held == [Held(HeldReason.INCONSISTENT_COMMISSION)]


def test_both_remarks_on_one_entry() -> None:
    source = entry(source_career(commissions=(INCONSISTENT,)), source_career(career_id=99))
    facts, held = interpret([source], person(), CAREERS)
    assert facts is not None
    assert [one.reason for one in held] == [HeldReason.UNKNOWN_CAREER, HeldReason.INCONSISTENT_COMMISSION]


def test_two_careers_and_all_their_commissions_count() -> None:
    """C.17, 11: not only the first."""
    one = source_career(career_id=4, modality="2", cohort=2024, commissions=(COM_02, COM_01, COM_01))
    other = source_career(enrolled_on=FEBRUARY)
    facts, _held = interpret([entry(one, other)], person(), CAREERS)
    assert facts is not None
    assert [(career.code, career.modality, career.cohort) for career in facts.careers] == [
        ("CP", Modality.PRES, 2026),
        ("LA", Modality.DIST, 2024),
    ]
    assert facts.careers[1].commissions == ("01", "02")
    assert facts.cohort == 2026


def test_a_person_listed_twice_loses_nothing() -> None:
    """The source repeats some people; each entry may carry a commission of its own."""
    early = entry(source_career(cohort=2025, commissions=(COM_01,), enrolled_on=datetime(2025, 3, 1, tzinfo=CORDOBA)))
    late = entry(source_career(commissions=(COM_02,), enrolled_on=FEBRUARY), source_career(career_id=4))
    for entries in ([early, late], [late, early], [early, late, early]):
        facts, held = interpret(entries, person(), CAREERS)
        assert facts is not None
        assert held == []
        assert facts.careers == (
            Career(3, "CP", "Contador Público", Modality.PRES, 2026, ("01", "02"), "2026-02-15"),
            Career(4, "LA", "Licenciatura en Administración", Modality.PRES, None, (), ""),
        )


def test_one_career_in_both_modalities_stays_two() -> None:
    facts, _held = interpret([entry(source_career(modality="1"), source_career(modality="2"))], person(), CAREERS)
    assert facts is not None
    assert {career.modality for career in facts.careers} == set(Modality)


@pytest.mark.parametrize(
    ("written", "modality"), [("1", Modality.PRES), (" 2 ", Modality.DIST), ("", None), ("3", None)]
)
def test_modalities(written: str, modality: Modality | None) -> None:
    facts, _held = interpret([entry(source_career(modality=written))], person(), CAREERS)
    assert facts is not None
    assert facts.careers[0].modality is modality


@pytest.mark.parametrize(
    ("cohort", "enrolled_on", "expected"),
    [
        (2024, FEBRUARY, 2024),
        (None, FEBRUARY, 2026),
        (0, FEBRUARY, 2026),
        (None, None, None),
        (None, datetime(2025, 12, 31, 23, 30, tzinfo=CORDOBA), 2025),  # 2026 already in UTC
    ],
)
def test_the_cohort_is_the_year_of_enrolment_where_the_source_is_silent(
    cohort: int | None, enrolled_on: datetime | None, expected: int | None
) -> None:
    facts, _held = interpret([entry(source_career(cohort=cohort, enrolled_on=enrolled_on))], person(), CAREERS)
    assert facts is not None
    assert facts.careers[0].cohort == facts.cohort == expected


@pytest.mark.parametrize("name", ["Contador Público", "CONTADOR PUBLICO", " contador  pu\u0301blico "])
def test_the_flat_dialect_names_careers_only_by_name(name: str) -> None:
    facts, held = interpret([entry(source_career(career_id=None, name=name))], person(), CAREERS)
    assert facts is not None
    assert (facts.careers[0].code, held) == ("CP", [])


def test_an_id_that_is_unknown_is_not_guessed_by_its_name() -> None:
    facts, _held = interpret([entry(source_career(career_id=99, name="Contador Público"))], person(), CAREERS)
    assert facts is None


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("COMISION 01", "01"),
        ("Comisión 1", "01"),
        ("COMISIO\u0301N  12 ", "12"),
        ("noche", "NOCHE"),
        ("01", "01"),
        ("COMISION A", "A"),
        ("COMISIONADOS", "COMISIONADOS"),
        ("", ""),
    ],
)
def test_commissions_as_rules_and_people_write_them(source: str, name: str) -> None:
    assert commission_name(source) == name


def test_a_commission_without_name_is_none() -> None:
    facts, _held = interpret([entry(source_career(commissions=(SourceCommission(7, " "),)))], person(), CAREERS)
    assert facts is not None
    assert facts.careers[0].commissions == ()


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("O'HIGGINS DE LA PUENTE", "O'Higgins de la Puente"),
        ("D’ANGELO", "D’Angelo"),
        ("DE LA PUENTE", "De la Puente"),
        ("DEL VALLE", "Del Valle"),
        ("ORTEGA Y GASSET", "Ortega y Gasset"),
        ("PÉREZ-GÓMEZ", "Pérez-Gómez"),
        ("ÑAÑEZ", "Ñañez"),
        ("MARIA DE LOS ANGELES", "Maria de los Angeles"),
        ("MARÍA E", "María E"),  # an initial
        ("J. R.", "J. R."),
        ("MCDONALD", "Mcdonald"),  # how it is written nobody can know
        ("McDONALD", "McDONALD"),  # somebody took care, or nobody did: left alone
        ("de la Puente", "de la Puente"),
        ("ana", "ana"),
        ("PÉREZ Gómez", "PÉREZ Gómez"),
        ("  Ana   María ", "Ana María"),
        ("Ana\u00a0María", "Ana María"),
        ("ANA\tMARÍA", "Ana María"),
        ("A\u0301LVAREZ", "Álvarez"),  # decomposed
        ("Ana\u200b\x00", "Ana"),
        ("X", "X"),
        ("", ""),
    ],
)
def test_names_are_tidied(source: str, name: str) -> None:
    assert tidy_name(source) == name


@THOROUGHLY
@given(st.text() | st.text(alphabet="ABÑÉéa'’-. \t\n\u00a0\u200b\x00\u0301"))
def test_tidying_leaves_nothing_unseen_and_is_done_once(text: str) -> None:
    tidied = tidy(text)
    assert tidied.isprintable()
    assert tidied == " ".join(tidied.split())
    assert tidy(tidied) == tidied
    assert tidy_name(text).casefold() == tidied.casefold()
    assert tidy_name(tidy_name(text)) == tidy_name(text)


@pytest.mark.parametrize(
    "address",
    [
        "ana@example.com",
        "ana.suarez+fce@alumnos.unrc.edu.ar",
        "o'higgins_99@x-y.com.ar",
        "a@b.co",
        "ana@xn--ro-hia.com.ar",
        "a" * 60 + "@example.com",
    ],
)
def test_addresses(address: str) -> None:
    assert is_email(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@",
        "@example.com",
        "ana@example",
        "ana@example.c",
        "ana@example..com",
        "ana@.example.com",
        "ana@example.com.",
        "ana@-example.com",
        "ana@1.2.3.44",
        ".ana@example.com",
        "ana.@example.com",
        "ana..s@example.com",
        "ana suarez@example.com",
        "ana@exam ple.com",
        "ana@example.com\n",
        "ana@example.com\r\nBcc: x@example.com",
        "ana@ex\x00ample.com",
        "ana@@example.com",
        "ana@b@example.com",
        "Ana <ana@example.com>",
        "ana@example.com,x@example.com",
        "mailto:ana@example.com",
        "a" * 250 + "@example.com",
    ],
)
def test_what_is_no_address(address: str) -> None:
    assert not is_email(address)


@THOROUGHLY
@given(st.text(alphabet="ab.@-_ ,;<>:\r\n\x00\u2028ñ1", max_size=30))
def test_an_address_never_splits_a_header(text: str) -> None:
    if is_email(text):
        assert text.count("@") == 1
        assert not re.search(r"[\s,;<>:\x00-\x1f]", text)


def fingerprint(entries: Iterable[SourceEntry]) -> str:
    return join_prints(entry_print(one.raw) for one in entries)


RAW = {"nrodoc": 27896410, "carreras": [{"id_carrera": 3, "cohorte": None}], "tipodoc": "DNI"}


def test_the_fingerprint_does_not_depend_on_the_order_of_keys_or_entries() -> None:
    turned = {
        "tipodoc": "DNI",
        "carreras": [{"cohorte": None, "id_carrera": 3}],
        "nrodoc": 27896410,
    }
    other = {"nrodoc": 1}
    assert fingerprint([entry(raw=RAW), entry(raw=other)]) == fingerprint([entry(raw=other), entry(raw=turned)])


@pytest.mark.parametrize(
    "changed",
    [
        {**RAW, "nrodoc": "27896410"},
        {**RAW, "carreras": []},
        {**RAW, "carreras": [{"id_carrera": 3, "cohorte": 2026}]},
        {**RAW, "nuevo": ""},
        {},
    ],
)
def test_the_fingerprint_tells_every_change(changed: dict[str, object]) -> None:
    assert fingerprint([entry(raw=changed)]) != fingerprint([entry(raw=RAW)])
    assert fingerprint([entry(raw=RAW), entry(raw=changed)]) != fingerprint([entry(raw=RAW)])


def test_a_broken_letter_of_the_source_does_not_stop_the_fingerprint() -> None:
    """JSON may carry half a surrogate pair; rule 5: one entry never stops the run."""
    assert fingerprint([entry(raw={"nombre": "\ud83d"})]) != fingerprint([entry(raw={"nombre": "\ud83e"})])


@pytest.mark.parametrize("reason", HeldReason)
def test_every_reason_is_told_with_who_mends_it(reason: HeldReason) -> None:
    text, who = explain(reason)
    assert text.startswith(("sin ", "con "))
    if reason is HeldReason.PERSONAL_FAILED:  # nobody: it heals by itself, and says so
        assert "se vuelve a leer" in text
        assert who == ""
    elif reason is HeldReason.UNKNOWN_CAREER:
        assert who.startswith("un administrador")
    else:
        assert who == "Registro de Alumnos"


def test_no_two_reasons_read_the_same() -> None:
    assert len({explain(reason)[0] for reason in HeldReason}) == len(HeldReason)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@THOROUGHLY
@given(
    st.dictionaries(st.text(), JSON),
    st.builds(
        source_career,
        career_id=st.sampled_from([None, 3, 4, 99]),
        name=st.text(),
        modality=st.text(max_size=2),
        cohort=st.none() | st.integers(),
        enrolled_on=st.none() | st.datetimes(timezones=st.just(UTC)),
        commissions=st.lists(st.builds(SourceCommission, st.integers(), st.text())).map(tuple),
    ),
    st.builds(person, first_name=st.text(), last_name=st.text(), email=st.text() | st.just("ana@example.com")),
    st.text(),
    st.text(),
)
def test_no_entry_stops_the_run(raw: Any, source: Any, who: Any, type_: str, number: str) -> None:
    """Rule 5: what cannot be used comes out as held, whatever it is; what is stored can be stored."""
    one = entry(source, raw=raw, document_type=type_, document_number=number)
    key = person_key(one)
    assert key is None or all(part.isprintable() for part in key)
    assert re.fullmatch(r"[0-9a-f]{32}", fingerprint([one]))
    facts, held = interpret([one], who, CAREERS)
    assert facts is not None or held
    if facts is not None:
        assert all(text.isprintable() for text in (facts.first_name, facts.last_name, facts.phone, facts.locality))
        assert is_email(facts.personal_email)
