"""The spool: between the pollers that append and the uplink that sends stands the disk."""

from __future__ import annotations

import threading

from edgenode.clock import Clock
from edgenode.reading import Event, Groups, Sample, Total
from edgenode.spool.model import SpoolStats
from edgenode.spool.options import SpoolOptions
from edgenode.spool.outbox import Outbox


class Spool:
    """The sampling side, and the one thread that commits, seals and prunes."""

    id: bytes
    epoch: int
    schema: bytes
    outbox: Outbox
    drains: list[Outbox]

    @classmethod
    def open(
        cls, options: SpoolOptions, node: bytes, groups: Groups, clock: Clock, board: str = ""
    ) -> Spool:
        raise NotImplementedError

    def append(self, gid: int, t_ms: int, sample: Sample) -> None:
        raise NotImplementedError

    def event(self, t_ms: int, gid: int | None, event: Event) -> None:
        raise NotImplementedError

    def set_total(self, channel: str, value: int, t_ms: int) -> None:
        raise NotImplementedError

    def total(self, channel: str) -> Total | None:
        raise NotImplementedError

    def step(self) -> int:
        raise NotImplementedError

    def run(self, stop: threading.Event) -> None:
        raise NotImplementedError

    def wake(self) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError

    def stats(self) -> SpoolStats:
        raise NotImplementedError
