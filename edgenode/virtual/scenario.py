"""Which virtual instruments there are, what they play, and when they misbehave: a TOML file."""

from __future__ import annotations

import tomllib
from collections import Counter
from typing import Annotated

import msgspec
from msgspec import Meta

from edgenode.errors import ConfigError
from edgenode.virtual.bme280 import Bme280Spec
from edgenode.virtual.instruments import Spec
from edgenode.virtual.kinds import Action, Table
from edgenode.virtual.pulse import PulseSpec
from edgenode.virtual.series import Play, load


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
    """Where on the wires an instrument answers: (bus, address or line), 0 if its bus has none."""
    at: int = getattr(spec, "address", getattr(spec, "line", 0))
    return spec.bus, at


def _plays(spec: Spec) -> list[Play]:
    values = msgspec.structs.astuple(spec)
    return [value for value in values if isinstance(value, Play)]
