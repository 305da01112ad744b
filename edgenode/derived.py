"""Which quantities can be derived from what sensors measure, and from which: data, no computing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

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
    each: float = 0.0  # of a rate: what a unit an hour of its source is in its own unit


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
            each=1.0,
        ),
        Derived(Channel("energy", "Wh", scale=-1, kind=Kind.COUNTER), {"power": "W"}, moment=False),
    )
}


class Rate(NamedTuple):
    """What the total of something is called, what its rate is called, and how they relate."""

    noun: str
    name: str
    unit: str
    scale: int
    each: float  # see Derived
    observed: str = ""


RATES: Final = {  # by the unit of the total
    "Wh": Rate("energy", "power_mean", "W", 0, 1.0),
    "kWh": Rate("energy", "power_mean", "W", 0, 1e3),
    "MWh": Rate("energy", "power_mean", "W", 0, 1e6),
    "MJ": Rate("energy", "power_mean", "W", 0, 1e6 / 3600),
    "GJ": Rate("energy", "power_mean", "W", 0, 1e9 / 3600),
    "L": Rate("volume", "volume_flow", "L/min", -2, 1 / 60),
    "m3": Rate("volume", "volume_flow", "m3/h", -3, 1.0),
    "mm": Rate("precipitation", "precipitation_rate", "mm/h", -1, 1.0),
    "m": Rate("wind_run", "wind_speed", "m/s", -2, 1 / 3600, "WeatherObserved/windSpeed"),
}
FOREMOST: Final = "import_energy"  # of several, what is consumed


def derivable(channels: Sequence[Channel]) -> dict[str, Derived]:
    """Return what can be asked for of a part with these channels: DERIVED, and its rates.

    The rate of `gas_volume` is `gas_volume_flow`, that of `export_energy` `export_power_mean`;
    the plain `power_mean` and `volume_flow` are those of the only total of their kind, or of
    `import_energy`. Whether a part has the sources of the others is not looked at.
    """
    found = dict(DERIVED)
    totals = [c for c in channels if c.kind is Kind.COUNTER and c.unit in RATES]
    for total in totals:
        for name in _called(total, totals):
            found.setdefault(name, _rate(name, total))
    return found


def _called(total: Channel, totals: Sequence[Channel]) -> Iterator[str]:
    """Yield the names of the rate of one total among all."""
    _, name, *_ = rate = RATES[total.unit]
    if rate.noun in total.name:
        yield total.name.replace(rate.noun, name)
    else:
        yield f"{total.name}_{name}"
    alike = [one.name for one in totals if RATES[one.unit].name == name]
    if alike == [total.name] or total.name == FOREMOST:
        yield name


def _rate(name: str, total: Channel) -> Derived:
    rate = RATES[total.unit]
    channel = Channel(name, rate.unit, scale=rate.scale, observed=rate.observed)
    return Derived(channel, {total.name: total.unit}, moment=False, each=rate.each)
