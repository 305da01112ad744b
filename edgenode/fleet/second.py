"""One second of a fleet: what all its processes told together, and what it cost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from edgenode.fleet.latency import Latencies
from edgenode.fleet.worker import Told

KINDS = ("puback", "live", "late")  # of latencies, as processes tell them


class Load(NamedTuple):
    """What one kind of process uses: cores, and resident bytes."""

    cores: float
    rss: int


class Second(NamedTuple):
    """The figures since the last one; counts of the whole run are named so. Bytes are of TCP."""

    at_s: float
    nodes: int
    connected: int
    real: int  # daemons that are connected, when they were last asked
    made_per_s: float
    broker_per_s: float  # readings that a broker acknowledged
    city_per_s: float  # readings that the City OS acknowledged
    attempts: int  # to connect
    puback_p50_ms: int | None  # from a batch's last read to the broker's ack, sent as it came
    puback_p99_ms: int | None
    live_p50_ms: int | None  # to the ack that is the last
    live_p99_ms: int | None
    late_p50_ms: int | None  # to that, of backlog
    late_p99_ms: int | None
    backlog: int  # batches that no broker has acknowledged
    waiting: int  # batches that are not acknowledged for good
    making: bool  # nodes still read
    bytes_per_reading: float | None  # of the whole run: both ways, by readings acknowledged
    behind_ms: int  # the latest read: how far this machine is behind its own plan
    made: int  # of the whole run
    broker_acked: int  # the same
    city_acked: int  # the same
    degraded: str
    load: Mapping[str, Load]


class Pace:
    """Turns what processes tell into seconds."""

    def __init__(self, *, city: bool) -> None:
        self.kinds = {name: Latencies() for name in KINDS}  # of the whole run
        self.attempts: list[int] = []  # in each second of the run
        self._city = city
        self._last = Told()
        self._at_s = 0.0

    def second(
        self, at_s: float, told: Sequence[Told], real: int, load: Mapping[str, Load]
    ) -> Second:
        """Return what came since the last call."""
        now = _together(told)
        took, before = max(0.001, at_s - self._at_s), self._last
        self._at_s, self._last = at_s, now
        self.attempts.append(now.attempts - before.attempts)
        acked = now.city_acked if self._city else now.broker_acked
        moved = now.sent_bytes + now.received_bytes
        return Second(
            at_s=round(at_s, 1),
            nodes=now.nodes,
            connected=now.connected,
            real=real,
            made_per_s=(now.made - before.made) / took,
            broker_per_s=(now.broker_acked - before.broker_acked) / took,
            city_per_s=(now.city_acked - before.city_acked) / took,
            attempts=self.attempts[-1],
            **self._latencies(told),
            backlog=now.backlog,
            waiting=now.waiting,
            making=bool(now.making),
            bytes_per_reading=round(moved / acked, 2) if acked else None,
            behind_ms=now.late_ms,
            made=now.made,
            broker_acked=now.broker_acked,
            city_acked=now.city_acked,
            degraded=now.degraded,
            load=load,
        )

    def _latencies(self, told: Sequence[Told]) -> dict[str, int | None]:
        found = {name: Latencies() for name in KINDS}
        for name, latencies in found.items():
            for one in told:
                latencies.merge(getattr(one, name))
            self.kinds[name].merge(latencies.counts)
        return quantiles(found)


def quantiles(kinds: Mapping[str, Latencies]) -> dict[str, int | None]:
    """Return median and 99 % of each kind, as their fields are called."""
    return {
        f"{name}_p{percent}_ms": latencies.quantile(percent / 100)
        for name, latencies in kinds.items()
        for percent in (50, 99)
    }


def _together(told: Sequence[Told]) -> Told:
    """Add up what processes told; latencies are left out."""
    sums = {
        name: sum(getattr(one, name) for one in told)
        for name in Told._fields
        if name not in {"late_ms", "degraded", *KINDS}
    }
    return Told(
        **sums,
        late_ms=max((one.late_ms for one in told), default=0),
        degraded=next((one.degraded for one in told if one.degraded), ""),
    )
