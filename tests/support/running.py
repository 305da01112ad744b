"""A real spool in its thread, fed with numbers that never come twice: the sender's truth."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from edgenode.clock import SystemClock
from edgenode.reading import Channel, ClockSource, Group, Sample
from edgenode.spool import Spool, SpoolOptions
from tests.support.outbox import NODE

GROUPS = {1: Group(1, (Channel("air/temperature", "Cel", -2), Channel("air/humidity", "%RH", -1)))}
BASE_MS = 86_400_000  # no computer is so young that its past lies before its boot
ERR_MS = 5
WINDOW_MS = 200


class Truth(NamedTuple):
    """One reading as it was taken."""

    channel: str
    value: float
    mono: int  # ms since boot


class Shifted(SystemClock):
    """The kernel's clocks, synchronised, and behind the truth by `behind_ms`."""

    def __init__(self) -> None:
        super().__init__()
        self.behind_ms = 0

    def boot_ms(self) -> int:
        return super().boot_ms() + BASE_MS - self.behind_ms

    def utc_ms(self) -> int:
        return super().utc_ms() - self.behind_ms

    def sync(self) -> tuple[int, int]:
        return ClockSource.NTP, ERR_MS


class Running:
    """A spool that seals five times a second, and what was put into it."""

    def __init__(self, directory: Path, node: bytes = NODE) -> None:
        self.clock = Shifted()
        self.node = node
        self.truth: list[Truth] = []
        self.appended = 0
        self.past = 0  # batches that `fill` made
        self._directory = directory
        options = SpoolOptions(
            directory, cap_bytes=8 << 20, commit_interval_ms=50, window_ms=WINDOW_MS,
            offline_window_ms=WINDOW_MS, pregrow=False,
        )  # fmt: skip
        self.spool = Spool.open(options, node, GROUPS, self.clock)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="spool")

    def _run(self) -> None:
        self.spool.run(self._stop)

    def start(self) -> None:
        """Let the spool's thread commit and seal."""
        self._thread.start()

    def go_on(self, directory: Path) -> Running:
        """Return another on a copy of what this one, which was stopped, holds on its disk."""
        shutil.copytree(self._directory, directory)
        other = Running(directory, self.node)
        other.truth, other.appended, other.past = list(self.truth), self.appended, self.past
        return other

    def stop(self) -> None:
        """End the thread, if it runs, and close the spool."""
        if self._thread.ident is not None:
            self._stop.set()
            self.spool.wake()
            self._thread.join(10)
        self.spool.close()

    def fill(self, batches: int, readings: int = 4) -> None:
        """Seal a past of so many batches of `readings` samples, before the thread is started."""
        self.clock.behind_ms = batches * WINDOW_MS
        for _ in range(batches):
            for _ in range(readings):
                self._append()
            self.clock.behind_ms -= WINDOW_MS
            self.spool.step()
        self.past = self.spool.stats().seals

    @contextmanager
    def sampling(self, every_s: float) -> Iterator[None]:
        """Sample in a thread meanwhile, as a node does whatever becomes of its connection."""
        enough = threading.Event()

        def sample() -> None:
            while not enough.wait(every_s):
                self._append()

        thread = threading.Thread(target=sample, name="sampler")
        thread.start()
        try:
            yield
        finally:
            enough.set()
            thread.join(10)

    def append(self, count: int, every_s: float) -> None:
        """Take `count` samples, one each `every_s`."""
        for _ in range(count):
            self._append()
            time.sleep(every_s)

    def _append(self) -> None:
        """Take both channels; a value is the number of its sample."""
        self.appended += 1
        values = (float(self.appended), float(self.appended % 100))
        mono = self.clock.boot_ms()
        self.spool.append(1, mono, Sample(values))
        names = [channel.name for channel in GROUPS[1].channels]
        self.truth += [Truth(name, x, mono) for name, x in zip(names, values, strict=True)]

    def emptied(self) -> bool:
        """Tell whether the city has acknowledged all there was."""
        stats = self.spool.stats()
        return not (stats.window_readings or stats.held_batches)
