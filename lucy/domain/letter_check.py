"""Whether a letter may be used: its places, its HTML, what mail clients and filters make of it. The lint of templates.

What clients do is Can I email's table (https://www.caniemail.com); Gmail cuts a message at 102 kB.
"""

import re
import unicodedata
from dataclasses import dataclass
from html.parser import HTMLParser

from lucy.domain.letters import PLACE, LetterKind, is_whole
from lucy.texts import _

LONGEST_SUBJECT = 120
LONGEST_HTML = 16_000  # characters; a form in the channel has to hold it, and the frame comes on top
WIDEST = 600  # px

_TAGS = frozenset({
    "a", "b", "blockquote", "body", "br", "center", "div", "em", "h1", "h2", "h3", "head", "hr", "html", "i", "img",
    "li", "meta", "ol", "p", "small", "span", "strong", "style", "sub", "sup", "table", "tbody", "td", "th", "thead",
    "title", "tr", "u", "ul",
})  # fmt: skip
_VOID = frozenset({"br", "hr", "img", "meta"})
_CSS = re.compile(r"url\s*\(|@import|expression\s*\(|javascript:|behavior\s*:", re.IGNORECASE)
_PIXELS = re.compile(r"(?<![-\w])(?:min-)?width\s*:\s*([0-9]+)px", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a letter may not be used. `line` is of the HTML as it was written, from 1; 0 is the subject."""

    line: int
    why: str

    def __str__(self) -> str:
        return _("Asunto: {why}").format(why=self.why) if not self.line else f"{_('Línea')} {self.line}: {self.why}"


def check_letter(kind: LetterKind, subject: str, html: str) -> list[Fault]:
    """Everything that is wrong, by line; nothing when the letter may be used."""
    found = _subject(kind, subject)
    if len(html) > LONGEST_HTML:
        why = _("el HTML tiene {n} caracteres y puede tener hasta {most}")
        return [*found, Fault(1, why.format(n=len(html), most=LONGEST_HTML))]
    if not html.strip():
        return [*found, Fault(1, _("la carta está vacía"))]
    found += [Fault(at, why) for at, line in enumerate(html.split("\n"), 1) for why in _signs(line.rstrip("\r"))]
    reader = _Reader(kind)
    reader.feed(html)
    reader.end()
    found += reader.faults
    if is_whole(html):
        found += [Fault(1, why) for why in _whole(html)]
    missing = sorted(kind.required - reader.used)
    found += [Fault(1, _("falta {{{name}}}: sin eso la carta no sirve").format(name=name)) for name in missing]
    return sorted(set(found), key=lambda one: (one.line, one.why))


def _subject(kind: LetterKind, subject: str) -> list[Fault]:
    found = []
    if not subject.strip():
        found.append(_("está vacío"))
    if len(subject) > LONGEST_SUBJECT:
        found.append(_("tiene {n} letras y puede tener hasta {most}").format(n=len(subject), most=LONGEST_SUBJECT))
    if "\n" in subject or "\r" in subject:
        found.append(_("tiene que ser un solo renglón"))
    found += _signs(subject.replace("\n", " ").replace("\r", " "))
    used, why = _places(subject, kind)
    found += why
    # A subject is shown on locked screens, and kept in the logs of every server on the way.
    found += [_("{{{name}}} no puede ir en el asunto").format(name=one) for one in sorted(used & _PRIVATE)]
    return [Fault(0, one) for one in found]


_PRIVATE = frozenset({"password", "dni", "email", "cursos_html"})


def _signs(line: str) -> list[str]:
    """Signs that nobody sees: they turn the text around or hide in it."""
    hidden = sorted({sign for sign in line if unicodedata.category(sign) in {"Cc", "Cf"} and sign != "\t"})
    return [
        _("hay un signo que no se ve (U+{code:04X}): borralo y escribí de nuevo esa palabra").format(code=ord(sign))
        for sign in hidden
    ]


def _places(text: str, kind: LetterKind) -> tuple[set[str], list[str]]:
    """The places that a text uses, and what is wrong with its braces."""
    used, why = set(), []
    for found in PLACE.finditer(text):
        if found[1] in kind.places:
            used.add(found[1])
        else:
            names = ", ".join(f"{{{name}}}" for name in sorted(kind.places))
            why.append(_("no hay ninguna variable {place}; las de esta carta son {names}").format(
                place=found[0], names=names
            ))  # fmt: skip
    if re.search(r"[{}]", PLACE.sub("", text)):
        why.append(_("hay una llave suelta; una variable se escribe así: {nombre}"))
    return used, why


def _whole(html: str) -> list[str]:
    """What a document of its own has to bring; the frame has it."""
    found = []
    if not re.search(r"<html[^>]*\blang\s*=", html, re.IGNORECASE):
        found.append(_('<html> necesita lang="es-AR": lo usan los lectores de pantalla'))
    if not re.search(r"<meta[^>]*\bcharset\b", html, re.IGNORECASE):
        found.append(_('falta <meta charset="utf-8">'))
    if not re.search(r"<meta[^>]*color-scheme", html, re.IGNORECASE):
        found.append(_('falta <meta name="color-scheme" content="light dark">: sin eso el modo oscuro la desfigura'))
    return found


class _Reader(HTMLParser):
    """Tags, attributes, addresses, and the braces outside style sheets."""

    def __init__(self, kind: LetterKind) -> None:
        super().__init__(convert_charrefs=False)
        self.faults: list[Fault] = []
        self.used: set[str] = set()
        self._kind = kind
        self._open: list[tuple[str, int]] = []

    def end(self) -> None:
        self.close()
        for tag, line in self._open:
            self.faults.append(Fault(line, _("<{tag}> se abre y no se cierra").format(tag=tag)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _TAGS:
            self._say(_("<{tag}> no puede ir en una carta").format(tag=tag[:30]))
        if tag not in _VOID:
            self._open.append((tag, self._line))
        given = {name: value or "" for name, value in attrs}
        for name, value in given.items():
            self._attribute(tag, name, value)
        if tag == "img" and not given.get("alt", "").strip():
            self._say(_('la imagen necesita alt="…": muchos la leen sin imágenes'))
        if tag == "meta" and "http-equiv" in given:
            self._say(_("<meta http-equiv> no puede ir en una carta"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID and self._open:
            self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        names = [one for one, _line in self._open]
        if tag not in names:
            self._say(_("</{tag}> se cierra y no se había abierto").format(tag=tag[:30]))
            return
        while self._open:
            opened, line = self._open.pop()
            if opened == tag:
                return
            self.faults.append(Fault(line, _("<{tag}> se abre y no se cierra").format(tag=opened)))

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1][0] in {"style", "script"}:
            if _CSS.search(data):
                self._say(_("la hoja de estilo no puede traer nada de afuera"))
            return
        for at, line in enumerate(data.split("\n")):
            used, why = _places(line, self._kind)
            self.used |= used
            self.faults += [Fault(self._line + at, one) for one in why]

    def handle_comment(self, data: str) -> None:
        self._say(_("los comentarios también se mandan: sacalo"))

    def handle_pi(self, data: str) -> None:
        self._say(_("<?…> no puede ir en una carta"))

    def unknown_decl(self, data: str) -> None:
        self._say(_("<![…]> no puede ir en una carta"))

    def _attribute(self, tag: str, name: str, value: str) -> None:
        if name.startswith("on"):
            self._say(_("{name}=… es código y no puede ir en una carta").format(name=name[:30]))
        if name in {"href", "src", "background", "action", "formaction", "srcset"}:
            self._address(name, value.strip())
        elif "{" in value or "}" in value:
            self._say(_("en {name}=… no puede haber variables ni llaves").format(name=name[:30]))
        if name == "style" and _CSS.search(value):
            self._say(_("el estilo no puede traer nada de afuera"))
        if name == "style" and any(int(found[1]) > WIDEST for found in _PIXELS.finditer(value)):
            self._say(_("es más ancho que {n} px: no entra en la ventana del correo").format(n=WIDEST))
        if name == "width" and (given := re.fullmatch(r"([0-9]{1,9})(px)?", value.strip())) and int(given[1]) > WIDEST:
            self._say(_("es más ancho que {n} px: no entra en la ventana del correo").format(n=WIDEST))

    def _address(self, name: str, value: str) -> None:
        """The only variable in an address is Moodle's: a person's data would stay in the logs of whoever is linked."""
        if name == "href" and value == "{moodle_url}" and "moodle_url" in self._kind.places:
            self.used.add("moodle_url")
        elif "{" in value or "}" in value:
            self._say(_("en una dirección no puede haber variables, salvo {moodle_url} sola"))
        elif name == "href" and value.lower().startswith("mailto:"):
            return
        elif not value.lower().startswith("https://"):
            why = _("la imagen") if name in {"src", "background", "srcset"} else _("el enlace")
            self._say(_("{what} tiene que empezar con https://").format(what=why))

    @property
    def _line(self) -> int:
        return self.getpos()[0]

    def _say(self, why: str) -> None:
        self.faults.append(Fault(self._line, why))
