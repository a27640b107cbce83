from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lucy.domain.selections import FILTERS, LetterFate, Selection, Thing, fold, parse_day, parse_selection
from lucy.domain.students import Modality, Stage
from lucy.errors import RequestError
from tests.unit.lucy.people import THOROUGHLY

TODAY = date(2026, 11, 24)


def parse(text: str) -> Selection:
    return parse_selection(text, today=TODAY)


def refusal(text: str) -> str:
    with pytest.raises(RequestError) as refused:
        parse(text)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("preinscriptos", {"stages": {Stage.PREINSCRIPTO}}),
        ("aspirante", {"stages": {Stage.ASPIRANTE}}),
        ("INGRESANTES", {"stages": {Stage.INGRESANTE}}),
        ("Alumnos aspirantes", {"stages": {Stage.ALUMNO, Stage.ASPIRANTE}}),
        ("cohorte:2026", {"cohorts": {2026}}),
        ("cohorte:2025 cohort:2026", {"cohorts": {2025, 2026}}),
        ("carrera:cp", {"careers": {"CP"}}),
        ("Career:CP carrera:LA", {"careers": {"CP", "LA"}}),
        ("modalidad:pres", {"modalities": {Modality.PRES}}),
        ("modalidad:PRESENCIAL", {"modalities": {Modality.PRES}}),
        ("modality:1", {"modalities": {Modality.PRES}}),
        ("modalidad:dist", {"modalities": {Modality.DIST}}),
        ('modalidad:"A Distancia"', {"modalities": {Modality.DIST}}),
        ("modalidad:2 modalidad:1", {"modalities": set(Modality)}),
        ("comision:01", {"commissions": {"01"}}),
        ("comisión:1", {"commissions": {"01"}}),
        ("commission:noche", {"commissions": {"NOCHE"}}),
        ("localidad:Holmberg", {"localities": {"Holmberg"}}),
        ('localidad:"Río Cuarto"', {"localities": {"Río Cuarto"}}),
        ("locality:O'Higgins", {"localities": {"O'Higgins"}}),
        ("nuevos", {"new_since": date(2026, 11, 23)}),
        ("new", {"new_since": date(2026, 11, 23)}),
        ("nuevos:20/11/2026", {"new_since": date(2026, 11, 20)}),
        ("desde:ayer", {"changed_since": date(2026, 11, 23)}),
        ("since:2026-11-20", {"changed_since": date(2026, 11, 20)}),
        ("todos", {}),
        ("TODAS", {}),
        ("todos aspirantes", {"stages": {Stage.ASPIRANTE}}),
        ("carta:sin-estrenar", {"letters": {LetterFate.UNUSED}}),
        ("carta:sin-uso", {"letters": {LetterFate.UNUSED}}),
        ("carta:Rebotada carta:corregida", {"letters": {LetterFate.BOUNCED, LetterFate.MENDED}}),
        ("letter:failed", {"letters": {LetterFate.FAILED}}),
    ],
)
def test_every_filter(text: str, fields: dict[str, Any]) -> None:
    wanted = {name: frozenset(value) if isinstance(value, set) else value for name, value in fields.items()}
    assert parse(text) == Selection(**wanted)


@pytest.mark.parametrize(
    ("word", "thing"),
    [
        ("cuenta", Thing.ACCOUNT),
        ("Cuentas", Thing.ACCOUNT),
        ("teams", Thing.ACCOUNT),
        ("licencia", Thing.LICENCE),
        ("license", Thing.LICENCE),
        ("moodle", Thing.MOODLE),
        ("matrícula", Thing.ENROLMENT),
        ("MATRICULACIÓN", Thing.ENROLMENT),
        ("cursos", Thing.ENROLMENT),
        ("carta", Thing.LETTER),
        ("correo", Thing.EMAIL),
        ("email", Thing.EMAIL),
    ],
)
def test_with_and_without(word: str, thing: Thing) -> None:
    assert parse(f"con:{word}") == parse(f"with:{word}") == Selection(having=frozenset({thing}))
    assert parse(f"sin:{word}") == parse(f"without:{word}") == Selection(lacking=frozenset({thing}))


def test_the_example_of_the_domain() -> None:
    assert parse("aspirantes cohorte:2026 carrera:CP modalidad:dist sin:cuenta") == Selection(
        stages=frozenset({Stage.ASPIRANTE}),
        cohorts=frozenset({2026}),
        careers=frozenset({"CP"}),
        modalities=frozenset({Modality.DIST}),
        lacking=frozenset({Thing.ACCOUNT}),
    )


@pytest.mark.parametrize(
    "text",
    [
        "SIN:cuenta CARRERA : cp  aspirantes",
        "aspirantes, sin:cuenta; carrera: cp",
        "carrera:CP\nsin:cuenta\taspirantes",
        "  aspirantes\u00a0sin:\u00a0cuenta carrera:\u200bCP  ",
        'aspirantes "sin:cuenta" carrera:"CP"',
    ],
)
def test_order_case_blanks_and_separators_do_not_matter(text: str) -> None:
    assert parse(text) == parse("aspirantes sin:cuenta carrera:CP")


