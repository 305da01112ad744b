"""A page as a picture for label printers, by Pillow: 300 dots an inch, black and white."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from edgenode.disclosure.page import Box, Page, Words
from edgenode.disclosure.pdf import LATIN, PLACES
from edgenode.errors import NodeError

DPI: Final = 300  # of the label printers with rolls of 62 mm
DOTS: Final = DPI / 25.4  # in a mm
INSTALL: Final = "a PNG is drawn by Pillow: pip install 'edgenode[sign]', or name a file .svg"


def png(page: Page, places: Sequence[Path] = PLACES) -> bytes:
    """Return the page as a file; raises NodeError without Pillow or a font for its letters."""
    try:
        from PIL import Image, ImageDraw  # noqa: PLC0415 - an extra, and slow to import
    except ImportError as exc:
        raise NodeError(INSTALL) from exc
    picture = Image.new("1", (_dots(page.width), _dots(page.height)), 1)
    draw = ImageDraw.Draw(picture)
    fonts = _Fonts([item.text for item in page.items if isinstance(item, Words)], places)
    for item in page.items:
        if isinstance(item, Box):
            far = (_dots(item.x + item.width) - 1, _dots(item.y + item.height) - 1)
            draw.rectangle([(_dots(item.x), _dots(item.y)), far], fill=0)
        else:
            draw.text(
                (_dots(item.x), _dots(item.y)), item.text, 0, fonts.of(item.size), anchor="ls",
                stroke_width=1 if item.bold else 0,
            )  # fmt: skip
    made = io.BytesIO()
    picture.save(made, "PNG", dpi=(DPI, DPI), optimize=True)
    return made.getvalue()


def _dots(millimetres: float) -> int:
    return round(millimetres * DOTS)


class _Fonts:
    """A font that has the letters: Pillow's own for Latin ones, else one of the system."""

    def __init__(self, texts: Sequence[str], places: Sequence[Path]) -> None:
        self._path: Path | None = None
        try:
            "".join(texts).encode(LATIN)
        except UnicodeEncodeError as exc:
            self._path = next((path for path in places if path.is_file()), None)
            if self._path is None:
                letter = exc.object[exc.start]
                raise NodeError(
                    f"a PNG must draw letters such as {letter!r}, and no font is found here:"
                    " apt install fonts-nanum; an SVG needs none"
                ) from exc

    def of(self, size: float) -> Any:
        """Return the font in a size in mm."""
        from PIL import ImageFont  # noqa: PLC0415 - as above

        if self._path is not None:
            return ImageFont.truetype(str(self._path), _dots(size))
        return ImageFont.load_default(size * DOTS)
