"""The letters as they go out, kept as files: whoever changes a word sees it in the diff, in both parts.

`LUCY_REGENERATE=1` writes them anew. docs/images/render_letters.py draws them in a browser, to be looked at.
"""

import os
from pathlib import Path

import pytest

from lucy.domain.letter_texts import DEFAULTS
from lucy.domain.letter_values import EXAMPLES
from lucy.domain.letters import LetterName, render

FOLDER = Path(__file__).parent / "golden_letters"
VALUES = {
    **EXAMPLES,
    "nombre": "Ana María",
    "apellido": "O'Higgins & Suárez",
    "dni": "40.123.456",
    "email": "ana@example.com",
    "upn": "a40123456@eco.unrc.edu.ar",
}


@pytest.mark.parametrize("name", list(LetterName))
def test_each_letter_reads_as_it_was_approved(name: LetterName) -> None:
    letter = render(DEFAULTS[name], VALUES)
    written = {"html": letter.html, "txt": f"{letter.subject}\n\n{letter.text}"}
    for kind, text in written.items():
        path = FOLDER / f"{name.name.lower()}.{kind}"
        if os.environ.get("LUCY_REGENERATE"):
            path.write_text(text, encoding="utf-8")
        assert path.read_text(encoding="utf-8") == text


def test_no_golden_letter_is_left_over() -> None:
    kept = {path.name for path in FOLDER.iterdir()}
    assert kept == {f"{name.name.lower()}.{kind}" for name in LetterName for kind in ("html", "txt")}
