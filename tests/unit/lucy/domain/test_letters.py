import re
from email.message import EmailMessage
from email.policy import SMTP

import pytest

from lucy.domain.letter_texts import DEFAULTS
from lucy.domain.letters import LetterName, Rendered, Template, courses_html, message_id, render

CREDENTIALS, RECTIFY = DEFAULTS[LetterName.CREDENTIALS], DEFAULTS[LetterName.RECTIFY]

VALUES = {
    "nombre": "Ana María",
    "apellido": "O'Higgins & Suárez",
    "dni": "40.123.456",
    "email": "ana@example.com",
    "upn": "a40123456@eco.unrc.edu.ar",
    "password": "Tk7!mQ#4wR-9xB=3",
}


def template(text: str, *places: str) -> Template:
    return Template(LetterName.TEST, text, text, frozenset(places))


def content(html: str) -> str:
    """What stands in the house's frame."""
    return html.partition('line-height:24px;">\n')[2].partition("\n</td></tr>\n<tr>")[0]


def words(filled: Rendered) -> str:
    """The plain text without the signature that belongs to the frame."""
    return filled.text.partition("\nEquipo del aula virtual\n")[0]


def test_only_declared_places_are_filled() -> None:
    filled = render(template("{nombre} {upn} {Nombre} {nombre1} {}", "nombre"), {"nombre": "Ana", "upn": "secreto"})
    assert words(filled) == "Ana {upn} {Nombre} {nombre1} {}\n"
    assert content(filled.html) == filled.subject == "Ana {upn} {Nombre} {nombre1} {}"


def test_css_and_format_tricks_stay_as_they_are() -> None:
    css = "<style>p {color: red} a{nombre}</style> {nombre.__class__} {0} {{x}} %(nombre)s ${nombre!r}"
    assert content(render(template(css, "nombre"), {"nombre": "Ana"}).html) == css


def test_a_value_is_never_a_template() -> None:
    filled = render(
        template("{nombre} {password}", "nombre", "password"), {"nombre": "{password}", "password": r"\1{x}"}
    )
    assert words(filled) == "{password} \\1{x}\n"


def test_html_is_escaped_in_html_only() -> None:
    value = '<b>O\'Higgins</b> & "Cía"'
    filled = render(template("{nombre}", "nombre"), {"nombre": value})
    assert content(filled.html) == "&lt;b&gt;O&#x27;Higgins&lt;/b&gt; &amp; &quot;Cía&quot;"
    assert words(filled) == value + "\n"


def test_what_turns_the_text_around_is_taken_out_of_a_value_and_an_emoji_stays() -> None:
    filled = render(template("{nombre}", "nombre"), {"nombre": "A\u202ena\u200f \u2066Ma\x07ría 🌻\u200b"})
    assert words(filled) == "Ana María 🌻\n"
    assert content(filled.html) == filled.subject == "Ana María 🌻"


def test_the_courses_are_a_list_in_both_parts_and_their_names_no_html() -> None:
    letter = render(
        DEFAULTS[LetterName.ENROLMENT],
        {
            **VALUES,
            "moodle_url": "https://aula.example.org",
            "cursos_html": courses_html({"Álgebra <b>I</b> & II": "https://aula.example.org/c?id=3&x=1", "CONT-1": ""}),
        },
    )
    assert "- Álgebra <b>I</b> & II (https://aula.example.org/c?id=3&x=1)\n- CONT-1\n" in letter.text
    assert '<li><a href="https://aula.example.org/c?id=3&amp;x=1">Álgebra &lt;b&gt;I&lt;/b&gt; &amp; II</a></li>' in (
        letter.html
    )
    assert 'href="https://aula.example.org" style' in letter.html


def test_a_whole_document_goes_without_the_frame() -> None:
    whole = '<!DOCTYPE html><html lang="es"><body><p>{nombre}</p></body></html>'
    filled = render(template(whole, "nombre"), {"nombre": "Ana"})
    assert filled.html == whole.replace("{nombre}", "Ana")
    assert words(filled) == "Ana\n"