@pytest.mark.parametrize(
    "text",
    [
        "40123456 41222333",
        "40.123.456 41.222.333",
        "40 123 456 41 222 333",
        "40123456,41222333",
        "40123456, 41222333.",
        "40.123.456;41.222.333",
        "40.123.456,41.222.333,",
        "40123456\n41222333\n",
        "40.123.456\r\n41.222.333\r\n",
        "40 123 456\t41 222 333",
        "40123456|41222333",
        "40123456/41222333",
        "40123456-41222333",
        "(40.123.456) (41.222.333)",
        "40-123-456 41-222-333",
        "40,123,456 41,222,333",
        "40\u00a0123\u00a0456 41\u202f222\u202f333",
        "\u202a40123456\u202c\n\ufeff41222333",
        "40123456 41222333 40.123.456",
        '"40123456" "41222333"',
    ],
)
def test_pasted_documents(text: str) -> None:
    assert parse(text) == Selection(documents=("40123456", "41222333"))


def test_documents_beside_filters() -> None:
    found = parse("carrera:CP1 234567 cohorte:2026 40 123 456 comision:01 7 123 456 desde:20/11/2026 1234567890")
    assert found.documents == ("234567", "40123456", "7123456", "1234567890")
    assert (found.careers, found.cohorts, found.commissions) == ({"CP1"}, {2026}, {"01"})


def test_a_value_does_not_swallow_the_document_after_it() -> None:
    found = parse("carrera:CP1 234 567 890")
    assert (found.careers, found.documents) == ({"CP1"}, ("234567890",))


def test_thousands_of_pasted_documents_keep_their_order() -> None:
    numbers = [str(30_000_000 + 7 * place) for place in range(2000)]
    assert parse("\n".join([*numbers, *numbers])).documents == tuple(numbers)


@pytest.mark.parametrize("word", ["12345", "12345678901", "40123456a", "1.", "20-40123456-3", "²²²²²²²"])
def test_what_is_no_document_is_named(word: str) -> None:
    assert refusal(f"aspirantes {word}") == (
        f"«{word}» no es un número de documento: van de 6 a 10 cifras, con o sin puntos."
    )


@pytest.mark.parametrize("word", ["2026-11-20", "20-11-2026", "20.11.2026", "20/11/2026", "20-11-26"])
def test_a_date_alone_is_not_taken_for_a_document(word: str) -> None:
    assert "parece una fecha" in refusal(word)
    assert parse("desde:20/11/2026")  # what the answer proposes


@pytest.mark.parametrize(
    ("text", "locality"),
    [
        ('localidad:"Villa María, Córdoba"', "Villa María, Córdoba"),
        ("localidad:“Río Cuarto”", "Río Cuarto"),
        ('localidad: "Río Cuarto"', "Río Cuarto"),
        ('"localidad:Río Cuarto"', "Río Cuarto"),
        ('localidad:"  Río \t Cuarto "', "Río Cuarto"),
        ('localidad:"Cap. Bermúdez; B° O\'Higgins"', "Cap. Bermúdez; B° O'Higgins"),
        ('localidad:"Ruta: 8"', "Ruta: 8"),
        ('localidad:"25 123 456"', "25 123 456"),
        ('localidad:"Río\x00 Cuarto"', "Río Cuarto"),
    ],
)
def test_what_stands_in_quotes_is_kept(text: str, locality: str) -> None:
    assert parse(f"{text} aspirantes") == Selection(
        stages=frozenset({Stage.ASPIRANTE}), localities=frozenset({locality})
    )


@pytest.mark.parametrize("text", ["", "  ", "\n", ",;", "\u200b"])
def test_nobody_means_everybody_by_saying_nothing(text: str) -> None:
    assert "Decime una selección" in refusal(text)


def test_an_unknown_filter_names_the_valid_ones() -> None:
    assert refusal("aspirantes provincia:Córdoba") == f"No conozco el filtro «provincia». Los que hay: {FILTERS}."


def test_an_unknown_word_names_the_valid_filters() -> None:
    assert refusal("aspirantes y ingresantes") == f"No entiendo «y». Los filtros que hay: {FILTERS}."
    assert "{todos}" in refusal("{todos}")


