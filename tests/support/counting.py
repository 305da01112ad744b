"""A process that counts one line as the daemon does, and can be killed. Not a test.

It keeps its total in a file, but not at once: what it has counted since the last write is lost
with it, as it is with a commit that was not finished.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import msgspec

from edgenode.driver import find
from edgenode.errors import BusError
from edgenode.node.lines import SystemdLines
from edgenode.node.notify import Notifier
from edgenode.reading import Event, Group, Sample, Total
from edgenode.sensing.opening import Wires
from edgenode.sensing.totals import Totals

COMMIT_EVERY = 5  # turns


class FileSink:
    """The durable half of a spool, for one total."""

    epoch = 1

    def __init__(self, path: Path) -> None:
        self._path = path
        self._total = json.loads(path.read_text()) if path.exists() else None
        self.resets = 0

    def append(self, gid: int, t_ms: int, sample: Sample) -> None:
        """Nobody asks for samples here."""

    def event(self, t_ms: int, gid: int | None, event: Event) -> None:
        self.resets += 1

    def set_total(self, channel: str, value: int, t_ms: int) -> None:
        self._total = [value, self.epoch, t_ms]

    def total(self, channel: str) -> Total | None:
        return Total(*self._total) if self._total else None

    def commit(self) -> None:
        beside = self._path.with_suffix(".new")
        beside.write_text(json.dumps(self._total))
        beside.rename(self._path)


def main(name: str, path: str, line: str, durable: str) -> None:
    os.environ["LISTEN_PID"] = str(os.getpid())  # systemd sets it between fork and exec
    stopping: list[int] = []

    def stop(number: int, _: FrameType | None) -> None:
        stopping.append(number)

    signal.signal(signal.SIGTERM, stop)
    lines = SystemdLines(os.environ, Notifier(os.environ).send)
    cls: Any = find(name)
    options = msgspec.convert({"line": int(line)}, cls.options)
    driver: Any = Wires(path, store=lines).opener(cls, options)()
    group = Group(1, (replace(cls.channels[0], name="s/count"), *cls.channels[1:]))
    sink = FileSink(Path(durable))
    totals = Totals(group, sink)
    totals.opened(driver, 0)
    turn = 0
    try:
        while not stopping:
            driver.feed(0)
            totals.note(driver.counts(), 0)
            turn += 1
            if turn % COMMIT_EVERY == 0:
                sink.commit()
            known = sink.total("s/count")
            assert known
            print(known.value, sink.resets, flush=True)  # noqa: T201 - its output
            time.sleep(0.01)
    except BusError:
        print("ended", flush=True)  # noqa: T201 - its output
    driver.close()
    sink.commit()


if __name__ == "__main__":
    main(*sys.argv[1:])
