"""What a letter costs: filled for many, beside the same text filled by `str.format`; and the lint of the largest.

Both parts are filled, escaped and cleaned; the plain text is made from the HTML once for each version. Prints seconds
and the ratio, and what was held at most. A version is rendered for everybody before it goes out: 50,000 here.
"""

import time
import tracemalloc
from html import escape

from lucy.domain.letter_check import LONGEST_HTML, check_letter
from lucy.domain.letter_texts import DEFAULTS, KINDS
from lucy.domain.letter_values import EXAMPLES, holes
from lucy.domain.letters import LetterName, framed, render

MANY = 50_000
PERSON = {"apellido": "Ñandú & Cía", "dni": "40.123.456", "email": "a@example.com", "upn": "a40123456@example.com"}


def main() -> None:
    template = DEFAULTS[LetterName.CREDENTIALS]
    values = [{**EXAMPLES, **PERSON, "nombre": f"María Ñusta {n}"} for n in range(MANY)]
    whole = framed(template.html, template.subject)
    plain = render(template, {name: f"{{{name}}}" for name in template.places}).text

    def floor() -> None:
        for one in values:
            safe = {name: escape(value) for name, value in one.items()}
            template.subject.format(**one), whole.format(**safe), plain.format(**one)

    def ours() -> None:
        for one in values:
            render(template, one)

    def tried() -> None:
        assert not any(holes(template, one) for one in values)

    measured = {name: _seconds(work) for name, work in (("floor", floor), ("render", ours), ("render_for_all", tried))}
    for name, seconds in measured.items():
        print(f"{name}: {seconds:.2f} s for {MANY:,} letters, {seconds / measured['floor']:.1f} times the floor")
    tracemalloc.start()
    render(template, values[0])
    print(f"most held for one letter: {tracemalloc.get_traced_memory()[1] / 1024:.0f} KiB")
    tracemalloc.stop()
    long = ("<p>" + "x {nombre} " * 40 + "</p>\n") * 60
    long = template.html + long[: LONGEST_HTML - len(template.html) - 460]
    long = long[: long.rindex("</p>") + 4]
    kind = KINDS[LetterName.CREDENTIALS]
    faults = check_letter(kind, template.subject, long)
    assert not faults, faults
    print(f"lint of {len(long):,} characters: {_seconds(lambda: check_letter(kind, template.subject, long)):.3f} s")


def _seconds(work: object) -> float:
    assert callable(work)
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
