"""Draw the two icons of the Teams app: the colour one (192 px) and the outline (32 px, white on nothing).

    python docs/images/draw_icons.py

An L whose foot is a spark: light (Lucy), and the first letter. Drawn eight times as large and made smaller.
"""

from pathlib import Path

from PIL import Image, ImageDraw

OUT = Path(__file__).parents[2] / "manifest"
LARGER = 8
BLUE, WHITE, AMBER = (31, 58, 95, 255), (255, 255, 255, 255), (255, 200, 87, 255)


def main() -> None:
    _colour(192).save(OUT / "color.png", optimize=True)
    _outline(32).save(OUT / "outline.png", optimize=True)


def _colour(size: int) -> Image.Image:
    side = size * LARGER
    image = Image.new("RGBA", (side, side), BLUE)
    _sign(ImageDraw.Draw(image), side, stem=WHITE, spark=AMBER)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _outline(size: int) -> Image.Image:
    side = size * LARGER
    image = Image.new("RGBA", (side, side), (255, 255, 255, 0))
    _sign(ImageDraw.Draw(image), side, stem=WHITE, spark=WHITE)
    return image.resize((size, size), Image.Resampling.LANCZOS)


def _sign(draw: ImageDraw.ImageDraw, side: int, *, stem: tuple[int, ...], spark: tuple[int, ...]) -> None:
    def at(x: float, y: float) -> tuple[float, float]:
        return x * side, y * side

    draw.rounded_rectangle((*at(0.28, 0.2), *at(0.40, 0.8)), radius=0.06 * side, fill=stem)
    draw.rounded_rectangle((*at(0.28, 0.68), *at(0.56, 0.8)), radius=0.06 * side, fill=stem)
    draw.polygon([at(0.7, 0.56), at(0.735, 0.705), at(0.88, 0.74), at(0.735, 0.775), at(0.7, 0.92),
                  at(0.665, 0.775), at(0.52, 0.74), at(0.665, 0.705)], fill=spark)  # fmt: skip


if __name__ == "__main__":
    main()
