"""A page as what is drawn on it, in millimetres from its top left corner; no format of a file."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

A5: Final = (148.0, 210.0)  # mm, ISO 216
Measure = Callable[[str, float, bool], float]  # words, size in mm, bold -> width in mm

# Widths of Latin letters in ems, on the safe side of Helvetica, Arial, Noto Sans and NanumGothic.
NARROW: Final = "ijlI.,;:'!|()[] -"
WIDE: Final = "mwMW@%—…"
EM_NARROW, EM_USUAL, EM_CAPITAL, EM_WIDE, EM_FULL = 0.36, 0.59, 0.74, 0.96, 1.0
BOLD: Final = 1.06


@dataclass(frozen=True)
class Words:
    """One line of text; `y` is its base line, `size` its em, `colour` as "#rrggbb"."""

    x: float
    y: float
    size: float
    text: str
    bold: bool = False
    colour: str = "#1a1a1a"


@dataclass(frozen=True)
class Box:
    """A filled rectangle."""

    x: float
    y: float
    width: float
    height: float
    colour: str


@dataclass
class Page:
    """Boxes and lines of text in the order of drawing."""

    title: str
    language: str
    items: list[Words | Box] = field(default_factory=list)
    width: float = A5[0]
    height: float = A5[1]


def estimated(text: str, size: float, bold: bool) -> float:  # noqa: FBT001 - as Measure has it
    """Return about how wide a text is in a sans-serif font that nobody knows yet, in mm."""
    ems = sum(map(_em, text))
    return ems * size * (BOLD if bold else 1)


def _em(letter: str) -> float:
    if unicodedata.east_asian_width(letter) in "WF":
        return EM_FULL
    if letter in NARROW:
        return EM_NARROW
    if letter in WIDE:
        return EM_WIDE
    return EM_CAPITAL if letter.isupper() else EM_USUAL


def wrapped(
    text: str, width: float, size: float, measure: Measure, *, bold: bool = False
) -> Iterator[str]:
    """Yield lines that fit into `width` mm; a word that is longer than a line is cut."""
    line = ""
    for word in _pieces(text.split(), width, size, measure, bold=bold):
        longer = f"{line} {word}" if line else word
        if line and measure(longer, size, bold) > width:
            yield line
            line = word
        else:
            line = longer
    if line:
        yield line


def _pieces(
    words: Sequence[str], width: float, size: float, measure: Measure, *, bold: bool
) -> Iterator[str]:
    for word in words:
        if measure(word, size, bold) <= width:
            yield word
            continue
        piece = ""
        for letter in word:
            if piece and measure(piece + letter, size, bold) > width:
                yield piece
                piece = ""
            piece += letter
        yield piece
