"""Letters: templates with `{name}` places, filled without anything executable.

A template is a subject and HTML; the plain text is made from the HTML, so that both always say the same. HTML that is
no whole document gets the house's frame: 600 px, inline styles, colours that a dark mode may turn.
"""

import html
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache

from lucy.domain.letter_plain import plain_text

PLACE = re.compile(r"\{([a-z_]+)\}")
# Made of HTML by us, with what it names escaped; everything else is text.
MARKUP = frozenset({"cursos_html"})
_STYLE = re.compile(r"(<style\b.*?</style>)", re.IGNORECASE | re.DOTALL)
_WHOLE = re.compile(r"\s*(<!doctype html|<html)\b", re.IGNORECASE)


class LetterName(StrEnum):
    """The letters that Lucy writes; the values are the words by which staff name them."""

    WELCOME = "bienvenida"
    CREDENTIALS = "credenciales"
    PASSWORD = "contraseña"
    ENROLMENT = "matriculas"
    COURSE = "curso"
    STATUS = "situacion"
    NOTICE = "aviso"
    RECTIFY = "rectificacion"
    TEST = "prueba"


class TemplateState(StrEnum):
    """A version waits, goes out, was refused, or made room for another."""

    PROPOSED = "proposed"
    LIVE = "live"
    REJECTED = "rejected"
    REPLACED = "replaced"


@dataclass(frozen=True, slots=True)
class LetterKind:
    """What a letter may name and what it may not leave out, whatever its wording."""

    name: LetterName
    means: str
    places: frozenset[str]
    required: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Template:
    """A letter as it is written. Only the `places` it may name are filled. Version 0 is the one that came with Lucy."""

    name: LetterName
    subject: str
    html: str
    places: frozenset[str]
    version: int = 0


@dataclass(frozen=True, slots=True)
class Rendered:
    subject: str
    html: str = field(repr=False)
    text: str = field(repr=False)


def render(template: Template, values: Mapping[str, str]) -> Rendered:
    """Fill a template. Raises KeyError when a place has no value: a letter with a hole is never sent.

    Values are neutralised: no control signs, no marks that turn the direction of the text.
    """
    safe = {name: value if name in MARKUP else neutral(value) for name, value in values.items()}
    escaped = {name: value if name in MARKUP else html.escape(value) for name, value in safe.items()}
    plain = {name: plain_text(value).strip("\n") if name in MARKUP else value for name, value in safe.items()}
    whole, text = _sources(template.html, template.subject)
    subject = " ".join(_fill(template.subject, template.places, plain).split())
    return Rendered(subject, _fill_html(whole, template.places, escaped), _fill(text, template.places, plain))


def neutral(text: str) -> str:
    """A value that changes nothing around it: without control signs and direction marks (Unicode Cc, Cf), in NFC."""
    kept = (sign for sign in unicodedata.normalize("NFC", text) if unicodedata.category(sign) not in {"Cc", "Cf"})
    return "".join(kept).strip()


@lru_cache(maxsize=64)
def _sources(source: str, subject: str) -> tuple[str, str]:
    """The whole document, and the plain text with its places still to be filled."""
    if is_whole(source):
        return source, plain_text(source)
    return framed(source, subject), "\n".join((plain_text(source), *_SIGNED, ""))


def _fill(source: str, places: frozenset[str], values: Mapping[str, str]) -> str:
    return PLACE.sub(lambda found: values[found[1]] if found[1] in places else found[0], source)


def _fill_html(source: str, places: frozenset[str], values: Mapping[str, str]) -> str:
    """Braces inside a style sheet are CSS."""
    parts = _STYLE.split(source)
    return "".join(part if at % 2 else _fill(part, places, values) for at, part in enumerate(parts))


def is_whole(source: str) -> bool:
    """Whether it is a document of its own, which gets no frame."""
    return _WHOLE.match(source) is not None


def framed(content: str, subject: str) -> str:
    """The content as a whole document that looks right in Outlook, Gmail and on a phone."""
    return (
        _FRAME.replace("[title]", html.escape(subject, quote=False))
        .replace("[signed]", "<br>".join(_SIGNED))
        .replace("[content]", content.strip())
    )


def courses_html(courses: Mapping[str, str]) -> str:
    """The value of `{cursos_html}`: a list of courses, each with its address or an empty one."""
    lines = []
    for name, url in courses.items():
        shown = html.escape(neutral(name))
        lines.append(f'<li><a href="{html.escape(url)}">{shown}</a></li>' if url else f"<li>{shown}</li>")
    return f'<ul style="margin:0 0 16px;padding-left:24px;">{"".join(lines)}</ul>'


_SIGNED = ("Equipo del aula virtual", "Facultad de Ciencias Económicas, Universidad Nacional de Río Cuarto")
_FRAME = """\
<!DOCTYPE html>
<html lang="es-AR"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark">
<title>[title]</title></head>
<body style="margin:0;padding:0;background-color:#f3f2f1;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0"><tr><td align="center">
<table role="presentation" width="600" cellpadding="0" cellspacing="0" border="0"
 style="max-width:600px;width:100%;background-color:#ffffff;font-family:Segoe UI,Arial,sans-serif;color:#242424;">
<tr><td style="padding:24px 32px;background-color:#1f3a5f;color:#ffffff;font-size:18px;">
Facultad de Ciencias Económicas · UNRC</td></tr>
<tr><td style="padding:24px 32px 32px;background-color:#ffffff;color:#242424;font-size:16px;line-height:24px;">
[content]
</td></tr>
<tr><td style="padding:16px 32px;background-color:#f3f2f1;color:#424242;font-size:14px;line-height:20px;">
[signed]</td></tr>
</table></td></tr></table></body></html>
"""


def address_for(personal: str, institutional: str, *, fallback: bool) -> str:
    """Where a letter goes (DOMAIN.md); empty where nowhere."""
    return personal or (institutional if fallback else "")


def step_of(message_id: str, *, domain: str) -> int | None:
    """The step whose letter has this Message-ID; None where it is not one of this house."""
    found = re.fullmatch(rf"<lucy\.\d{{1,18}}\.(\d{{1,18}})@{re.escape(domain)}>", message_id, re.IGNORECASE)
    return int(found[1]) if found else None


def message_id(*, batch: int, step: int, domain: str) -> str:
    """The same for every attempt at one letter, so that a repeat can be recognised as one."""
    return f"<lucy.{batch}.{step}@{domain}>"
