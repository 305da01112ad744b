"""A line as the kernel shows it: a queue that drops its oldest, a count that drops nothing.

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
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import Final

from edgenode.virtual.conduct import FATES, Refused, Silent, boot_ns
from edgenode.virtual.kinds import Action, Fate, Hello

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


class Contact(ABC):
    """A LineInstrument: who watches the line, and how it misbehaves.

    What plays on it says in `advance` what happens, by `switch`.
    """

    def __init__(self, line: int, *, high: bool = False) -> None:
        self._line, self._high = line, high
        self._conduct: Action = "return"
        self._watching: Watching | None = None

    @abstractmethod
    def next_ns(self) -> int:
        """Return the boot-time ns at which it changes next."""

    @abstractmethod
    def advance(self, now_ns: int) -> None:
        """Play everything up to `now_ns`."""

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
        """Return whether the line is high, as far as it was advanced."""
        return self._high

    def switch(self, *, high: bool, at_ns: int, lasts_ns: int) -> Fate:
        """Change the level, which then stays so for `lasts_ns`; return what became of the edge."""
        self._high = high
        watching = self._watching
        if watching is None or watching.debounce_us * 1000 > lasts_ns:
            return "nack"  # nobody counts: not open, or debounced away
        bounces = self._conduct == "garbage" and watching.debounce_us * 1000 < BOUNCE_NS * 2
        stamp_ns = at_ns + time.monotonic_ns() - boot_ns()
        there, back = (RISING, FALLING) if high else (FALLING, RISING)
        for _ in range(BOUNCES * bounces):
            watching.put(self._line, there, stamp_ns)
            watching.put(self._line, back, stamp_ns + BOUNCE_NS)
            stamp_ns += 2 * BOUNCE_NS
        watching.put(self._line, there, stamp_ns)
        return "garbage" if bounces else "ok"
