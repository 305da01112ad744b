"""From the configuration to what each room is told. Pure: nothing is opened here."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from edgenode import __version__
from edgenode.clock import Clock
from edgenode.config import Config, Sensor, SiteTable
from edgenode.driver import declared
from edgenode.reading import Group
from edgenode.sensing import BusWorker, Job, Sink, Wires, stagger
from edgenode.spool import SpoolOptions
from edgenode.wire import About

PLACE = ("name", "latitude", "longitude")
CLEAR, SECURE = 1883, 8883  # IANA: mqtt, secure-mqtt


def gids(config: Config) -> dict[str, int]:
    """Return the gid of each sensor: its place in the order of the names.

    The order of the file does not matter, so that moving a table about changes no schema.
    """
    return {name: gid for gid, name in enumerate(sorted(s.name for s in config.sensors))}


def groups(config: Config) -> dict[int, Group]:
    """Return the channels of every sensor, named `<sensor>/<quantity>`."""
    numbers = gids(config)
    return {numbers[s.name]: _group(numbers[s.name], s) for s in config.sensors}


def _group(gid: int, sensor: Sensor) -> Group:
    channels = tuple(
        replace(
            channel,
            name=f"{sensor.name}/{channel.name}",
            period_ms=sensor.every_ms,
            model=sensor.driver.model,
            serial=sensor.serial,
            stamp_ms=sensor.stamp_ms,
        )
        for channel in declared(sensor.driver, sensor.options)
    )
    return Group(gid, channels)


def workers(
    config: Config, known: Mapping[int, Group], sink: Sink, clock: Clock, stop: threading.Event
) -> list[BusWorker]:
    """Return one worker for each bus that has sensors; raises NodeError for a wire unknown here."""
    numbers = gids(config)
    found = []
    for bus in config.buses:
        sensors = [sensor for sensor in config.sensors if sensor.bus.name == bus.name]
        phases = stagger([sensor.every_ms for sensor in sensors])
        wires = Wires(bus.path)
        jobs = [
            _job(sensor, wires, known[numbers[sensor.name]], phase)
            for sensor, phase in zip(sensors, phases, strict=True)
        ]
        if jobs:
            found.append(BusWorker(bus.name, jobs, sink, clock, stop))
    return found


def _job(sensor: Sensor, wires: Wires, group: Group, phase_ms: int) -> Job:
    return Job(
        sensor=sensor.name,
        group=group,
        driver=wires.opener(sensor.driver, sensor.options),
        every_ms=sensor.every_ms,
        stamp_ms=sensor.stamp_ms,
        phase_ms=phase_ms,
    )


def spool_options(config: Config) -> SpoolOptions:
    """Return what the spool is told."""
    table = config.spool
    return SpoolOptions(
        directory=spool_directory(config.node.state),
        cap_bytes=table.cap_mb << 20,
        commit_interval_ms=round(table.commit_interval_s * 1000),
        window_ms=round(table.window_s * 1000),
        offline_window_ms=round(table.offline_window_s * 1000),
        custody=config.uplink.custody,
        pregrow=table.pregrow,
    )


def spool_directory(state: Path) -> Path:
    """Return where below the state directory the spool lives."""
    return state / "spool"


def uplink_options(config: Config) -> Any:
    """Return what the uplink is told; imports paho."""
    from edgenode.uplink import Broker, UplinkOptions  # noqa: PLC0415 - sampling comes first

    brokers = tuple(
        Broker(
            host=row.host,
            port=row.port or (SECURE if row.tls else CLEAR),
            tls=row.tls,
            ca=row.ca,
            cert=row.cert,
            key=row.key,
            username=row.username,
            password_file=row.password_file,
        )
        for row in config.uplink.broker
    )
    return UplinkOptions(
        node=bytes.fromhex(config.node.id),
        brokers=brokers,
        custody=config.uplink.custody,
        prefix=config.uplink.prefix,
        backlog_per_s=config.uplink.backlog_per_s,
        farewell_ms=FAREWELL_MS,
    )


FAREWELL_MS = 800  # of the 2 s that a stop may take


def about(config: Config, board_model: str) -> About:
    """Return what the node publishes about itself."""
    site = _given(config.site, PLACE)
    words = {key: str(value) for key, value in _given(config.site).items() if key not in PLACE}
    return About(
        node=bytes.fromhex(config.node.id),
        site=site,
        transparency=words,
        firmware=f"edgenode {__version__}",
        hardware=board_model,
    )


def _given(table: SiteTable, keys: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what was written in a table, only `keys` where they are named."""
    values: dict[str, Any] = msgspec.structs.asdict(table)
    return {
        key: value
        for key, value in values.items()
        if value not in {None, ""} and (not keys or key in keys)
    }
