"""The live view of `edgenode top`: frames, sparklines, and the loop that shows them."""

from __future__ import annotations

import os
import re
import select
import sys
import termios
import time
import tty
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console, Group, JustifyMethod, RenderableType
from rich.live import Live as Screen
from rich.table import Table
from rich.text import Text

from edgenode.cli.status import text as status_lines
from edgenode.cli.words import NONE, number, span
from edgenode.control import NoDaemon
from edgenode.errors import NodeError

Document = dict[str, Any]
Show = Callable[[RenderableType], None]  # puts a frame where it is seen

BARS = "▁▂▃▄▅▆▇█"
KEPT = 60  # values of each channel: a minute at the pace of the view
CHANNELS_MOST = 1_000  # of which values are kept
PLAIN_WIDTH = 120  # where no terminal says how wide it is
KEYS = 64  # bytes taken at a time
COLUMNS: tuple[tuple[str, JustifyMethod], ...] = (
    ("CHANNEL", "left"), ("VALUE", "right"), ("UNIT", "left"), ("QUALITY", "left"),
    ("AGE", "right"), ("LAST MINUTE", "left"),
)  # fmt: skip
QUIT = frozenset(b"qQ\x03\x04")  # Ctrl-C and Ctrl-D arrive as characters in some terminals


# As xterm sends them (ctlseqs), with the letters of less(1); True is a page.
STEPS = {
    b"\x1b[A": (-1, False), b"\x1bOA": (-1, False), b"k": (-1, False), b"\x1b[5~": (-1, True),
    b"\x1b[B": (1, False), b"\x1bOB": (1, False), b"j": (1, False), b"\x1b[6~": (1, True),
    b" ": (1, True),
}  # fmt: skip
STEP = re.compile(b"|".join(map(re.escape, STEPS)))
FRAMING = 3  # lines beside head and channels: a blank one, the titles, what is not shown
FEW = 5  # channels that are worth a head of one line


