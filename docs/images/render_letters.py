"""Draw the golden letters as PNGs in a headless Chromium, as wide as a mail client's window and as a phone.

    python docs/images/render_letters.py --out docs/images/letters

Looked at after each change of a letter. `tests/unit/lucy/domain/test_letter_goldens.py` keeps their text.
"""

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

GOLDEN = Path(__file__).parents[2] / "tests/unit/lucy/domain/golden_letters"
WIDTHS = (500, 760)  # Chromium's window is never narrower than 500


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--browser", default=shutil.which("chromium") or shutil.which("google-chrome"))
    asked = parser.parse_args()
    if not asked.browser:
        sys.stderr.write("no chromium here: name one with --browser\n")
        return 1
    asked.out.mkdir(parents=True, exist_ok=True)
    for letter in sorted(GOLDEN.glob("*.html")):
        for width in WIDTHS:
            png = asked.out / f"{letter.stem}-{width}.png"
            options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--window-size={width},760"]
            command = [asked.browser, *options, f"--screenshot={png}", letter.resolve().as_uri()]
            subprocess.run(command, check=True, capture_output=True, timeout=60)  # noqa: S603
            sys.stdout.write(f"{png}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
