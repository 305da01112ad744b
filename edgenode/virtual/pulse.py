"""A pulse line as the kernel shows it: a queue that drops its oldest, a count that drops nothing.

Kernel side: linux/drivers/gpio/gpiolib-cdev.c. A full queue loses its oldest event; `line_seqno`
has counted every edge since the line was requested.
"""

from __future__ import annotations

import array
import contextlib
import errno
import fcntl
import os
import struct
import termios
import time
from dataclasses import dataclass, field
from typing import Annotated, Final

from msgspec import Meta

from edgenode.virtual.conduct import FATES, Refused, Silent, boot_ns
from edgenode.virtual.kinds import Action, Fate, Hello, Offset, Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

EVENT: Final = struct.Struct("<QIIII24x")
RISING, FALLING = 1, 2
QUEUE_DEFAULT: Final = 16  # events a line, when none are asked for
QUEUE_MOST: Final = 1024
BOUNCES: Final = 2  # extra pulses of a contact that bounces
BOUNCE_NS: Final = 100_000
EDGES: Final = {
    "rising": frozenset({RISING}),
    "falling": frozenset({FALLING}),
    "both": frozenset({RISING, FALLING}),
}
ROW_MOST: Final = 100_000  # pulses in one row


class PulseSpec(Table, frozen=True, tag_field="kind", tag="pulse"):
    """[[instrument]] kind = "pulse": so many pulses, evenly spaced, in each `every_ms`."""

    sensor: str
    bus: str = "gpio"
    line: Offset = 0
    every_ms: Period = 60_000
    width_us: Annotated[int, Meta(ge=1, le=1_000_000)] = 30_000  # S0: at least 30 ms
    pulses: Play = Play("utility_power:E_counter", cumulative=True, decimals=0)


@dataclass
class Watching:
    """An open line request: both ends of the queue, and the kernel's counts."""

    edges: frozenset[int]
    debounce_us: int
    queue: int
    reader: int = -1
    writer: int = -1
    seqno: int = field(default=0)

    def __post_init__(self) -> None:
        self.reader, self.writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)

    def put(self, offset: int, edge: int, timestamp_ns: int) -> None:
        """Count an edge and queue it; where the queue is full its oldest event goes."""
        if edge not in self.edges:
            return
        self.seqno = (self.seqno + 1) & 0xFFFFFFFF
        waiting = array.array("i", [0])
        fcntl.ioctl(self.reader, termios.FIONREAD, waiting)
        if waiting[0] >= self.queue * EVENT.size:
            with contextlib.suppress(BlockingIOError):  # the node has just read them all
                os.read(self.reader, EVENT.size)
        event = EVENT.pack(timestamp_ns, edge, offset, self.seqno, self.seqno)
        os.write(self.writer, event)

    def close(self) -> None:
        os.close(self.reader)
        os.close(self.writer)


class VirtualPulse:
    """One contact that plays pulses whether or not anybody watches."""

    def __init__(self, spec: PulseSpec, truth: Truth, start_ns: int) -> None:
        self.spec = spec
        self.total = 0  # pulses so far: the truth
        self._truth, self._row_ns, self._row = truth, start_ns, 0
        self._conduct: Action = "return"
        self._watching: Watching | None = None
        self._pulses: list[int] = []  # what is left of the row, newest first
        self._now_ns, self._high_until_ns = start_ns, start_ns
        self._begin_row()

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to misbehave, or return; a line that vanishes ends for who watches it."""
        self.advance(now_ns)
        self._conduct = action
        if action == "vanish":
            self.close()

    def request(self, hello: Hello) -> Watching:
        """Open the line; `reader` is the descriptor to hand over. Raises Refused or Silent."""
        if FATES[self._conduct] == "hang":
            raise Silent
        if FATES[self._conduct] == "nack":
            raise Refused(errno.ENODEV)
        if self._watching is not None:
            raise Refused(errno.EBUSY)
        queue = min(hello.event_buffer or QUEUE_DEFAULT, QUEUE_MOST)
        self._watching = Watching(EDGES[hello.edge], hello.debounce_us, queue)
        return self._watching

    def release(self, watching: Watching) -> None:
        """End this request, as closing its line does; safe to call twice."""
        if self._watching is watching:
            self._watching = None
            watching.close()

    def close(self) -> None:
        """End the request that is open, if one is."""
        if self._watching is not None:
            self.release(self._watching)

    def level(self) -> bool:
        """Return whether a pulse is on the line."""
        return self._now_ns < self._high_until_ns

    def next_ns(self) -> int:
        """Return the boot-time ns of the next pulse, or of the next row where there is none."""
        return self._pulses[-1] if self._pulses else self._row_end_ns()

    def advance(self, now_ns: int) -> None:
        """Play everything up to `now_ns`."""
        while self.next_ns() <= now_ns:
            if self._pulses:
                self._pulse(self._pulses.pop())
            else:
                self._row_ns, self._row = self._row_end_ns(), self._row + 1
                self._begin_row()
        self._now_ns = now_ns

    def _row_end_ns(self) -> int:
        return self._row_ns + self.spec.every_ms * 1_000_000

    def _begin_row(self) -> None:
        wanted = max(0, min(ROW_MOST, round(self.spec.pulses.value(self._row))))
        every = self.spec.every_ms * 1_000_000
        self._pulses = [self._row_ns + every * (2 * n + 1) // (2 * wanted) for n in range(wanted)]
        self._pulses.reverse()

    def _pulse(self, at_ns: int) -> None:
        self.total += 1
        self._high_until_ns = at_ns + self.spec.width_us * 1000
        fate = self._delivered(at_ns)
        self._truth.note(f"{self.spec.sensor}/count", self.total, at_ns // 1_000_000, fate)

    def _delivered(self, at_ns: int) -> Fate:
        watching = self._watching
        if watching is None or watching.debounce_us > self.spec.width_us:
            return "nack"  # nobody counts: not open, or debounced away
        bounces = self._conduct == "garbage" and watching.debounce_us * 1000 < BOUNCE_NS * 2
        width_ns = BOUNCE_NS if bounces else self.spec.width_us * 1000
        stamp_ns = at_ns + time.monotonic_ns() - boot_ns()
        for _ in range(1 + BOUNCES * bounces):
            watching.put(self.spec.line, RISING, stamp_ns)
            watching.put(self.spec.line, FALLING, stamp_ns + width_ns)
            stamp_ns += 2 * width_ns
        return "garbage" if bounces else "ok"
