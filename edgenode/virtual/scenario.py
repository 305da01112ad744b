"""Which virtual instruments there are, what they play, and when they misbehave: a TOML file."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Annotated

import msgspec
from msgspec import Meta

from edgenode.errors import ConfigError
from edgenode.virtual.kinds import Action, Period, Table
from edgenode.virtual.series import Play, load


class Bme280Spec(Table, frozen=True, tag_field="kind", tag="bme280"):
    """[[instrument]] kind = "bme280": °C, %RH and Pa, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x76, le=0x77)] = 0x76
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    humidity: Play = Play("air_uci:RH", decimals=1)
    pressure: Play = Play("utility_power:U", gain=100, offset=78_000, decimals=0)


class PulseSpec(Table, frozen=True, tag_field="kind", tag="pulse"):
    """[[instrument]] kind = "pulse": so many pulses, evenly spaced, in each `every_ms`."""

    sensor: str
    bus: str = "gpio"
    line: Annotated[int, Meta(ge=0, le=1023)] = 0
    every_ms: Period = 60_000
    width_us: Annotated[int, Meta(ge=1, le=1_000_000)] = 30_000  # S0: at least 30 ms
    pulses: Play = Play("utility_power:E_counter", cumulative=True, decimals=0)


Spec = Bme280Spec | PulseSpec


class Misbehaviour(Table, frozen=True):
    """[[misbehaviour]]: what one instrument does from `at_s` after the start."""

    at_s: Annotated[float, Meta(ge=0)]
    sensor: str
    do: Action


class Scenario(Table, frozen=True):
    """The whole file."""

    instrument: tuple[Spec, ...]
    misbehaviour: tuple[Misbehaviour, ...] = ()


STREET = Scenario(
    (
        Bme280Spec("air"),
        PulseSpec("loop", line=17, every_ms=10_000, pulses=Play("traffic_nab:occupancy_6005")),
        PulseSpec("meter", line=27),
    )
)  # what is played when no scenario is given


def parse(text: str) -> Scenario:
    """Read a scenario from TOML; raises ConfigError with what is wrong."""
    try:
        scenario = msgspec.convert(tomllib.loads(text), Scenario)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        raise ConfigError([f"scenario: {exc}"]) from exc
    problems = _problems(scenario)
    if problems:
        raise ConfigError(problems)
    return scenario


def _problems(scenario: Scenario) -> list[str]:
    names = Counter(spec.sensor for spec in scenario.instrument)
    places = Counter(place(spec) for spec in scenario.instrument)
    problems = [f"scenario: two instruments are called {n!r}" for n, c in names.items() if c > 1]
    problems += [f"scenario: two instruments at {p}" for p, c in places.items() if c > 1]
    for event in scenario.misbehaviour:
        if event.sensor not in names:
            problems.append(f"scenario: a misbehaviour names {event.sensor!r}, which is no sensor")
    for spec in scenario.instrument:
        for play in _plays(spec):
            if play.series:
                load(play.series)
    return problems


def place(spec: Spec) -> tuple[str, int]:
    """Where on the wires an instrument answers: (bus, address or line)."""
    return spec.bus, spec.address if isinstance(spec, Bme280Spec) else spec.line


def _plays(spec: Spec) -> tuple[Play, ...]:
    if isinstance(spec, Bme280Spec):
        return spec.temperature, spec.humidity, spec.pressure
    return (spec.pulses,)