class Live:
    """The values seen so far, and the frame that shows them: what fits on the console, if given."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console
        self._seen: dict[str, deque[float | None]] = {}
        self._status: Document = {}
        self._channels: list[Document] = []
        self._top = self._room = 0  # the first channel that is shown, and how many are

    def frame(self, both: Document) -> RenderableType:
        """Take in one pair of documents and return what is shown of it."""
        self._status = both["status"]
        self._channels = [c for sensor in both["sensors"]["sensors"] for c in sensor["channels"]]
        for channel in self._channels:
            self._note(channel["channel"], channel["value"])
        return self.view()

    def view(self) -> RenderableType:
        """Return what is shown of the newest documents."""
        head, count = self._fitted(), len(self._channels)
        self._top = max(0, min(self._top, count - self._room))
        shown = self._channels[self._top : self._top + self._room]
        table = Table(box=None, pad_edge=False, header_style="bold")
        for title, justify in COLUMNS:
            table.add_column(title, justify=justify, no_wrap=True)
        for channel in shown:
            table.add_row(*self._row(channel), style=_style(channel))
        if len(shown) == count:
            return Group(head, Text(""), table)
        first = self._top + 1
        rest = f"{first} to {self._top + len(shown)} of {count} channels; arrows and space scroll"
        return Group(head, Text(""), table, Text(rest, style="dim"))

    def scroll(self, keys: bytes) -> bool:
        """Go where these keys lead; return whether one of them leads anywhere."""
        found = STEP.findall(keys)
        for step, page in map(STEPS.__getitem__, found):
            self._top += step * (self._room if page else 1)
            self._top = max(0, min(self._top, len(self._channels) - self._room))
        return bool(found)

    def _fitted(self) -> Text:
        """Return the head, shortened where there is hardly room for channels, which it reckons."""
        lines = list(status_lines(self._status))
        self._room = len(self._channels)
        if self._console is not None:
            height = self._console.height - FRAMING
            self._room = height - _lines_of(self._console, lines)
            if self._room < min(FEW, len(self._channels)):
                lines = lines[:1]
                self._room = max(1, height - _lines_of(self._console, lines))
        head = Text("\n".join(lines))
        style = "green" if _well(self._status) else "bold red"
        head.highlight_words([self._status["health"].upper()], style)
        return head

    def plain(self, both: Document) -> Iterator[str]:
        """Yield one frame as lines without any control sequence."""
        console = Console(width=PLAIN_WIDTH, color_system=None, force_terminal=False)
        with console.capture() as caught:
            console.print(self.frame(both))
        yield from (line.rstrip() for line in caught.get().splitlines())

    def _note(self, name: str, value: float | None) -> None:
        if name not in self._seen and len(self._seen) < CHANNELS_MOST:
            self._seen[name] = deque(maxlen=KEPT)
        if name in self._seen:
            self._seen[name].append(value)

    def _row(self, channel: Document) -> tuple[Text, ...]:
        name, age = channel["channel"], channel["age_s"]
        values = self._seen.get(name, deque([channel["value"]]))
        cells = (
            name,
            number(channel["value"], channel["scale"]),
            channel["unit"],
            channel["quality"] or NONE,
            NONE if age is None else span(age),
            spark(values),
        )
        return tuple(Text(cell) for cell in cells)  # what a sensor is named is no markup


def spark(values: deque[float | None]) -> str:
    """Return the values as bars between the least and the greatest; a gap for no number."""
    numbers = [value for value in values if value is not None]
    if not numbers:
        return " " * len(values)
    low, high = min(numbers), max(numbers)
    last = len(BARS) - 1
    step = high / last - low / last  # apart, since the difference of the two may be no number
    if not step:
        return "".join(" " if value is None else BARS[0] for value in values)
    return "".join(
        " " if value is None else BARS[min(last, round(value / step - low / step))]
        for value in values
    )


def _lines_of(console: Console, lines: list[str]) -> int:
    return len(console.render_lines(Text("\n".join(lines)), pad=False))


def _well(status: Document) -> bool:
    return bool(status["health"] == "well")


def _style(channel: Document) -> str:
    return "" if channel["quality"] == "ok" else "yellow"


def loop(
    live: Live,
    first: Document,
    ask: Callable[[], Document],
    show: Show,
    quits: Callable[[], bool],
) -> None:
    """Show frame after frame until `quits`, which waits for the next one, says so.

    A daemon that is restarted meanwhile is waited for; the last frame stays.
    """
    frame = live.frame(first)
    show(frame)
    while not quits():
        try:
            frame = live.frame(ask())
            show(frame)
        except NoDaemon as exc:
            show(Group(Text(f"no daemon answers: {exc}", style="bold red"), frame))
        except NodeError as exc:  # busy, or a defect: the next second tells
            show(Group(Text(str(exc), style="bold red"), frame))


def watch(first: Document, ask: Callable[[], Document], every_s: float) -> tuple[str, ...]:
    """Show frames until somebody quits; without a real terminal one below the other.

    Returns the lines to print afterwards: none.
    """
    console = Console()
    if not console.is_terminal or console.is_dumb_terminal:
        loop(Live(), first, ask, _printed(console), lambda: _slept(every_s))
        return ()
    live = Live(console)
    with _keys(), Screen(console=console, screen=True, auto_refresh=False) as screen:

        def show(frame: RenderableType) -> None:
            screen.update(frame, refresh=True)

        def scroll(keys: bytes) -> None:
            if live.scroll(keys):
                show(live.view())

        loop(live, first, ask, show, lambda: _key_pressed(every_s, scroll))
    return ()


def _printed(console: Console) -> Show:
    def show(frame: RenderableType) -> None:
        console.print(frame)
        console.print()

    return show


def _slept(every_s: float) -> bool:
    time.sleep(every_s)
    return False


def _key_pressed(every_s: float, other: Callable[[bytes], None]) -> bool:
    """Wait for the next frame; return whether a key that quits was pressed, or input ended.

    All `other` keys are passed on.
    """
    if not sys.stdin.isatty():
        return _slept(every_s)
    deadline = time.monotonic() + every_s
    while (left := deadline - time.monotonic()) > 0:
        if select.select([sys.stdin], [], [], left)[0]:
            keys = os.read(sys.stdin.fileno(), KEYS)
            if not keys or QUIT.intersection(keys):
                return True
            other(keys)
    return False


@contextmanager
def _keys() -> Iterator[None]:
    """Let keys arrive one by one, and leave the terminal as it was."""
    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
