from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.domain.students import (
    SourceList,
    Stage,
    format_document_number,
    forward,
    mask_document_number,
    mask_email,
    parse_document_number,
)
from tests.unit.lucy.people import THOROUGHLY, student

STAGES = ["preinscripto", "aspirante", "ingresante", "alumno"]  # the only direction of travel


@pytest.mark.parametrize(("known", "seen"), list(product(STAGES, STAGES)))
def test_stages_go_forward_only(known: str, seen: str) -> None:
    later = known if STAGES.index(known) > STAGES.index(seen) else seen
    assert forward(Stage(known), Stage(seen)) is Stage(later)


@pytest.mark.parametrize("seen", Stage)
def test_the_first_stage_is_the_one_seen(seen: Stage) -> None:
    assert forward(None, seen) is seen


def test_each_list_shows_a_stage() -> None:
    assert {one.value: one.stage for one in SourceList} == {
        "preinscriptos": Stage.PREINSCRIPTO,
        "aspirantes": Stage.ASPIRANTE,
        "ingresantes": Stage.INGRESANTE,
    }


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("40123456", "40123456"),
        ("40.123.456", "40123456"),
        (" 40 123 456 ", "40123456"),
        ("40-123-456", "40123456"),
        ("7.123.456", "7123456"),
        ("0123456", "0123456"),
        ("123456", "123456"),
        ("1234567890", "1234567890"),
    ],
)
def test_document_numbers_as_people_write_them(text: str, number: str) -> None:
    assert parse_document_number(text) == number


@pytest.mark.parametrize(
    "text", ["", "12345", "12345678901", "AB123456", "40123456a", "40,123,456", "٤٠١٢٣٤٥٦", "²²²²²²²", "-.-", "4 0"]
)
def test_what_is_no_document_number(text: str) -> None:
    assert parse_document_number(text) is None


@pytest.mark.parametrize(
    ("number", "written"),
    [
        ("40123456", "40.123.456"),
        ("7123456", "7.123.456"),
        ("123456", "123.456"),
        ("012345", "012.345"),
        ("1234567890", "1.234.567.890"),
        ("AB12345", "AB12345"),
        ("²²²²", "²²²²"),
        ("", ""),
    ],
)
def test_document_numbers_as_they_are_shown(number: str, written: str) -> None:
    assert format_document_number(number) == written


@THOROUGHLY
@given(st.from_regex(r"[0-9]{6,10}", fullmatch=True))
def test_what_is_shown_is_read_again(number: str) -> None:
    assert parse_document_number(format_document_number(number)) == number
    assert number not in mask_document_number(number)
    assert mask_document_number(number) == f"●●●●{number[-4:]}"


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("ana.suarez@example.com", "a●●●@example.com"),
        ("a@example.com", "a●●●@example.com"),
        ("@example.com", "●●●@example.com"),
        ("ana.suarez", "●●●"),
        ("", "●●●"),
    ],
)
def test_masked_addresses(address: str, masked: str) -> None:
    assert mask_email(address) == masked


def test_names() -> None:
    ana = student(first_name="Ana María", last_name="O'Higgins de la Puente")
    assert ana.display_name == "O'Higgins de la Puente, Ana María"
    assert ana.full_name == "Ana María O'Higgins de la Puente"
