"""Draw card JSON files as PNGs with the official renderer in a headless Chromium.

    npm install --prefix /tmp/acr adaptivecards@3.0.6
    python docs/images/render.py --renderer /tmp/acr/node_modules/adaptivecards/dist/adaptivecards.min.js \
        --width 640 --out docs/images card.json ...

Each `card.json` gives `card.png`. The host configuration only takes Teams' fonts, colours and spacing near.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; padding: 12px; width: {width}px; box-sizing: border-box; background: #f5f5f5;
  font-family: "Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif; }}
#card {{ background: #fff; border: 1px solid #d1d1d1; border-radius: 6px; overflow: hidden; }}
.ac-pushButton {{ font: 600 14px "Segoe UI", "DejaVu Sans", sans-serif; padding: 5px 12px; border-radius: 4px;
  border: 1px solid #d1d1d1; background: #fff; color: #242424; }}
.ac-pushButton.style-positive {{ background: #5b5fc7; color: #fff; border-color: #5b5fc7; }}
textarea, input {{ width: 100%; box-sizing: border-box; font: inherit; padding: 4px; }}
</style><div id="card"></div><pre id="warnings"></pre><script src="{renderer}"></script><script>
const colours = {{ default: {{ default: "#242424", subtle: "#616161" }} }};
const style = (back) => ({{ backgroundColor: back, foregroundColors: colours }});
const card = new AdaptiveCards.AdaptiveCard();
card.hostConfig = new AdaptiveCards.HostConfig({{
  fontFamily: '"Segoe UI", "Noto Sans", "DejaVu Sans", sans-serif',
  fontTypes: {{ default: {{}}, monospace: {{ fontFamily: '"DejaVu Sans Mono", Consolas, monospace' }} }},
  fontSizes: {{ small: 12, default: 14, medium: 16, large: 18, extraLarge: 24 }},
  spacing: {{ small: 4, default: 8, medium: 12, large: 16, extraLarge: 24, padding: 14 }},
  containerStyles: {{ default: style("#ffffff"), emphasis: style("#f0f0f0"), good: style("#e7f2da"),
    warning: style("#fbf2d9"), attention: style("#fcf4f6"), accent: style("#e8ebfa") }},
  actions: {{ maxActions: 6, actionsOrientation: "horizontal", actionAlignment: "left", buttonSpacing: 8,
    showCard: {{ actionMode: "inline", inlineTopMargin: 12 }} }},
  factSet: {{ title: {{ weight: "bolder", wrap: true, maxWidth: 150 }}, value: {{ wrap: true }}, spacing: 10 }},
}});
card.parse({card});
document.getElementById("card").append(card.render());
if ({unfold}) document.querySelectorAll("button[aria-expanded]").forEach((button) => button.click());
document.title = String(Math.ceil(document.body.getBoundingClientRect().height));
</script>"""


def page(card: Path, renderer: Path, width: int, *, unfold: bool) -> str:
    text = json.dumps(json.loads(card.read_text())).replace("</", "<\\/")
    return PAGE.format(width=width, renderer=renderer.resolve().as_uri(), card=text, unfold=str(unfold).lower())


def chromium(browser: str, html: Path, *arguments: str) -> str:
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", *arguments, html.as_uri()]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout  # noqa: S603


def shoot(browser: str, html: Path, png: Path, width: int) -> None:
    """First the page's own height, then the picture."""
    found = re.search(r"<title>(\d+)</title>", chromium(browser, html, "--dump-dom", f"--window-size={width},400"))
    if found is None:
        raise SystemExit(f"{html}: the card was not drawn")
    chromium(browser, html, f"--screenshot={png}", f"--window-size={width},{max(60, int(found[1]))}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cards", nargs="+", type=Path)
    parser.add_argument("--renderer", type=Path, required=True, help="adaptivecards.min.js")
    parser.add_argument("--browser", default="chromium")
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--out", type=Path, default=Path())
    parser.add_argument("--unfold", action="store_true", help="with every Action.ShowCard open")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for card in given.cards:
            html = Path(folder) / f"{card.stem}.html"
            html.write_text(page(card, given.renderer, given.width, unfold=given.unfold))
            png = (given.out / f"{card.stem}.png").resolve()
            shoot(given.browser, html, png, given.width)
            sys.stdout.write(f"{png}\n")


if __name__ == "__main__":
    main()
