"""The sign: what a summary says, set on a page of A5 so that all of it fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgenode.disclosure.page import Box, Measure, Page, Words, wrapped
from edgenode.disclosure.summary import Summary, Theme
from edgenode.disclosure.words import phrases
from edgenode.errors import NodeError

MARGIN: Final = 10.0  # mm
CODE: Final = 36.0  # mm: the side of the QR code with its quiet zone
QUIET: Final = 4  # modules of white around it (ISO/IEC 18004, 5.3.8)
OVERLAP: Final = 1.04  # of a row by the next one: else a light seam shows where screens blend edges
GAP: Final = 3.0
BODY: Final = 3.3  # mm, about 9.4 points
SCALES: Final = (1.0, 0.92, 0.85, 0.78, 0.72)  # down to about 6.8 points, the least for a reader
DETAILS: Final = (99, 8, 4, 2)  # quantities that are named of each theme, until all fits
LEADING: Final = 1.32
DASH: Final = "-"
DARK, INK, GREY, PALE, WHITE = "#12344d", "#1a1a1a", "#56616b", "#e8eef2", "#ffffff"
BLACK = "#000000"

Modules = Sequence[Sequence[int]]  # rows of a QR code, 1 is dark


def sign(told: Summary, modules: Modules | None, measure: Measure) -> Page:
    """Return the sign; raises NodeError where even the shortest form has no room."""
    for details in DETAILS:
        for scale in SCALES:
            setting = _Setting(told, modules, measure, scale, details)
            if setting.fits:
                return setting.page
    raise NodeError(
        "too much text for a sign of A5; shorten the texts of [site] and the purposes of sensors"
    )


class _Setting:
    """One try to set the page with letters of one size."""

    def __init__(
        self, told: Summary, modules: Modules | None, measure: Measure, scale: float, details: int
    ) -> None:
        self._told, self._measure, self._details = told, measure, details
        self._heads = phrases(told.language)
        self._size = BODY * scale
        self.page = Page(self._heads["title"], told.language)
        self._bottom = self.page.height - MARGIN - self._foot(modules)
        self.fits = self._body(self._head()) <= self._bottom

    @property
    def _wide(self) -> float:
        return self.page.width - 2 * MARGIN

    def _put(
        self, text: str, x: float, y: float, width: float, size: float,
        *, bold: bool = False, colour: str = INK,
    ) -> float:  # fmt: skip
        """Set a text from `y` down and return where it ends."""
        for line in wrapped(text, width, size, self._measure, bold=bold):
            self.page.items.append(Words(x, y + size, size, line, bold, colour))
            y += size * LEADING
            if y > self.page.height:  # this try is in vain
                break
        return y

    def _head(self) -> float:
        """Set title, place and purpose on a dark ground, and return where the body begins."""
        room, told = self.page.items, self._told
        start = len(room)
        y = self._put(
            self._heads["title"], MARGIN, MARGIN, self._wide, 6.2, bold=True, colour=WHITE
        )
        y = self._put(told.name or told.node, MARGIN, y + 1, self._wide, 4.2, colour=WHITE)
        if told.purpose:
            y = self._put(told.purpose, MARGIN, y + 1, self._wide, self._size, colour=WHITE)
        room.insert(start, Box(0, 0, self.page.width, y + GAP, DARK))
        return y + 2 * GAP

    def _body(self, y: float) -> float:
        """Set what is measured, theme by theme, and return where it ends."""
        if not self._told.themes:
            return self._put(self._heads["nothing"], MARGIN, y, self._wide, self._size)
        for theme in self._told.themes:
            if y <= self._bottom:  # else this try is in vain
                y = self._theme(theme, y)
        return self._put(self._heads["never"], MARGIN, y, self._wide, self._size, bold=True) + GAP

    def _theme(self, theme: Theme, y: float) -> float:
        size = self._size
        y = self._put(theme.name, MARGIN, y, self._wide, size * 1.1, bold=True, colour=DARK)
        y = self._put(self._quantities(theme), MARGIN, y, self._wide, size)
        purposes = "; ".join(entry.purpose for entry in theme.entries if entry.purpose)
        y = self._put(f"{self._heads['purpose']}: {purposes}", MARGIN, y, self._wide, size)
        return (
            self._put(f"{DASH} {theme.denial}", MARGIN, y, self._wide, size, colour=GREY)
            + size * 0.6
        )

    def _quantities(self, theme: Theme) -> str:
        names = list(dict.fromkeys(name for entry in theme.entries for name in entry.quantities))
        told, more = names[: self._details], len(names) - self._details
        if more > 0:
            told.append(self._heads["and_more"].format(more))
        return "; ".join(told)

    def _foot(self, modules: Modules | None) -> float:
        """Set who answers and the code at the bottom; return how much room that takes."""
        width = self._wide - (CODE + GAP if modules else 0)
        facts = [*self._told.facts, *([(self._heads["more"], self._told.url)] * bool(modules))]
        height = self._facts(facts, 0.0, width)
        del self.page.items[:]
        height = max(height, CODE if modules else 0.0)
        top = self.page.height - MARGIN - height
        below = self.page.height - top + GAP
        self.page.items.append(Box(0, top - GAP, self.page.width, below, PALE))
        self._facts(facts, top, width)
        if modules:
            self._code(modules, self.page.width - MARGIN - CODE, top)
        return height + GAP

    def _facts(self, facts: Sequence[tuple[str, str]], y: float, width: float) -> float:
        for heading, text in facts:
            if not text:
                continue
            y = self._put(heading, MARGIN, y, width, self._size * 0.85, colour=GREY)
            y = self._put(text, MARGIN, y, width, self._size, bold=True) + self._size * 0.3
        return y

    def _code(self, modules: Modules, x: float, y: float) -> None:
        """Draw a QR code on white, each run of dark modules of a row as one box."""
        side = CODE / (len(modules) + 2 * QUIET)
        self.page.items.append(Box(x, y, CODE, CODE, WHITE))
        for n, row in enumerate(modules):
            start = 0
            while start < len(row):
                end = start
                while end < len(row) and row[end]:
                    end += 1
                if end > start:
                    left, top = x + (start + QUIET) * side, y + (n + QUIET) * side
                    wide, high = (end - start) * side, side * OVERLAP
                    self.page.items.append(Box(left, top, wide, high, BLACK))
                start = end + 1
