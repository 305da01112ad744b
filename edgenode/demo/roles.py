"""How each channel of the node is judged: by what its instrument says, by others, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from edgenode.config import Config, Sensor
from edgenode.demo.computed import dew_point
from edgenode.demo.evidence import Formula
from edgenode.demo.gauges import ROUNDING
from edgenode.reading import Channel, Group

RAW = "_raw"  # behind the name of a channel: what it was before calibration
DEW_POINT_C = 0.15  # two formulas, and sources that travel rounded
COUNTED = {"pulse": {"count"}, "loop": {"count"}, "state": {"changes"}}
STATED = {"state": {"state"}}
SAID_BY = {"state": {"changes": "state"}}  # a count whose pulses are the changes of another
STREAMED = frozenset({"pms5003", "sen66"})  # drivers of what talks, or measures, by itself
# Drivers that read once more to prove a part.
PROVING = frozenset({"sdm120", "sdm230", "sdm630", "pzem-004t v3"})
FLOWING = frozenset({"ops243-a"})  # drivers that tell sums of vehicles
COUNT, SPEED = "vehicles_", "speed_"  # what such channels begin with, before the direction
# Nobody but the node itself can say these.
UNSAID = {
    "pulse": {"unread"},
    "loop": {"occupancy", "headway", "unread"},
    "state": {"active"},
    "ops243-a": {"speed_85_toward", "speed_85_away", "headway_toward", "headway_away"},
}


@dataclass
class Roles:
    """The channels of each way to be judged; those named nowhere are said when asked."""

    counters: set[str] = field(default_factory=set)
    derived: set[str] = field(default_factory=set)
    streams: set[str] = field(default_factory=set)
    states: set[str] = field(default_factory=set)
    proved: set[str] = field(default_factory=set)
    flows: dict[str, str] = field(default_factory=dict)  # counts of vehicles: their mean speed
    computed: dict[str, Formula] = field(default_factory=dict)
    periods: dict[str, int] = field(default_factory=dict)
    said_as: dict[str, list[str]] = field(default_factory=dict)  # what is said: the channels of it


def roles(config: Config, groups: Iterable[Group]) -> Roles:
    """Return how the channels of all groups are judged."""
    found = Roles()
    sensors = {sensor.name: sensor for sensor in config.sensors}
    for group in groups:
        names = [channel.name for channel in group.channels]
        sensor = sensors[names[0].partition("/")[0]]
        for channel in group.channels:
            _channel(found, sensor, channel, names)
    return found


def _channel(found: Roles, sensor: Sensor, channel: Channel, names: list[str]) -> None:
    name, driver = channel.name, _name_of(sensor)
    quantity = name.partition("/")[2]
    found.periods[name] = sensor.every_ms
    if quantity in COUNTED.get(driver, ()):
        found.counters.add(name)
        source = SAID_BY.get(driver, {}).get(quantity)
        if source:
            found.said_as.setdefault(f"{sensor.name}/{source}", [f"{sensor.name}/{source}"])
            found.said_as[f"{sensor.name}/{source}"].append(name)
    elif quantity in STATED.get(driver, ()):
        found.states.add(name)
    elif sensor.driver.wire == "sysfs" or quantity in UNSAID.get(driver, ()):
        found.derived.add(name)
    elif driver in FLOWING:
        if quantity.startswith(COUNT):
            found.flows[name] = name.replace(COUNT, SPEED)
    elif driver in STREAMED:
        found.streams.add(name)
    elif f"{name}{RAW}" in names:
        found.computed[name] = _calibrated(sensor, name, quantity, 10.0**channel.scale)
        found.said_as[name] = [f"{name}{RAW}"]  # the instrument knows of no calibration
    elif quantity in sensor.derived:
        found.computed[name] = _derived(sensor, quantity)
    elif driver in PROVING:
        found.proved.add(name)


def _name_of(sensor: Sensor) -> str:
    """Return the part as its driver is called: SDM230 is sdm230."""
    return str(sensor.driver.model).lower()


def _calibrated(sensor: Sensor, name: str, quantity: str, step: float) -> Formula:
    table = sensor.channel[quantity].calibration
    if table is None or table.polynomial:
        raise ValueError(f"the account cannot reckon {name}: it knows gain and offset only")
    gain, offset = table.gain, table.offset
    rounding = step * (1 + abs(gain)) / 2 * (1 + ROUNDING)  # of the row and of its source
    return Formula((f"{name}{RAW}",), lambda raw: raw * gain + offset, rounding)


def _derived(sensor: Sensor, quantity: str) -> Formula:
    if quantity != "dew_point":
        raise ValueError(f"the account cannot reckon {quantity}")
    sources = (f"{sensor.name}/temperature", f"{sensor.name}/humidity")
    return Formula(sources, dew_point, DEW_POINT_C)
