"""The ledger: what was made, written by every process of a fleet into one file, and read again.

Lines of words. `C SENSOR CHANNEL…` names the channels of a sensor, which every node has alike.
`S NODE EPOCH MONO UTC SENSOR VALUE…` is one read: boot-time ms of the node, true POSIX ms, and its
values in the order of the channels. `K NODE EPOCH MONO` is a node that was killed.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from edgenode.fleet.compare import Row
from edgenode.fleet.sensors import Sensor

FLUSH_BYTES = 64 << 10


class Killed(NamedTuple):
    """A node that lost what was in its memory at `mono`, its boot-time ms."""

    node: str
    epoch: int
    mono: int


class Ledger:
    """Appends to the file, whole lines at a time, so that several processes can."""

    def __init__(self, path: Path) -> None:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o644)
        self._lines: list[str] = []
        self._size = 0

    def sensors(self, sensors: Sequence[Sensor]) -> None:
        """Name the channels."""
        for sensor in sensors:
            names = " ".join(channel.name for channel in sensor.group.channels)
            self._add(f"C {sensor.name} {names}\n")

    def made(self, node: str, epoch: int, mono: int, utc: int, sensor: str, text: str) -> None:
        """Note one read."""
        self._add(f"S {node} {epoch} {mono} {utc} {sensor} {text}\n")

    def killed(self, node: str, epoch: int, mono: int) -> None:
        """Note that a node was killed."""
        self._add(f"K {node} {epoch} {mono}\n")

    def _add(self, line: str) -> None:
        self._lines.append(line)
        self._size += len(line)
        if self._size >= FLUSH_BYTES:
            self.flush()

    def flush(self) -> None:
        """Hand what was noted to the kernel, in one piece."""
        if self._lines:
            os.write(self._descriptor, "".join(self._lines).encode("ascii"))
            self._lines.clear()
            self._size = 0

    def close(self) -> None:
        self.flush()
        os.close(self._descriptor)


def read_rows(path: Path) -> Iterator[Row]:
    """Yield every reading that was made."""
    names: dict[str, list[str]] = {}
    with path.open(encoding="ascii") as file:
        for line in file:
            kind, *words = line.split()
            if kind == "C":
                names[words[0]] = words[1:]
            elif kind == "S":
                node, epoch, mono, _, sensor, *values = words
                for name, value in zip(names[sensor], values, strict=True):
                    yield Row(node, int(epoch), name, int(mono), float(value))


def read_kills(path: Path) -> list[Killed]:
    """Return the nodes that were killed, in order."""
    with path.open(encoding="ascii") as file:
        lines = [line.split() for line in file if line.startswith("K ")]
    return [Killed(node, int(epoch), int(mono)) for _, node, epoch, mono in lines]
