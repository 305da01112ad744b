"""Nodes that have told a city of their channels, their place and some samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming
from edgenode.cityos.sink import Sink
from edgenode.reading import Anchor, Channel, ClockSource, Quality
from edgenode.wire import About, Batch, Birth, Flag, Rows, encode, schema_of

START = 1_795_000_000_000  # POSIX ms of boot-time 0
SEOUL = {"name": "Seoul, City Hall", "latitude": 37.5663, "longitude": 126.9779}
NODE = bytes.fromhex("a1b2c3d4e5f6")
Value = float | Quality | None  # of a cell: a number, or why there is none


class Node:
    """One node as the city hears it; `sensors` are its channels by the name of the sensor."""

    def __init__(
        self,
        sink: Sink,
        sensors: Mapping[str, Sequence[Channel]],
        node: bytes = NODE,
        *,
        site: Mapping[str, Any] | None = SEOUL,
    ) -> None:
        self.node = node
        self._city = City(sink, CityOptions())
        self._gids = {sensor: gid for gid, sensor in enumerate(sensors, 1)}
        self.groups = {
            gid: tuple(replace(one, name=f"{sensor}/{one.name}") for one in sensors[sensor])
            for sensor, gid in self._gids.items()
        }
        self._birth = Birth(node, self.groups)
        self._seq, self._ordinal = 0, 0
        self._hear(f"birth/{schema_of(self.groups).hex()}", encode(self._birth))
        if site is not None:
            self.stand(site)

    def stand(self, site: Mapping[str, Any], accountable: str = "City of Seoul") -> None:
        """Tell where the node stands."""
        self._hear("about", encode(About(self.node, site, {"accountable": accountable})))

    def say(self, sensor: str, *samples: tuple[int, Sequence[Value]], stream: int = 0) -> None:
        """Send a batch of samples: (ms since START, a value for each channel)."""
        gid = self._gids[sensor]
        channels = self.groups[gid]
        columns = [
            [_scaled(values[place], channel) for _, values in samples]
            for place, channel in enumerate(channels)
        ]
        flags = [
            Flag(place, row, 1, value)
            for place in range(len(channels))
            for row, (_, values) in enumerate(samples)
            if isinstance(value := values[place], Quality)
        ]
        times = tuple(t for t, _ in samples)
        rows = Rows(gid, 0, times, tuple(columns), tuple(flags))
        self._seq += 1
        batch = Batch(
            self.node, 1, self._seq, self._ordinal, schema_of(self.groups), times[0], b"spool--1",
            anchors=(Anchor(0, START, ClockSource.NTP, 5),), groups=(rows,), held=1,
            stream=stream,
        )  # fmt: skip
        self._ordinal += len(times) * len(channels)
        self._hear(f"batch/{stream}", encode(batch, self._birth))

    def _hear(self, leaf: str, data: bytes) -> None:
        topic = f"edgenode/v1/{self.node.hex()}/{leaf}"
        self._city.absorb([Incoming(topic, data, START)], 0)
        while self._city.derive():
            pass


def _scaled(value: Value, channel: Channel) -> int:
    number = 0.0 if value is None or isinstance(value, Quality) else value
    return round(number / float(10**channel.scale))
