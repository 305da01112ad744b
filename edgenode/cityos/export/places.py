"""What the city knows of a node beside its readings: its place, its channels, what it continues."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from edgenode.cityos.operate.continuity import Continuity, Part
from edgenode.cityos.sink import Sink
from edgenode.errors import WireError
from edgenode.reading import Channel
from edgenode.wire import About, Birth, decode

MAX_NODES = 4_096  # remembered at once


class Place(NamedTuple):
    """Where a node stands and who answers for it."""

    name: str = ""
    latitude: float | None = None
    longitude: float | None = None
    accountable: str = ""

    @property
    def located(self) -> bool:
        """Tell whether it has coordinates."""
        return self.latitude is not None and self.longitude is not None


class Places:
    """Looks nodes up in the sink, each once a page: an about may come at any time."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._places: dict[bytes, Place] = {}
        self._channels: dict[bytes, dict[str, Channel]] = {}
        self._continuity = Continuity.of(sink)

    def refresh(self) -> None:
        """Look at abouts and successions anew; births are immutable and only grow."""
        self._places.clear()
        self._continuity = Continuity.of(self._sink)
        if len(self._channels) > MAX_NODES:
            self._channels.clear()

    def place(self, node: bytes) -> Place:
        """Return where a node stands, as its newest about says."""
        if node not in self._places:
            self._places[node] = told(self._sink.about(node))
        return self._places[node]

    def origin(self, node: bytes, sensor: str, utc_ms: int) -> Part:
        """Return as which sensor one is known that may have replaced others: the first there."""
        return self._continuity.origin(node, sensor, utc_ms)

    def channel(self, node: bytes, name: str) -> Channel | None:
        """Return what the births of a node say of a channel."""
        channels = self._channels.get(node)
        if channels is None or name not in channels:
            channels = {channel.name: channel for channel in self._born(node)}
            self._channels[node] = channels
        return channels.get(name)

    def sensor(self, node: bytes, sensor: str) -> list[Channel]:
        """Return the channels of one sensor, as far as they were looked up."""
        channels = self._channels.get(node, {})
        return [one for name, one in channels.items() if name.rpartition("/")[0] == sensor]

    def _born(self, node: bytes) -> Iterator[Channel]:
        """Yield the channels of all births of a node, those of the newest last."""
        rows = self._sink.db.execute(
            "SELECT bytes FROM birth WHERE node = ? ORDER BY arrival", (node,)
        ).fetchall()
        for (data,) in rows:
            birth = decode(bytes(data))
            if isinstance(birth, Birth):
                for channels in birth.groups.values():
                    yield from channels


def told(data: bytes | None) -> Place:
    """Return the place in an about; what is not a coordinate is none."""
    if data is None:
        return Place()
    try:
        about = decode(data)
    except WireError:
        return Place()
    if not isinstance(about, About):
        return Place()
    name = about.site.get("name")
    return Place(
        name if isinstance(name, str) else "",
        _degrees(about.site.get("latitude"), 90),
        _degrees(about.site.get("longitude"), 180),
        about.transparency.get("accountable", ""),
    )


def _degrees(value: object, most: int) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= most
    return float(value) if good else None  # type: ignore[arg-type]
