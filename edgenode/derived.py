"""Which quantities can be derived from what sensors measure, and from which: data, no computing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgenode.reading import Channel, Kind


@dataclass(frozen=True, slots=True)
class Derived:
    """A quantity that is computed instead of measured.

    Its sources are of the same sensor. Where it is of one `moment`, the file may name a channel
    of another sensor for each; what is summed up over time must not miss a sample of its source.
    """

    channel: Channel
    sources: dict[str, str]  # quantity: the unit it must have
    moment: bool = True
    beside: str = ""  # only parts that measure this as well are those it is true for


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
        Derived(  # the raw pm25 keeps the observed property: this one stands beside it
            Channel(
                "pm25_epa2021",
                "ug/m3",
                scale=-1,
                calibration=("2021-06-22", "doi:10.5194/amt-14-4617-2021"),
            ),
            {"pm25": "ug/m3", "humidity": "%RH"},
            beside="pm25_cf1",  # which Plantower's parts have, and no others
        ),
        Derived(
            Channel("flow", "1/h", observed="TrafficFlowObserved/intensity"),
            {"count": "count"},
            moment=False,
        ),
        Derived(Channel("energy", "Wh", scale=-1, kind=Kind.COUNTER), {"power": "W"}, moment=False),
    )
}