@pytest.mark.parametrize("place", sorted(CREDENTIALS.places))
def test_a_letter_with_a_hole_is_never_made(place: str) -> None:
    without = {name: value for name, value in VALUES.items() if name != place}
    with pytest.raises(KeyError, match=place):
        render(CREDENTIALS, without)


@pytest.mark.parametrize("part", ["subject", "html"])
def test_a_hole_in_any_part_is_enough(part: str) -> None:
    parts = {"subject": "s", "html": "h", part: "{upn}"}
    with pytest.raises(KeyError):
        render(Template(LetterName.TEST, **parts, places=frozenset({"upn"})), {})


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\r", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029", "\t"])
def test_a_subject_never_breaks_its_header(blank: str) -> None:
    subject = render(template("Hola {nombre}", "nombre"), {"nombre": f"Ana{blank}Bcc: x@example.com"}).subject
    assert subject in ("Hola Ana Bcc: x@example.com", "Hola AnaBcc: x@example.com")
    message = EmailMessage(policy=SMTP)
    message["Subject"] = subject
    assert message["Bcc"] is None
    assert message["Subject"] == subject


def test_the_credentials_letter_holds_all_it_has_to_in_both_parts() -> None:
    letter = render(CREDENTIALS, VALUES)
    for value in ("a40123456@eco.unrc.edu.ar", "Tk7!mQ#4wR-9xB=3", "Ana María", "40.123.456", "ana@example.com"):
        assert value in letter.text
        assert value in letter.html
    assert "O'Higgins & Suárez" in letter.text
    assert "O&#x27;Higgins &amp; Suárez" in letter.html
    assert "Tk7" not in letter.subject
    assert "teams.microsoft.com" in letter.text
    assert "https://teams.microsoft.com" in letter.html


def test_no_place_of_the_credentials_letter_is_left_open() -> None:
    letter = render(CREDENTIALS, VALUES)
    written = re.compile(r"\{[a-z_]+\}")
    assert not [part for part in (letter.subject, letter.text, letter.html) if written.search(part)]
    assert set(written.findall(CREDENTIALS.html)) == {f"{{{place}}}" for place in CREDENTIALS.places}


def test_the_html_loads_nothing_from_outside_and_links_only_to_teams() -> None:
    assert not re.search(r"<(img|script|link|iframe)\b|url\(", CREDENTIALS.html)
    assert re.findall(r'href="([^"]+)"', CREDENTIALS.html) == ["https://teams.microsoft.com"]


def test_the_rectifying_letter_says_what_became_of_the_account_and_holds_no_password() -> None:
    letter = render(RECTIFY, VALUES)
    for value in ("a40123456@eco.unrc.edu.ar", "Ana María", "quedó sin efecto", "No tenés que hacer nada"):
        assert value in letter.text
        assert value in letter.html
    assert "ya no sirve" in letter.text
    assert "O'Higgins & Suárez" in letter.text
    assert "O&#x27;Higgins &amp; Suárez" in letter.html
    assert "password" not in RECTIFY.places
    written = re.compile(r"\{[a-z_]+\}")
    assert set(written.findall(RECTIFY.html)) == {f"{{{place}}}" for place in RECTIFY.places}
    assert not re.search(r"<(img|script|link|iframe|a)\b|url\(|[!¡]", RECTIFY.html)
    assert letter.subject != render(CREDENTIALS, VALUES).subject


def test_a_rendered_letter_does_not_show_itself_in_logs() -> None:
    assert "Tk7" not in repr(render(CREDENTIALS, VALUES))


def test_a_message_id_is_the_same_for_every_attempt_and_for_no_other_letter() -> None:
    ids = {message_id(batch=batch, step=step, domain="unrc.edu.ar") for batch in (1, 11) for step in (1, 11)}
    assert len(ids) == 4
    assert message_id(batch=1, step=11, domain="unrc.edu.ar") == "<lucy.1.11@unrc.edu.ar>"
