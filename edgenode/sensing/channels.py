"""The channels of a sensor: what its driver gives, what was before calibration, what is derived."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from edgenode.derived import DERIVED
from edgenode.reading import Channel
from edgenode.sensing.rules import SensorRules

RAW = "_raw"


def channels_of(given: Sequence[Channel], rules: SensorRules) -> tuple[Channel, ...]:
    """Return what a sensor measures under its rules, in the order of its samples.

    First the channels that the driver gives, calibrated where the rules say so, then
    `<quantity>_raw` where it is asked for, then what is derived. Names are quantities, as drivers
    have them. Raises KeyError for a quantity that cannot be derived.
    """
    own = [_calibrated(channel, rules) for channel in given]
    raw = [
        replace(channel, name=f"{channel.name}{RAW}", observed="")
        for channel in given
        if keeps_raw(rules, channel.name)
    ]
    return (*own, *raw, *(DERIVED[name].channel for name in rules.derived))


def quantity(channel: Channel) -> str:
    """Return what a channel of the birth, `<sensor>/<quantity>`, measures."""
    return channel.name.partition("/")[2]


def keeps_raw(rules: SensorRules, name: str) -> bool:
    """Return whether the quantity travels uncalibrated too."""
    rule = rules.channels.get(name)
    return bool(rule and rule.calibration and rule.calibration.raw)


def _calibrated(channel: Channel, rules: SensorRules) -> Channel:
    rule = rules.channels.get(channel.name)
    if rule is None or rule.calibration is None:
        return channel
    return replace(channel, calibration=(rule.calibration.date, rule.calibration.id))
