"""From the configuration to what the bus workers are told. Pure: nothing is opened here."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from typing import Any

from edgenode.bus import LineStore, line_name
from edgenode.bus.levers import ClearPins, Levers, PowerPin
from edgenode.clock import Clock
from edgenode.config import BusTable, CalibrationTable, ChannelTable, Config, Sensor, serial_line
from edgenode.config.metering import quiet_min
from edgenode.driver import Life, declared
from edgenode.node.before import Before, Stuck
from edgenode.reading import Group, Privacy
from edgenode.sensing import (
    Board,
    BusWorker,
    Calibration,
    ChannelRules,
    Job,
    LeakRules,
    LifeRules,
    Maintenance,
    MeterRules,
    SensorRules,
    Since,
    Sink,
    Wires,
    channels_of,
    stagger,
)

NOT_YET = "it was lost before, and has not been read since"


def gids(config: Config, known: Mapping[str, int] | None = None) -> dict[str, int]:
    """Return the gid of each sensor: its place in the order of the names.

    The order of the file does not matter, so that moving a table about changes no schema. Sensors
    that are `known` keep their gid, since a bus that a reload does not touch goes on with it.
    """
    names = sorted(sensor.name for sensor in config.sensors)
    kept = {name: gid for name, gid in (known or {}).items() if name in names}
    free = (gid for gid in count() if gid not in kept.values())
    return {name: kept[name] if name in kept else next(free) for name in names}


def groups(config: Config, known: Mapping[str, int] | None = None) -> dict[int, Group]:
    """Return the channels of every sensor, named `<sensor>/<quantity>`."""
    numbers = gids(config, known)
    return {numbers[sensor.name]: _group(numbers[sensor.name], sensor) for sensor in config.sensors}


def _group(gid: int, sensor: Sensor) -> Group:
    channels = tuple(
        replace(
            channel,
            name=f"{sensor.name}/{channel.name}",
            period_ms=sensor.every_ms,
            model=sensor.driver.model,
            serial=sensor.serial,
            stamp_ms=sensor.stamp_ms,
            privacy=Privacy.INTERNAL if sensor.household else channel.privacy,
        )
        for channel in channels_of(declared(sensor.driver, sensor.options), rules(sensor))
    )
    return Group(gid, channels, sensor.driver.stream)


def rules(sensor: Sensor) -> SensorRules:
    """Return how the channels of a sensor are corrected and judged, and what is derived."""
    channels = {name: _rules(table) for name, table in sensor.channel.items()}
    return SensorRules(channels, sensor.derived, sensor.sources, _life(sensor))


def _life(sensor: Sensor) -> LifeRules | None:
    """Return how the part wears; None where nobody can know how long it has worked."""
    life: Life | None = sensor.driver.life
    if life is None or not (life.counter or sensor.installed):
        return None
    return LifeRules(life.hours, life.what, life.counter, sensor.installed)


def _rules(table: ChannelTable) -> ChannelRules:
    return ChannelRules(
        calibration=_calibration(table.calibration) if table.calibration else None,
        low=table.low,
        high=table.high,
        stuck_s=table.stuck_s,
        rate_per_s=table.rate_per_s,
        twin=table.twin,
        tolerance=table.tolerance,
        meter=_meter(table),
        leak=_leak(table),
    )


def _meter(table: ChannelTable) -> MeterRules | None:
    rules = MeterRules(table.modulus, table.most_per_h, table.register)
    return None if rules == MeterRules() else rules


def _leak(table: ChannelTable) -> LeakRules | None:
    if table.leak_after_h is None:
        return None
    return LeakRules(table.leak_after_h * 3600, quiet_min(table) * 60)


def _calibration(table: CalibrationTable) -> Calibration:
    return Calibration(
        id=table.id,
        date=table.date,
        gain=table.gain,
        offset=table.offset,
        polynomial=table.polynomial,
        raw=table.raw,
    )


@dataclass(frozen=True)
class Crew:
    """What all bus workers of a node share."""

    clock: Clock
    lines: LineStore | None = None
    board: Board = field(default_factory=Board)
    maintenance: Maintenance = field(default_factory=Maintenance)

    def hire(
        self,
        config: Config,
        bus: BusTable,
        known: Mapping[int, Group],
        sink: Sink,
        stop: threading.Event,
        before: Before | None = None,
    ) -> BusWorker:
        """Return the worker of a bus; raises NodeError for a wire that is unknown here.

        What was told of `before` has its end told, and not its beginning once more.
        """
        sensors = [sensor for sensor in config.sensors if sensor.bus.name == bus.name]
        phases = stagger([sensor.every_ms for sensor in sensors])
        before = before or Before()
        by_name = {group.channels[0].name.partition("/")[0]: group for group in known.values()}
        asked = next((sensor.driver.line for sensor in sensors if sensor.driver.line), None)
        wires = Wires(bus.path, serial_line(bus, asked), self.lines)
        jobs = [
            Job(
                sensor=sensor.name,
                group=by_name[sensor.name],
                driver=wires.opener(sensor.driver, sensor.options),
                every_ms=sensor.every_ms,
                stamp_ms=sensor.stamp_ms,
                phase_ms=phase,
                rules=rules(sensor),
                slots_only=sensor.household,
                lost=NOT_YET if sensor.name in before.lost else "",
            )
            for sensor, phase in zip(sensors, phases, strict=True)
        ]
        return BusWorker(
            bus.name,
            jobs,
            sink,
            self.clock,
            stop,
            levers=_levers(bus),
            board=self.board,
            maintenance=self.maintenance,
            since_stuck=_since(before.stuck.get(bus.name), jobs),
        )


def _since(stuck: Stuck | None, jobs: Sequence[Job]) -> Since | None:
    """Return what the new worker ends: of the same sensor, or the first where that one is gone."""
    if stuck is None or not jobs:
        return None
    gid = next((job.group.gid for job in jobs if job.sensor == stuck.sensor), jobs[0].group.gid)
    return Since(stuck.rung, gid)


def _levers(bus: BusTable) -> Levers:
    clear, power = bus.clear, bus.power
    return Levers(
        ClearPins(clear.scl, clear.sda, clear.chip) if clear else None,
        PowerPin(power.line, power.chip, power.active_low) if power else None,
        bus.usb_port,
    )


def line_names(config: Config) -> set[str]:
    """Return the names of all lines that the sensors of a configuration may hand over."""
    names = set()
    for sensor in config.sensors:
        options: Any = sensor.options
        if sensor.bus.kind == "gpio" and sensor.driver.watch == "edges":
            asked = (options.line, options.edge, options.bias, options.debounce_us)
            names.add(line_name(sensor.bus.path, *asked))
    return names
