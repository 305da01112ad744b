"""The live view: a few lines redrawn in place on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import TextIO

from edgenode.cityos.audit import audit
from edgenode.cityos.sink import Sink
from edgenode.demo.stage import NODE, Stage
from edgenode.errors import CityError

REDRAW_S = 0.5
PLAIN_S = 2.0  # between lines where nothing can be redrawn
UP, CLEAR, BOLD, PLAIN = "\033[F", "\033[K", "\033[1m", "\033[0m"


class Show:
    """Says what happens on `out`; with `out` None it keeps quiet."""

    def __init__(self, stage: Stage, out: TextIO | None = sys.stdout) -> None:
        self._stage = stage
        self._out = out
        self._began = time.monotonic()
        self._drawn = 0
        self._last = float("-inf")
        self._doing = ""

    @property
    def _terminal(self) -> bool:
        return self._out is not None and self._out.isatty()

    def scene(self, text: str) -> None:
        """Announce what happens next; it stays above the view."""
        self._doing = text
        self.say(f"{time.monotonic() - self._began:5.1f} s  {text}")

    def say(self, text: str) -> None:
        """Print lines that stay."""
        if self._out is None:
            return
        self._erase()
        bold = self._terminal
        print(f"{BOLD}{text}{PLAIN}" if bold else text, file=self._out, flush=True)

    def refresh(self) -> None:
        """Draw the view anew when it is time."""
        pause = REDRAW_S if self._terminal else PLAIN_S
        if self._out is None or time.monotonic() - self._last < pause:
            return
        self._last = time.monotonic()
        view = self._view()
        if self._terminal:
            self._erase()
            print("\n".join(view), file=self._out, flush=True)
            self._drawn = len(view)
        else:
            print(
                "         " + "; ".join(line.strip() for line in view), file=self._out, flush=True
            )

    def _erase(self) -> None:
        if self._out is not None:
            self._out.write((UP + CLEAR) * self._drawn)
        self._drawn = 0

    def _view(self) -> Sequence[str]:
        status = self._stage.status()
        if status is None:
            node = "does not run"
            uplink = "-"
        else:
            spool, link = status["spool"], status["uplink"]
            node = f"{status['health']}, {spool['held_batches']} batches held"
            node += f", {spool['window_readings']} readings in the window"
            up = link is not None and link["connected"]
            uplink = f"connected, {link['acked']} acknowledged" if up else "not connected"
        return (
            f"  instruments  {_lines(self._stage)} answers",
            f"  node         {node}",
            f"  uplink       {uplink}",
            f"  City OS      {_rows(self._stage)} readings stored",
        )


def _lines(stage: Stage) -> int:
    try:
        return stage.truth.read_bytes().count(b"\n")
    except OSError:
        return 0


def _rows(stage: Stage) -> int:
    try:
        with Sink.open(stage.city, readonly=True) as sink:
            return sum(s.received for s in audit(sink, bytes.fromhex(NODE)).streams)
    except CityError:
        return 0  # the receiver has not made its tables yet
