"""A real browser draws letters for the cards: the whole of each, no script, nothing from elsewhere."""

import io

import pytest
from PIL import Image

from connectors.chromium import Chromium
from lucy.domain.letter_texts import DEFAULTS
from lucy.domain.letter_values import EXAMPLES
from lucy.domain.letters import LetterName, render
from tests.browser.conftest import SCREENS

pytestmark = pytest.mark.asyncio(loop_scope="session")
PERSON = {"nombre": "A●●●", "apellido": "B●●●", "dni": "●●●●3456", "email": "a●●●@example.com", "upn": "a●●●"}


@pytest.mark.parametrize("name", list(LetterName))
async def test_a_letter_is_drawn(name: LetterName, chromium: str) -> None:
    SCREENS.mkdir(parents=True, exist_ok=True)
    png = await Chromium(chromium).picture(render(DEFAULTS[name], {**EXAMPLES, **PERSON}).html)
    assert png is not None
    (SCREENS / f"letter-{name.value}.png").write_bytes(png)
    drawn = Image.open(io.BytesIO(png)).convert("RGB")
    assert drawn.width == 640
    colours = {colour for _count, colour in drawn.getcolors(1_000_000)}
    assert (31, 58, 95) in colours, "the head of the frame"
    assert len(colours) > 20, "there is text on it"


async def test_no_script_runs_and_nothing_is_loaded(chromium: str) -> None:
    plain = "<html><head></head><body style='background:#fff'><p>hola</p></body></html>"
    evil = plain.replace(
        "</body>",
        "<script>document.body.style.background='#f00'</script><img src='http://127.0.0.1:9/x.png' onerror="
        "\"document.body.style.background='#f00'\"></body>",
    )
    seen = [await Chromium(chromium).picture(one) for one in (plain, evil)]
    assert seen[1] is not None
    red = {colour for _count, colour in Image.open(io.BytesIO(seen[1])).convert("RGB").getcolors(1_000_000)}
    assert (255, 0, 0) not in red
