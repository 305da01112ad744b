"""How batches came: how late, how well timed, how many bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from edgenode.cityos.operate.recent import first_since
from edgenode.cityos.operate.series import CLOCKS_MS
from edgenode.cityos.operate.window import Window
from edgenode.cityos.sink import Sink
from edgenode.cityos.store import Stamp
from edgenode.reading import ClockSource


class Spread(NamedTuple):
    """Least, median and most of one bucket, ms."""

    least: int
    median: int
    most: int


@dataclass(slots=True)
class Flow:
    """The batches of a place that arrived in a window."""

    batches: int = 0
    latency: dict[int, Spread] = field(default_factory=dict)  # by bucket of arrival
    errors: dict[int, Spread] = field(default_factory=dict)  # of the clock, by bucket of time
    clocks: Counter[int] = field(default_factory=Counter)  # source -> batches
    bytes: Counter[str] = field(default_factory=Counter)  # day -> bytes


def flow(sink: Sink, nodes: Sequence[bytes], window: Window) -> Flow:
    """Return how the batches of some nodes came in a window."""
    found = Flow()
    late: dict[int, list[int]] = {}
    wrong: dict[int, list[int]] = {}
    first = first_since(sink, window.start - CLOCKS_MS)
    for node in nodes:
        for stamp in sink.rows.stamps(node, first):
            if window.start <= stamp.arrival < window.end:
                _note(found, late, wrong, stamp, window)
    found.latency = {at: _spread(values) for at, values in sorted(late.items())}
    found.errors = {at: _spread(values) for at, values in sorted(wrong.items())}
    return found


def _note(
    found: Flow,
    late: dict[int, list[int]],
    wrong: dict[int, list[int]],
    stamp: Stamp,
    window: Window,
) -> None:
    found.batches += 1
    found.bytes[window.day(stamp.arrival)] += stamp.size
    found.clocks[stamp.clock or ClockSource.NONE] += 1
    if stamp.utc is not None:
        late.setdefault(window.bucket(stamp.arrival), []).append(stamp.arrival - stamp.utc)
        if stamp.err is not None and window.start <= stamp.utc < window.end:
            wrong.setdefault(window.bucket(stamp.utc), []).append(stamp.err)


def _spread(values: list[int]) -> Spread:
    values.sort()
    return Spread(values[0], values[(len(values) - 1) // 2], values[-1])
