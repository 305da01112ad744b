"""A fleet as an operator's sink holds it: nodes that measure, tell and fall silent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgenode.cityos.city import City
from edgenode.cityos.intake import Incoming
from edgenode.reading import Anchor, Channel, ClockSource
from edgenode.wire import (
    About,
    Batch,
    Birth,
    Flag,
    Loss,
    Rows,
    State,
    WireEvent,
    encode,
    schema_of,
)
from tests.support.sender import PREFIX

T0 = 1_795_000_000_000  # 2026-11-18T11:06:40Z
GROUPS: Mapping[int, tuple[Channel, ...]] = {
    7: (
        Channel("air/temperature", "Cel", -2, observed="WeatherObserved/temperature"),
        Channel("air/humidity", "%RH", -1),
    ),
    8: (
        Channel("node/card_life_used", "%", 1),
        Channel("node/disk_free", "B", 6),
        Channel("node/certificate_left", "d"),
    ),
}


class Fielded:
    """One node; boot-time 0 is POSIX ms `T0`, what it sends arrives 2 s later."""

    def __init__(
        self,
        node: str,
        spool: bytes = b"spool--1",
        groups: Mapping[int, tuple[Channel, ...]] = GROUPS,
    ) -> None:
        self.node = bytes.fromhex(node)
        self.spool = spool
        self.reload(groups)
        self._seqs: dict[int, int] = {}
        self._ordinals: dict[int, int] = {}

    def reload(self, groups: Mapping[int, tuple[Channel, ...]]) -> None:
        """Go on with other sensors."""
        self.groups = groups
        self._birth = Birth(self.node, groups)

    def topic(self, leaf: str) -> str:
        return f"{PREFIX}/{self.node.hex()}/{leaf}"

    def birth(self) -> Incoming:
        schema = schema_of(self.groups).hex()
        return Incoming(self.topic(f"birth/{schema}"), encode(self._birth), T0)

    def about(self, name: str) -> Incoming:
        return Incoming(self.topic("about"), encode(About(self.node, {"name": name})), T0, True)

    def state(self, t: int, connect_ms: int, *, online: bool) -> Incoming:
        """Say at boot-time `t` whether the connection of `connect_ms` stands."""
        state = State(self.node, self.spool, online, 3, connect_ms)
        return Incoming(self.topic("state"), encode(state), T0 + t)

    def lose(self, readings: int, batches: int = 1) -> tuple[int, int]:
        """Leave out telemetry; return the first ordinal and the first seq of it."""
        gone = self._ordinals.get(0, 0), self._seqs.get(0, 0) + 1
        self._seqs[0] = self._seqs.get(0, 0) + batches
        self._ordinals[0] = gone[0] + readings
        return gone

    def batch(
        self,
        times: Sequence[int],
        columns: Sequence[Sequence[int]],
        *,
        gid: int = 7,
        stream: int = 0,
        flags: Sequence[Flag] = (),
        events: Sequence[WireEvent] = (),
        losses: Sequence[Loss] = (),
        held: int = 1,
        err: int = 5,
        late: int = 2_000,
        anchored: bool = True,
    ) -> Incoming:
        """Send one group: a column of scaled integers for each channel, a time for each row."""
        seq, r0 = self._seqs.get(stream, 0) + 1, self._ordinals.get(stream, 0)
        stamps = [*times, *(event.t for event in events)]
        rows = (Rows(gid, 0, tuple(times), tuple(list(c) for c in columns), tuple(flags)),)
        anchor = Anchor(0, T0, ClockSource.NTP, err)
        batch = Batch(
            self.node, 3, seq, r0, schema_of(self.groups), min(stamps), self.spool,
            anchors=(anchor,) if anchored else (), groups=rows if times else (),
            events=tuple(events), stream=stream, losses=tuple(losses), held=held,
        )  # fmt: skip
        self._seqs[stream] = seq
        self._ordinals[stream] = r0 + len(times) * len(columns) + len(events)
        return Incoming(
            self.topic(f"batch/{stream}"), encode(batch, self._birth), T0 + max(stamps) + late
        )

    def tell(self, *events: WireEvent) -> Incoming:
        """Send events."""
        return self.batch((), (), stream=1, events=events)

    def health(self, t: int, used: int, free: int, left: int) -> Incoming:
        """Send tens of % of the card's life, MB that are free, and days of the certificate."""
        return self.batch((t,), ((used,), (free,), (left,)), gid=8, stream=2)


def take(city: City, *messages: Incoming) -> None:
    """Store messages and derive all that can be derived."""
    city.absorb(messages, 0)
    while city.derive():
        pass
