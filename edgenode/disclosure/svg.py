"""A page as SVG 1.1: text stays text, and whoever shows it has one of the fonts that it names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from edgenode.disclosure.page import Box, Page, Words

# Where Korean letters are found on Debian, Android, Windows and macOS; the last is any there is.
FONTS: Final = (
    "Noto Sans KR, Noto Sans CJK KR, NanumGothic, Malgun Gothic, Apple SD Gothic Neo, "
    "Helvetica, Arial, sans-serif"
)


def svg(page: Page) -> bytes:
    """Return the page as a file, UTF-8."""
    return ("\n".join(_lines(page)) + "\n").encode()


def _lines(page: Page) -> Iterator[str]:
    width, height = f"{page.width:g}", f"{page.height:g}"
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" version="1.1" width="{width}mm"'
        f' height="{height}mm" viewBox="0 0 {width} {height}" xml:lang="{page.language}"'
        f" font-family={quoteattr(FONTS)}>"
    )
    yield f"<title>{escape(page.title)}</title>"
    yield f'<rect width="{width}" height="{height}" fill="#ffffff"/>'
    for item in page.items:
        yield _box(item) if isinstance(item, Box) else _words(item)
    yield "</svg>"


def _box(box: Box) -> str:
    return (
        f'<rect x="{box.x:.3f}" y="{box.y:.3f}" width="{box.width:.3f}" height="{box.height:.3f}"'
        f' fill="{box.colour}"/>'
    )


def _words(words: Words) -> str:
    bold = ' font-weight="bold"' if words.bold else ""
    return (
        f'<text x="{words.x:.3f}" y="{words.y:.3f}" font-size="{words.size:.3f}"{bold}'
        f' fill="{words.colour}">{escape(words.text)}</text>'
    )
