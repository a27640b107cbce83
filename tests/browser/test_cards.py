"""Every card of the catalogue, drawn by Microsoft's renderer as wide as a phone, a pane and a channel.

Nothing may stick out, and each looks as it looked before: compared with the kept pictures, which are small and grey.
Tolerance: the mean difference of a pixel is at most 10 of 255 (fonts of another machine), the height differs by 6 %
at most. `LUCY_REGENERATE=1` keeps new ones; look at them before.
"""

import io
import json
import os
from pathlib import Path

import pytest
from PIL import Image, ImageChops, ImageStat
from playwright.async_api import Browser

from tests.browser.conftest import SCREENS
from tests.unit.cards.card_samples import DRAWN, draw

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEPT = Path(__file__).parent / "pictures"
WIDTHS = (320, 480, 800)
SCALE = 4  # kept pictures are a fourth as wide
MEAN_DIFFERENCE, HEIGHT_DIFFERENCE = 10.0, 0.06
LANG = 'for property "lang".'  # its check of `lang` says no to every second card: a regular expression with memory
# Teams lets buttons go on in the next line.
STYLE = ".ac-actionSet { flex-wrap: wrap !important } .ac-pushButton { white-space: normal !important }"
DRAW = """async ([card, width]) => {
  const drawn = new AdaptiveCards.AdaptiveCard();
  drawn.hostConfig = new AdaptiveCards.HostConfig({ fontFamily: "sans-serif" });
  const warnings = [];
  const context = new AdaptiveCards.SerializationContext();
  drawn.parse(card, context);
  for (let at = 0; at < context.eventCount; at++) warnings.push(context.getEventAt(at).message);
  document.body.style.cssText = `margin:0;width:${width}px;background:#fff`;
  document.body.replaceChildren(drawn.render());
  const sticking = [...document.body.querySelectorAll("*")].filter(
    (one) => one.getBoundingClientRect().right > width + 1).map((one) => one.className + ": " + one.textContent);
  return { warnings, sticking };
}"""


@pytest.mark.parametrize("name", DRAWN)
async def test_a_card_looks_right_at_every_width(name: str, browser: Browser, renderer: Path) -> None:
    card = draw(name)
    card.pop("msteams")
    page = await browser.new_page()
    try:
        await page.add_script_tag(path=renderer)
        await page.add_style_tag(content=STYLE)
        shots = []
        for width in WIDTHS:
            await page.set_viewport_size({"width": width, "height": 600})
            found = await page.evaluate(DRAW, [json.loads(json.dumps(card)), width])
            assert found["sticking"] == [], f"sticks out at {width} px"
            assert [one for one in found["warnings"] if not one.endswith(LANG)] == []
            shots.append(Image.open(io.BytesIO(await page.locator("body").screenshot())).convert("L"))
    finally:
        await page.close()
    sheet = _beside(shots)
    sheet.save(SCREENS / f"card-{name}.png")
    small = sheet.resize((sheet.width // SCALE, max(1, sheet.height // SCALE)))
    kept = KEPT / f"{name}.png"
    if os.environ.get("LUCY_REGENERATE"):
        KEPT.mkdir(exist_ok=True)
        small.quantize(16).save(kept, optimize=True)
    _alike(small, Image.open(kept).convert("L"))


async def test_no_picture_is_left_over() -> None:
    assert {one.stem for one in KEPT.iterdir()} == set(DRAWN)


def _beside(shots: list[Image.Image]) -> Image.Image:
    sheet = Image.new(
        "L", (sum(one.width for one in shots) + 16 * (len(shots) - 1), max(one.height for one in shots)), 200
    )
    left = 0
    for one in shots:
        sheet.paste(one, (left, 0))
        left += one.width + 16
    return sheet


def _alike(seen: Image.Image, kept: Image.Image) -> None:
    assert seen.width == kept.width
    assert abs(seen.height - kept.height) <= max(3, kept.height * HEIGHT_DIFFERENCE), (seen.height, kept.height)
    height = min(seen.height, kept.height)
    parts = [one.crop((0, 0, one.width, height)) for one in (seen, kept)]
    mean = ImageStat.Stat(ImageChops.difference(*parts)).mean[0]
    assert mean <= MEAN_DIFFERENCE, f"differs by {mean:.1f} of 255"
