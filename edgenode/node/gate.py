"""What stands between a bus worker and the spool, so that a worker can be sent away for good."""

from __future__ import annotations

from edgenode.reading import Event, Sample, Total
from edgenode.sensing import Sink


class Gate:
    """A Sink that can be shut: a worker that hangs in a read must not speak after it was replaced.

    Its group may be gone by then, or belong to its successor.
    """

    def __init__(self, sink: Sink) -> None:
        self._sink: Sink | None = sink
        self.epoch = sink.epoch

    def append(self, gid: int, t_ms: int, sample: Sample) -> None:
        sink = self._sink
        if sink is not None:
            sink.append(gid, t_ms, sample)

    def event(self, t_ms: int, gid: int | None, event: Event) -> None:
        sink = self._sink
        if sink is not None:
            sink.event(t_ms, gid, event)

    def set_total(self, channel: str, value: int, t_ms: int) -> None:
        sink = self._sink
        if sink is not None:
            sink.set_total(channel, value, t_ms)

    def total(self, channel: str) -> Total | None:
        sink = self._sink
        return None if sink is None else sink.total(channel)

    def shut(self) -> None:
        """Let nothing through any more."""
        self._sink = None
