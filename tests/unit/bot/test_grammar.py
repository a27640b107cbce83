"""What people type, and what is made of it."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.grammar import Command, CommandName, NotUnderstood, parse, split_code, yes_or_no
from bot.vocabulary import COMMANDS, LATER, LATER_WORDS, WORDS

N = CommandName


@pytest.mark.parametrize(
    ("text", "name", "argument"),
    [
        ("", N.HELP, ""),
        (" ,. ", N.HELP, ""),
        ("?", N.HELP, ""),
        ("¡AYUDA!", N.HELP, ""),
        ("¿ayuda?", N.HELP, ""),
        ("hola", N.HELP, ""),
        ("Hola Lucy, ayuda por favor.", N.HELP, ""),
        ("Estado", N.STATUS, ""),
        ("quiero ver el estado", N.STATUS, ""),
        ("buenos días, estado, gracias!", N.STATUS, ""),
        ("status", N.STATUS, ""),
        ("alumno 40.123.456", N.STUDENT, "40.123.456"),
        ("ALUMNO   García  López", N.STUDENT, "García López"),
        ("alumno de la Fuente, por favor", N.STUDENT, "de la Fuente"),
        ("40.123.456", N.STUDENT, "40123456"),
        (" 40 123 456. ", N.STUDENT, "40123456"),
        ("dni 40123456", N.STUDENT, "40123456"),
        ("40123456 alumno", N.STUDENT, "40123456"),
        ("student Pérez", N.STUDENT, "Pérez"),
        ("ingesta aspirantes", N.INGEST, "aspirantes"),
        ("ingest aspirantes completa", N.INGEST, "aspirantes completa"),
        ("aspirantes ingesta", N.INGEST, "aspirantes"),
        ("activar aspirantes sin:cuenta", N.ACTIVATE, "aspirantes sin:cuenta"),
        ("aspirantes sin:cuenta activar", N.ACTIVATE, "aspirantes sin:cuenta"),
        ("activar 40123456\n40123457", N.ACTIVATE, "40123456 40123457"),
        ("activar", N.ACTIVATE, ""),
        ("lote L-0042", N.BATCH, "L-0042"),
        ("lote 42", N.BATCH, "L-0042"),
        ("l42", N.BATCH, "L-0042"),
        ("L 42", N.BATCH, "L-0042"),
        ("ver L–0042", N.BATCH, "L-0042"),
        ("lotes", N.BATCHES, ""),
        ("show batches", N.BATCHES, ""),
        ("aprobar L-0042", N.APPROVE, "L-0042"),
        ("Aprobá el lote L-0042, por favor.", N.APPROVE, "L-0042"),
        ("L-0042 aprobar", N.APPROVE, "L-0042"),
        ("L-0042: aprobar", N.APPROVE, "L-0042"),
        ("lote 42 aprobar", N.APPROVE, "L-0042"),
        ("approve 42", N.APPROVE, "L-0042"),
        ("aprobar", N.APPROVE, ""),
        ("aprobar mañana", N.APPROVE, "mañana"),
        ("pausa general", N.PAUSE_ALL, ""),
        ("¿Pausa general?", N.PAUSE_ALL, ""),
        (
            'Pausa  General moodle hasta:15:30 motivo:"Corte de luz"',
            N.PAUSE_ALL,
            'moodle hasta:15:30 motivo:"Corte de luz"',
        ),
        ("pausar todo: corte de luz, por favor", N.PAUSE_ALL, "corte de luz"),
        ("general pause graph migration", N.PAUSE_ALL, "graph migration"),
        ("reanudar general moodle", N.RESUME, "general moodle"),
        ("reanudar todo", N.RESUME, "todo"),
        ("rechazar L-0042 faltan datos de Pérez", N.REJECT, "L-0042 faltan datos de Pérez"),
        ("rechazar L-0042. Faltan datos.", N.REJECT, "L-0042 Faltan datos"),
        ("l-42 rechazar: faltan datos", N.REJECT, "L-0042 faltan datos"),
        ("lote 42 rechazar no corresponde", N.REJECT, "L-0042 no corresponde"),
        ("cancelar l-3 gracias", N.CANCEL, "L-0003"),
        ("auditoría", N.AUDIT, ""),
        ("auditoria L-0042", N.AUDIT, "L-0042"),
        ("L-0042 auditoria", N.AUDIT, "L-0042"),
        ("permisos dar operador Ana", N.PERMISSIONS, "dar operador Ana"),
        ("permissions", N.PERMISSIONS, ""),
    ],
)
def test_commands(text: str, name: CommandName, argument: str) -> None:
    assert parse(text) == Command(name, argument)


@pytest.mark.parametrize(
    ("text", "argument", "options"),
    [
        ("activar aspirantes correo:no", "aspirantes", {"correo": "no"}),
        ("activar correo:no aspirantes Moodle : NO", "aspirantes", {"correo": "no", "moodle": "no"}),
        ("activate aspirantes mail:no", "aspirantes", {"correo": "no"}),
        ("activar aspirantes con:correo cohorte:2026", "aspirantes con:correo cohorte:2026", {}),
        ('activar localidad:"correo:no" moodle:Sí', 'localidad:"correo:no"', {"moodle": "si"}),
        ("aspirantes sin:cuenta correo:no activar", "aspirantes sin:cuenta", {"correo": "no"}),
    ],
)
def test_options_of_a_command_are_taken_out(text: str, argument: str, options: dict[str, str]) -> None:
    assert parse(text) == Command(N.ACTIVATE, argument, options)


def test_the_window_of_an_ingest() -> None:
    expected = Command(N.INGEST, "aspirantes", {"desde": "ayer", "hasta": "2026-11-24"})
    assert parse("ingesta aspirantes desde:ayer hasta:2026-11-24") == expected
    assert parse("alumno desde:ayer") == Command(N.STUDENT, "desde:ayer")


@pytest.mark.parametrize(
    "text",
    [
        "no aprobar L-0042",
        "L-0042 no aprobar",
        "L-0042 todavía no aprobar",
        "lote 42 no aprobar",
        "aprobar L-0042 todavía no",
        "aprobar L-0042 no",
        "aprobar L-0042 L-0043",
        "¿aprobar L-0042?",
        "aprobar L-0042?",
        "cancelar L-0042?",
        "L-0042 aprobar ya",
        "quien puede aprobar",
        "se puede aprobar L-0042",
    ],
)
def test_what_is_not_plainly_an_approval_is_none(text: str) -> None:
    understood = parse(text)
    assert isinstance(understood, NotUnderstood) or understood.name is N.BATCH


@pytest.mark.parametrize(
    ("text", "suggestions", "known_later"),
    [
        ("aprovar L-0042", ("aprobar",), False),
        ("actibar aspirantes", ("activar",), False),
        ("alunmo Pérez", ("alumno",), False),
        ("L-0042 aprobar ya", ("aprobar",), False),
        ("42", ("lote",), False),
        ("salud", ("salud",), True),
        ("saluud", ("salud",), True),
        ("¿Exportar 40123456?", ("exportar",), True),
        ("¿pausa general moodle?", ("pausa general",), False),
        ("resetar 40123456", ("resetear", "reintentar"), False),
        ("xyzzy", (), False),
    ],
)
def test_near_misses_are_suggested_and_not_done(text: str, suggestions: tuple[str, ...], known_later: bool) -> None:
    assert parse(text) == NotUnderstood(text, suggestions, known_later)


def test_no_more_than_three_suggestions() -> None:
    for word in ("habilita", "lots", "rechasar", "reenbiar"):
        found = parse(word + "x")
        assert isinstance(found, NotUnderstood)
        assert len(found.suggestions) <= 3


@pytest.mark.parametrize("name", list(N))
def test_every_word_of_a_command_is_understood(name: CommandName) -> None:
    for word in WORDS[name]:
        understood = parse(word)
        assert isinstance(understood, Command)
        assert understood.name is name


def test_every_later_command_says_so_and_no_word_has_two_meanings() -> None:
    for name, words in LATER.items():
        for word in words:
            understood = parse(f"{word} 40123456")
            assert isinstance(understood, NotUnderstood)
            assert understood.known_later
            assert understood.suggestions == (name,)
    assert not set(COMMANDS) & set(LATER_WORDS)
    assert sum(map(len, WORDS.values())) == len(COMMANDS)


def test_codes() -> None:
    assert split_code("L-0042 faltan datos") == (42, "faltan datos")
    assert split_code("l 42: faltan") == (42, "faltan")
    assert split_code("40.123.456") == (None, "40.123.456")
    assert split_code("L²") == (None, "L²")
    assert split_code("") == (None, "")


def test_yes_or_no() -> None:
    assert [yes_or_no(value) for value in ("Sí", "no", "quizás")] == [True, False, None]


WORD = st.sampled_from(
    [
        *COMMANDS,
        *LATER_WORDS,
        "L-0042",
        "42",
        "40.123.456",
        "no",
        "por favor",
        "sin:cuenta",
        "correo:no",
        '"',
        "¿",
        "?",
        ":",
    ]
)


@given(st.text(max_size=60) | st.lists(WORD | st.text(max_size=8), max_size=8).map(" ".join))
def test_never_raises(text: str) -> None:
    understood = parse(text)
    assert isinstance(understood, (Command, NotUnderstood))


@given(
    st.sampled_from(list(N)), st.sampled_from(["", "¡", "  ", "Hola, "]), st.sampled_from(["", "!", ".", " por favor"])
)
def test_courtesy_case_and_punctuation_change_nothing(name: CommandName, before: str, after: str) -> None:
    for word in WORDS[name]:
        understood = parse(f"{before}{word.upper()}{after}")
        assert isinstance(understood, Command)
        assert understood.name is name


@given(st.lists(WORD, min_size=1, max_size=6).map(" ".join), st.integers(0, 99999))
def test_an_approval_names_one_batch_and_nothing_else(words: str, number: int) -> None:
    understood = parse(f"{words} L-{number}")
    if isinstance(understood, Command) and understood.name is N.APPROVE:
        found, rest = split_code(understood.argument)
        assert found is None or not rest or re.fullmatch(r"[0-9.]+", rest)  # the count that some approvals ask for


@pytest.mark.parametrize("junk", [",", "“", '"', "gracias ", "no ", "a:", "? ", "L-1 ", "(", "activar "])
def test_long_junk_is_quick(junk: str) -> None:
    parse(junk * (100_000 // len(junk)))