def test_the_list_of_valid_filters_is_true() -> None:
    """Each word of it can be typed, and each filter there is stands in it."""
    for words in FILTERS.split(", "):
        name, colon, values = words.partition(":")
        for value in values.split("|") if colon else [""]:
            if name == "con" or words.startswith("con:/"):
                value = value.removeprefix("/sin:")
            assert parse(f"{name}{colon}{value}")
    for known in (
        "cohorte",
        "carrera",
        "modalidad",
        "comision",
        "localidad",
        "con",
        "sin",
        "desde",
        "nuevos",
        "todos",
        "ausentes",
    ):
        assert known in FILTERS
    assert all(stage.value in FILTERS for stage in Stage)
    assert all(thing.value in FILTERS for thing in Thing)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("carrera:", "Al filtro «carrera:» le falta el valor."),
        ('localidad:"  "', "Al filtro «localidad:» le falta el valor."),
        ('localidad:""', "Al filtro «localidad:» le falta el valor."),
        ("nuevos:", "Al filtro «nuevos:» le falta el valor."),
        ("cohorte:26", "«26» no es un año de cohorte"),
        ("cohorte:2126", "«2126» no es un año de cohorte"),
        ("modalidad:virtual", "«virtual» no vale para modalidad. Puede ser: pres, dist."),
        (
            "sin:correos2",
            "«correos2» no vale para sin. Puede ser: cuenta, licencia, moodle, matricula, carta, correo.",
        ),
        ("con:{x}", "«{x}» no vale para con."),
        ('localidad:"Río Cuarto', "comillas sin cerrar"),
        ("desde:31/02/2026", "«31/02/2026» no es una fecha"),
        ("nuevos:mañana", "«mañana» no es una fecha"),
        ('""', "No entiendo «»"),
    ],
)
def test_what_is_wrong_is_said(text: str, says: str) -> None:
    assert says in refusal(text)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("hoy", TODAY),
        ("Today", TODAY),
        ("AYER", date(2026, 11, 23)),
        ("anteayer", date(2026, 11, 22)),
        ("2026-2-1", date(2026, 2, 1)),
        ("29/2/2024", date(2024, 2, 29)),
        ("01/12", date(2026, 12, 1)),
    ],
)
def test_days(text: str, day: date) -> None:
    assert parse_day(text, today=TODAY) == day


@pytest.mark.parametrize(
    "text", ["", "31/02", "29/2/2026", "2026-13-01", "0000-01-01", "20/11/26", "20.11.2026", "1/1/1/1", " hoy", "²/1"]
)
def test_bad_days(text: str) -> None:
    with pytest.raises(RequestError, match="no es una fecha"):
        parse_day(text, today=TODAY)


@pytest.mark.parametrize(("text", "folded"), [("Comisión", "comision"), ("ÑANDÚ", "nandu"), ("STRAßE", "strasse")])
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


def test_a_selection_writes_itself_in_its_own_language() -> None:
    text = (
        "aspirantes ingresantes cohorte:2026 carrera:CP modalidad:dist comision:01 "
        'localidad:"Río Cuarto" con:cuenta sin:moodle nuevos:2026-11-20 desde:2026-11-23 40123456'
    )
    assert str(parse(text)) == text
    assert str(Selection()) == "todos"


NAMES = st.text(alphabet="aÑé'’.,;:/-| 0123º_€", min_size=1, max_size=12) | st.text(min_size=1, max_size=6)
WRITTEN = NAMES.map(lambda name: name.translate(dict.fromkeys(map(ord, '"“”'), "x"))).filter(
    lambda name: any(sign.isprintable() and sign != " " for sign in name)
)
THINGS = st.sampled_from(Thing).map(lambda thing: thing.value)
DAYS = st.dates(min_value=date(1, 1, 1)).map(date.isoformat)
WORDS = st.one_of(
    st.sampled_from([f"{stage.value}s" for stage in Stage]),
    st.integers(1900, 2099).map(lambda year: f"cohorte:{year}"),
    WRITTEN.map(lambda name: f'carrera:"{name}"'),
    WRITTEN.map(lambda name: f'comision:"{name}"'),
    WRITTEN.map(lambda name: f'localidad:"{name}"'),
    st.sampled_from(["modalidad:pres", "modalidad:dist", "nuevos", "ausentes", "todos"]),
    st.sampled_from(LetterFate).map(lambda fate: f"carta:{fate.value}"),
    THINGS.map(lambda thing: f"con:{thing}"),
    THINGS.map(lambda thing: f"sin:{thing}"),
    DAYS.map(lambda day: f"nuevos:{day}"),
    DAYS.map(lambda day: f"desde:{day}"),
    st.from_regex(r"[0-9]{6,10}", fullmatch=True),
)


@THOROUGHLY
@given(st.lists(WORDS, min_size=1, max_size=8))
def test_what_a_selection_writes_reads_the_same(words: list[str]) -> None:
    """The text is stored with the batch and put behind buttons: it must mean the same when it is read again."""
    selection = parse(" ".join(words))
    assert parse(str(selection)) == selection
    assert str(parse(str(selection))) == str(selection)


FRAGMENTS = [
    "aspirantes", "sin", "con", ":", "cuenta", '"', "“", "carrera", "cohorte", "desde", "nuevos", "40123456", "40.123",
    "²", "½", "٤٠١٢٣٤٥٦", "/", "-", ".", " ", "\n", "\x00", "{", "}", "%s", "31/02", "0000-00-00", "9" * 30, "\ud800",
]  # fmt: skip


@THOROUGHLY
@given(st.text() | st.lists(st.sampled_from(FRAGMENTS), max_size=12).map("".join))
def test_any_text_is_a_selection_or_a_refusal(text: str) -> None:
    try:
        selection = parse(text)
    except RequestError as refused:
        assert str(refused)
        return
    assert parse(str(selection)) == selection
    assert str(selection).isprintable()  # PostgreSQL takes it
