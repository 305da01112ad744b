"""Which quantities can be derived from a sensor's own, and from which: data, no computing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgenode.reading import Channel, Kind


@dataclass(frozen=True, slots=True)
class Derived:
    """A quantity that is computed instead of measured; the sources are of the same sensor."""

    channel: Channel
    sources: dict[str, str]  # quantity: the unit it must have


DERIVED: Final = {
    made.channel.name: made
    for made in (
        Derived(
            Channel("dew_point", "Cel", scale=-2, observed="WeatherObserved/dewPoint"),
            {"temperature": "Cel", "humidity": "%RH"},
        ),
        Derived(
            Channel("absolute_humidity", "g/m3", scale=-2),
            {"temperature": "Cel", "humidity": "%RH"},
        ),
        Derived(
            Channel("flow", "1/h", observed="TrafficFlowObserved/intensity"), {"count": "count"}
        ),
        Derived(Channel("energy", "Wh", scale=-1, kind=Kind.COUNTER), {"power": "W"}),
    )
}
