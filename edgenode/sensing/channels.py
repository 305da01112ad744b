"""The channels of a sensor: what its driver gives, what was before calibration, what is derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgenode.derived import derivable
from edgenode.reading import Channel, Kind
from edgenode.sensing.rules import SensorRules

RAW = "_raw"
REGISTER = "_register"


def channels_of(given: Sequence[Channel], rules: SensorRules) -> tuple[Channel, ...]:
    """Return what a sensor measures under its rules, in the order of its samples.

    First the channels that the driver gives, calibrated where the rules say so, then
    `<quantity>_register` and `<quantity>_raw` where they are asked for, then what is derived.
    Names are quantities, as drivers have them. Raises KeyError for a quantity that cannot be
    derived.
    """
    own = [_endless(_calibrated(channel, rules)) for channel in given]
    registers = [
        replace(channel, name=f"{channel.name}{REGISTER}", observed="", kind=Kind.GAUGE)
        for channel in given
        if shows_register(rules, channel.name)
    ]
    raw = [
        replace(channel, name=f"{channel.name}{RAW}", observed="")
        for channel in given
        if keeps_raw(rules, channel.name)
    ]
    derived = derivable(given)
    return (*own, *registers, *raw, *(derived[name].channel for name in rules.derived))


def quantity(channel: Channel) -> str:
    """Return what a channel of the birth, `<sensor>/<quantity>`, measures."""
    return channel.name.partition("/")[2]


def keeps_raw(rules: SensorRules, name: str) -> bool:
    """Return whether the quantity travels uncalibrated too."""
    rule = rules.channels.get(name)
    return bool(rule and rule.calibration and rule.calibration.raw)


def shows_register(rules: SensorRules, name: str) -> bool:
    """Return whether what the part shows of a total travels too."""
    rule = rules.channels.get(name)
    return bool(rule and rule.meter and rule.meter.register)


def _endless(channel: Channel) -> Channel:
    """Return a counter without the ends of its register: the total goes on over them."""
    if channel.kind is not Kind.COUNTER:
        return channel
    return replace(channel, low=None, high=None, modulus=None)


def _calibrated(channel: Channel, rules: SensorRules) -> Channel:
    rule = rules.channels.get(channel.name)
    if rule is None or rule.calibration is None:
        return channel
    return replace(channel, calibration=(rule.calibration.date, rule.calibration.id))
