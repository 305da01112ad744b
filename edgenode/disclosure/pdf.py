"""A page as PDF, by fpdf2. Latin letters need no font; all others one that is embedded."""

from __future__ import annotations

import logging
import unicodedata
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Any, Final

from edgenode.disclosure.page import A5, Box, Page, Words
from edgenode.errors import NodeError

POINTS: Final = 72 / 25.4  # in a mm
NAMED: Final = "named"
LATIN: Final = "cp1252"  # what the fonts that every PDF reader has are written in
# Where Debian puts Korean fonts of the kind that can be embedded: fonts-nanum, fonts-unfonts-core.
PLACES: Final = (
    Path("/usr/share/fonts/truetype/nanum/NanumGothic.ttf"),
    Path("/usr/share/fonts/truetype/unfonts-core/UnDotum.ttf"),
)
INSTALL: Final = "a PDF is written by fpdf2: pip install 'edgenode[sign]', or name a file .svg"


class Paper:
    """A PDF of one page with a font that has every letter of `texts`.

    Raises NodeError where fpdf2 is not installed, or no such font is found.
    """

    def __init__(
        self, texts: Sequence[str], font: str | None, places: Sequence[Path] = PLACES
    ) -> None:
        try:
            from fpdf import FPDF  # noqa: PLC0415 - an extra, and slow to import
        except ImportError as exc:
            raise NodeError(INSTALL) from exc
        self._pdf: Any = FPDF(unit="mm", format=A5)
        self._pdf.core_fonts_encoding = LATIN
        self._pdf.set_auto_page_break(auto=False)
        self._pdf.add_page()
        self._has_bold = True
        self._spelt: dict[int, str] = {}
        self._family, letters = "Helvetica", set("".join(texts))
        path = Path(font) if font else _place(letters, places)
        if path:
            self._embed(path, letters)

    def measure(self, text: str, size: float, bold: bool) -> float:  # noqa: FBT001 - Measure
        """Return how wide a text is in mm."""
        self._choose(size, bold=bold)
        width: float = self._pdf.get_string_width(text.translate(self._spelt))
        return width

    def write(self, page: Page) -> bytes:
        """Draw the page and return the file."""
        self._pdf.set_title(page.title)
        self._pdf.set_lang(page.language)
        for item in page.items:
            if isinstance(item, Box):
                self._pdf.set_fill_color(item.colour)
                self._pdf.rect(item.x, item.y, item.width, item.height, style="F")
            else:
                self._words(item)
        return bytes(self._pdf.output())

    def _words(self, words: Words) -> None:
        self._choose(words.size, bold=words.bold)
        self._pdf.set_text_color(words.colour)
        self._pdf.text(words.x, words.y, words.text.translate(self._spelt))

    def _choose(self, size: float, *, bold: bool) -> None:
        style = "B" if bold and self._has_bold else ""
        self._pdf.set_font(self._family, style, size * POINTS)

    def _embed(self, path: Path, letters: set[str]) -> None:
        """Take a font, and its bold where that lies beside it and has as many letters."""
        has = self._added(path, "")
        for letter in letters:
            if ord(letter) not in has:  # a micro sign is a Greek letter elsewhere
                self._spelt[ord(letter)] = unicodedata.normalize("NFKC", letter)
        lacking = _lacking(letters, self._spelt, has)
        if lacking:
            raise NodeError(
                f"{path}: has no letter {lacking[0]!r}, nor {len(lacking) - 1} others of this sign;"
                " name another font: --font FILE.ttf"
            )
        bold = _bold_of(path)
        self._has_bold = bold is not None and not _lacking(
            letters, self._spelt, self._added(bold, "B")
        )
        self._family = NAMED

    def _added(self, path: Path, style: str) -> Container[int]:
        """Add a font and return the letters that it has."""
        from fontTools.ttLib import TTLibError  # noqa: PLC0415 - comes with fpdf2

        logging.getLogger("fontTools").setLevel(logging.ERROR)  # it tells what it leaves out
        try:
            self._pdf.add_font(NAMED, style, path)
        except (
            OSError,
            ValueError,
            KeyError,
            RuntimeError,
            NotImplementedError,
            TTLibError,
        ) as exc:
            advice = "name a TrueType font: --font FILE.ttf"
            raise NodeError(f"{path}: cannot be used as a font: {exc}; {advice}") from exc
        has: Container[int] = self._pdf.fonts[NAMED + style].cmap
        return has


def _bold_of(path: Path) -> Path | None:
    """Return the bold font that lies beside a regular one: NanumGothicBold beside NanumGothic."""
    stems = (f"{path.stem}Bold", f"{path.stem}-Bold", path.stem.replace("Regular", "Bold"))
    beside = (path.with_name(f"{stem}{path.suffix}") for stem in stems if stem != path.stem)
    return next((other for other in beside if other.is_file()), None)


def _lacking(letters: set[str], spelt: dict[int, str], has: Container[int]) -> list[str]:
    """Return the letters that a font has in neither spelling."""
    return sorted(one for one in letters if any(ord(c) not in has for c in one.translate(spelt)))


def _place(letters: set[str], places: Sequence[Path]) -> Path | None:
    """Return the font to embed; None where Latin letters are enough."""
    try:
        "".join(letters).encode(LATIN)
    except UnicodeEncodeError as exc:
        found = next((path for path in places if path.is_file()), None)
        if found is None:
            letter = exc.object[exc.start]
            raise NodeError(
                f"a PDF must bring a font for letters such as {letter!r}, and none is found here:"
                " apt install fonts-nanum, or name one: --font FILE.ttf; an SVG needs none"
            ) from exc
        return found
    return None
