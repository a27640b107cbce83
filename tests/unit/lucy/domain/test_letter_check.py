"""Templates that staff write: what is wrong is said with its line, and what came with Lucy has nothing wrong."""

import pytest

from lucy.domain.letter_check import LONGEST_HTML, check_letter
from lucy.domain.letter_texts import DEFAULTS, KINDS
from lucy.domain.letters import LetterName, framed

CREDENTIALS = KINDS[LetterName.CREDENTIALS]
GOOD = "<p>Hola, {nombre}:</p>\n<p>{upn}</p>\n<p>{password}</p>"


def faults(html: str, subject: str = "Tu cuenta") -> list[str]:
    return [str(one) for one in check_letter(CREDENTIALS, subject, html)]


@pytest.mark.parametrize("name", list(LetterName))
def test_the_letters_that_came_with_lucy_pass_with_and_without_their_frame(name: LetterName) -> None:
    one = DEFAULTS[name]
    assert check_letter(KINDS[name], one.subject, one.html) == []
    assert check_letter(KINDS[name], one.subject, framed(one.html, one.subject)) == []


def test_a_good_letter_has_no_fault_and_css_keeps_its_braces() -> None:
    assert faults(GOOD) == []
    assert faults("<style>\np { color: red }\n</style>\n" + GOOD) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("<p>{nombrre}</p>", "no hay ninguna variable {nombrre}"),
        ("<p>{nombre</p>", "llave suelta"),
        ("<p>nombre}</p>", "llave suelta"),
        ("<script>alert(1)</script>", "<script> no puede ir"),
        ('<p onclick="x()">a</p>', "onclick=… es código"),
        ('<a href="javascript:x()">a</a>', "el enlace tiene que empezar con https://"),
        ('<a href="http://example.com">a</a>', "el enlace tiene que empezar con https://"),
        ('<a href="https://example.com/?u={upn}">a</a>', "en una dirección no puede haber variables"),
        ('<p title="{password}">a</p>', "en title=… no puede haber variables"),
        ('<img src="http://example.com/a.png" alt="a">', "la imagen tiene que empezar con https://"),
        ('<img src="data:image/png;base64,AA" alt="a">', "la imagen tiene que empezar con https://"),
        ('<img src="https://example.com/a.png">', 'la imagen necesita alt="…"'),
        ('<table width="800"><tr><td>a</td></tr></table>', "más ancho que 600 px"),
        ('<p style="width:601px">a</p>', "más ancho que 600 px"),
        ('<p style="background:url(https://x.example/a)">a</p>', "nada de afuera"),
        ("<style>@import 'x';</style>", "nada de afuera"),
        ("<form><p>a</p></form>", "<form> no puede ir"),
        ("<iframe></iframe>", "<iframe> no puede ir"),
        ("<p>a", "<p> se abre y no se cierra"),
        ("a</strong>", "</strong> se cierra y no se había abierto"),
        ("<!-- {password} -->", "los comentarios también se mandan"),
        ("<p>al\u202erevés</p>", "U+202E"),
        ("<p>a\x00b</p>", "U+0000"),
        ('<meta http-equiv="refresh" content="0">', "<meta http-equiv>"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(line: str, said: str) -> None:
    found = [one for one in faults(f"{GOOD}\n<p>bien</p>\n{line}") if said in one]
    assert found, faults(f"{GOOD}\n<p>bien</p>\n{line}")
    assert found[0].startswith("Línea 5: ")


def test_what_the_letter_is_for_cannot_be_left_out() -> None:
    assert faults("<p>{nombre} {upn}</p>") == ["Línea 1: falta {password}: sin eso la carta no sirve"]
    assert faults("<style>p{password}</style><p>{upn}</p>") == ["Línea 1: falta {password}: sin eso la carta no sirve"]


def test_a_letter_of_two_megabytes_is_refused_at_once() -> None:
    (only,) = faults("<p>" + "x" * 2_000_000)
    assert "2000003" in only
    assert str(LONGEST_HTML) in only


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("", "está vacío"),
        ("Hola\r\nBcc: x@example.com", "un solo renglón"),
        ("Tu clave es {password}", "{password} no puede ir en el asunto"),
        ("{nombrre}", "no hay ninguna variable"),
        ("x" * 121, "puede tener hasta 120"),
        ("a\u202eb", "U+202E"),
    ],
)
def test_what_is_wrong_with_a_subject_is_said(subject: str, said: str) -> None:
    assert any(one.startswith("Asunto: ") and said in one for one in faults(GOOD, subject)), faults(GOOD, subject)


def test_a_document_of_its_own_brings_what_the_frame_would() -> None:
    said = faults(f"<html><body>{GOOD}</body></html>")
    assert any("lang=" in one for one in said)
    assert any("charset" in one for one in said)
    assert any("color-scheme" in one for one in said)
