"""How `edgenode flash` tells what happens: sentences, or objects a line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from edgenode.cli.asking import harmless
from edgenode.cli.words import span
from edgenode.flash import Flashed, Unwritable, sized

if TYPE_CHECKING:
    from edgenode.cli.flashing import Order

EVERY_S: Final = 1.0  # how often progress is told; on a terminal in place, else at each tenth
BAR: Final = 79
AFTER: Final = "its partition table is gone, so that no half system boots: flash it again"
NOTHING: Final = "nothing was written"


class Told:
    """Tells what happens: sentences, or with `json` an object a line."""

    def __init__(self, *, json: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._json = json
        self._now = now
        self._begun = False
        self._phase = ""
        self._since = self._next = 0.0
        self._tenth = 0
        self._open = False  # a line of progress stands without an end

    def plan(self, order: Order) -> None:
        """Say what will be written to which device."""
        image, one = order.image, order.device
        if self._json:
            self._object(
                "plan",
                image=str(image.path),
                sha256=image.sha256 or None,
                device=one.name,
                device_bytes=one.size,
                model=one.model,
                serial=one.serial,
                bus=one.bus,
                files=sorted(order.files),
                node=order.node or None,
                note=order.note or None,
            )
            return
        needs = f", for {sized(image.need)} or more" if image.need else ""
        checked = "checked against its .sha256" if image.sha256 else "no .sha256 beside it"
        print(f"image   {image.path} ({image.packing}{needs}; {checked})")
        which = ", ".join(filter(None, [sized(one.size), one.bus, one.model, one.serial]))
        print(harmless(f"device  {one.name} ({which})"))
        if order.files:
            whose = f", for node {order.node}" if order.node else ""
            print(harmless(f"adds    {' and '.join(sorted(order.files))}{whose}"))
        if order.note:
            print(f"note    {order.note}")

    def progress(self, phase: str, done: int, total: int) -> None:
        """Tell how far a phase is, at most once a second; from the first call on it is written."""
        self._begun = True
        now = self._now()
        if phase != self._phase:
            self._phase, self._since, self._next, self._tenth = phase, now, now, 0
        if now < self._next and done != total:
            return
        self._next = now + EVERY_S
        rate = done / (now - self._since) if now > self._since else 0.0
        left = (total - done) / rate if rate and total else None
        if self._json:
            self._object(
                "progress",
                phase=phase,
                done_bytes=done,
                total_bytes=total or None,
                bytes_per_s=round(rate),
                left_s=None if left is None else round(left),
            )
        else:
            self._line(phase, done, total, rate, left)

    def done(self, order: Order, done: Flashed) -> None:
        """Say what is on the card."""
        if self._json:
            self._object(
                "done",
                device=order.device.name,
                image_bytes=done.size,
                files=sorted(order.files),
                table_seen=done.seen,
            )
            return
        self._end_line()
        added = f", with {' and '.join(sorted(order.files))}" if order.files else ""
        print(f"{order.device.name}: {sized(done.size)} written and verified{added}; take it out")

    def failed(self, exc: Exception, code: int) -> int:
        """Say why it ended and in what state the device is; return the exit code."""
        touched = self._begun and not isinstance(exc, Unwritable)
        after = AFTER if touched else NOTHING
        if self._json:
            self._object("failed", problem=str(exc), written=touched, code=code)
        self._end_line()
        print(f"edgenode flash: {exc}\n  {after}", file=sys.stderr)
        return code

    def _line(self, phase: str, done: int, total: int, rate: float, left: float | None) -> None:
        """Print progress in place on a terminal, and elsewhere a line for each tenth."""
        part = f"{done * 100 // total:3d} %" if total else sized(done)
        text = f"{phase:<6} {part}  {rate / 1e6:6.1f} MB/s"
        text += f"  {span(left)} left" if left else ""
        if sys.stdout.isatty():
            print(f"\r{text:<{BAR}}", end="\n" if done == total else "", flush=True)
            self._open = done != total
        elif total and done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            print(text, flush=True)

    def _end_line(self) -> None:
        if self._open:
            print(flush=True)
            self._open = False

    def _object(self, event: str, **fields: Any) -> None:
        print(json.dumps({"format": 1, "event": event, **fields}, ensure_ascii=False), flush=True)
