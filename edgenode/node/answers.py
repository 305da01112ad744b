"""What the daemon answers about its sensors and channels; docs/cli.md names every field."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from edgenode.config import Config, Sensor
from edgenode.config.metering import quiet_min
from edgenode.control import unknown
from edgenode.errors import NodeError
from edgenode.node.chronicle import Chronicle, Now
from edgenode.node.disclosing import purpose_of
from edgenode.node.documents import FORMAT, Document, quality_name, reason_name
from edgenode.node.report import Picture
from edgenode.reading import Channel, ClockSource, Kind, Quality
from edgenode.sensing import BusWorker, Evidence, SensorStats, WorkerStats

READ_S: Final = 9.0  # below the ten seconds that the socket waits for a slow verb
HISTORY: Final = 20  # entries of the condition log that `why` shows


class View(NamedTuple):
    """The node at the moment of a question."""

    config: Config
    channels: dict[str, Channel]  # by name, as in the birth
    workers: tuple[BusWorker, ...]
    picture: Picture

    @property
    def now(self) -> Now:
        return Now(self.picture.now_ms, self.picture.vouched_utc_ms)

    def age_s(self, t_ms: int | None) -> float | None:
        """Return how long ago a boot-time was, in seconds."""
        return None if t_ms is None else round(max(0, self.picture.now_ms - t_ms) / 1000, 1)


def sensors(view: View) -> Document:
    """Return all sensors with the newest reading of each channel."""
    found = {evidence.channel: evidence for w in view.workers for evidence in w.channels()}
    stats = {s.sensor: (bus.bus, s) for bus in view.picture.buses for s in bus.sensors}
    return {
        "format": FORMAT,
        "utc_ms": view.picture.utc_ms,
        "sensors": [
            _sensor(view, sensor, *stats[sensor.name], found)
            for sensor in view.config.sensors
            if sensor.name in stats
        ],
    }


def _sensor(
    view: View, sensor: Sensor, bus: str, stats: SensorStats, found: dict[str, Evidence]
) -> Document:
    return {
        "sensor": sensor.name,
        "driver": sensor.driver.model,
        "grade": sensor.driver.grade,
        "bus": bus,
        "state": stats.state,
        "reason": reason_name(stats.reason),
        "detail": stats.detail,
        "every_ms": sensor.every_ms,
        "purpose": sensor.purpose or sensor.driver.purpose,
        "serial": sensor.serial,
        "life": life(stats),
        "reads": stats.reads,
        "failures": stats.failures,
        "missed": stats.missed,
        "opens": stats.opens,
        "last_ok_s": view.age_s(stats.last_ok_ms),
        "channels": [
            _channel(view, sensor, channel, found[name])
            for name, channel in view.channels.items()
            if name.partition("/")[0] == sensor.name and name in found
        ],
    }


def life(stats: SensorStats) -> Document | None:
    """Return how far a part is used up; None where nobody knows."""
    known = stats.life
    if known is None:
        return None
    return {
        "what": known.what,
        "hours": known.hours,
        "of_hours": known.of_hours,
        "used_percent": known.percent,
        "installed": known.installed or None,
    }


def _channel(view: View, sensor: Sensor, channel: Channel, evidence: Evidence) -> Document:
    return {
        "channel": channel.name,
        "unit": channel.unit,
        "scale": channel.scale,
        "kind": Kind(channel.kind).name.lower(),
        "value": evidence.value,
        "quality": quality_name(evidence.quality),
        "age_s": view.age_s(evidence.t_ms),
        "purpose": _purpose(sensor, channel),
        "derived": channel.name.partition("/")[2] in sensor.derived,
        "calibration": channel.calibration[1] if channel.calibration else None,
    }


def _purpose(sensor: Sensor, channel: Channel) -> str:
    return purpose_of(sensor, channel.name.partition("/")[2])


def read(view: View, name: str) -> Document:
    """Read a sensor now; raises BadRequest for one that is not there, NodeError where it fails."""
    worker = next((w for w in view.workers if name in _served(w)), None)
    if worker is None:
        raise unknown("sensor", name, (sensor.name for sensor in view.config.sensors))
    answer = worker.ask(name, READ_S)
    stats = next(s for s in worker.stats().sensors if s.sensor == name)
    return {
        "format": FORMAT,
        "utc_ms": view.picture.utc_ms,
        "sensor": name,
        "took_ms": answer.took_ms,
        "age_s": round(answer.age_ms / 1000, 1),
        "fresh": answer.fresh,
        "reason": reason_name(stats.reason) if answer.detail else None,
        "detail": answer.detail,
        "channels": [
            {
                "channel": channel,
                "unit": unit,
                "scale": view.channels[channel].scale,
                "value": value,
                "quality": quality_name(quality),
            }
            for channel, unit, value, quality in zip(
                answer.channels, answer.units, answer.values, answer.quality, strict=True
            )
        ],
    }


def _served(worker: BusWorker) -> set[str]:
    return {stats.sensor for stats in worker.stats().sensors}


def why(view: View, name: str, log: Chronicle, maintenance: Document | None) -> Document:
    """Return the evidence about a channel.

    Raises BadRequest for one that is not there, NodeError while a reload exchanges its bus.
    """
    channel = view.channels.get(name)
    if channel is None:
        raise unknown("channel", name, view.channels)
    sensor = next(s for s in view.config.sensors if s.name == name.partition("/")[0])
    worker = next((w for w in view.workers if w.bus == sensor.bus.name), None)
    if worker is None:
        raise NodeError(f"bus {sensor.bus.name} is being exchanged; ask again")
    evidence, bus = worker.evidence(name), worker.stats()
    stats = evidence.sensor
    document: Document = {
        "format": FORMAT,
        "utc_ms": view.picture.utc_ms,
        "channel": name,
        "sensor": sensor.name,
        "bus": bus.bus,
        "driver": sensor.driver.model,
        "life": life(stats),
        "unit": channel.unit,
        "scale": channel.scale,
        "purpose": _purpose(sensor, channel),
        "state": stats.state,
        "every_ms": sensor.every_ms,
        "value": evidence.value,
        "quality": quality_name(evidence.quality),
        "age_s": view.age_s(evidence.t_ms),
        "reads": stats.reads,
        "failures": stats.failures,
        "missed": stats.missed,
        "clock": {
            "source": ClockSource(view.picture.clock).name.lower(),
            "err_ms": view.picture.clock_err_ms,
        },
        "maintenance": maintenance,
        "history": log.about(
            {
                f"channel {name}",
                f"sensor {sensor.name}",
                f"bus {bus.bus}",
                f"bus {bus.bus} lever",
                f"leak {name}",
                f"life {sensor.name}",
                f"life {sensor.name} over",
            },
            HISTORY,
        ),
    }
    document.update(_failures(view, evidence, bus))
    document.update(_judgements(view, sensor, channel, evidence))
    return document


def _failures(view: View, evidence: Evidence, bus: WorkerStats) -> Iterator[tuple[str, Any]]:
    stats, good_ms, utc_ms = evidence.sensor, evidence.good_ms, view.picture.vouched_utc_ms
    last_ok = good_ms is not None and {
        "ago_s": view.age_s(good_ms),
        "utc_ms": None if utc_ms is None else utc_ms - view.picture.now_ms + good_ms,
    }
    yield "last_ok", last_ok or None
    yield "by_reason", stats.reasons
    yield "by_rung", {name: {"tried": t.tried, "helped": t.helped} for name, t in bus.rungs.items()}
    last = stats.last_failure
    yield (
        "last_failure",
        last
        and {
            "reason": reason_name(last.reason),
            "detail": last.detail,
            "ago_s": view.age_s(last.t_ms),
        },
    )
    retry_ms = stats.retry_ms
    left_s = None if retry_ms is None else max(0, retry_ms - view.picture.now_ms) / 1000
    yield "breaker", {"state": stats.breaker, "next_try_s": left_s}
    yield "bus_stuck", bus.stuck


def _judgements(
    view: View, sensor: Sensor, channel: Channel, evidence: Evidence
) -> Iterator[tuple[str, Any]]:
    rule = sensor.channel.get(channel.name.partition("/")[2])
    settle_s = sensor.driver.settle_s
    settling = evidence.quality == Quality.SETTLING and settle_s > 0
    left_ms = max(0, (evidence.sensor.settled_ms or 0) - view.picture.now_ms)
    yield "settling", {"left_s": left_ms / 1000, "settle_s": settle_s} if settling else None
    yield (
        "range",
        {
            "low": channel.low,
            "high": channel.high,
            "limit_low": rule.low if rule else None,
            "limit_high": rule.high if rule else None,
        },
    )
    stuck_s = rule.stuck_s if rule else None
    unchanged_s = view.age_s(evidence.unchanged_since_ms)
    yield "stuck_at", None if stuck_s is None else {"unchanged_s": unchanged_s, "limit_s": stuck_s}
    rate = rule.rate_per_s if rule else None
    yield "rate", None if rate is None else {"per_s": evidence.rate_per_s, "limit_per_s": rate}
    twin = evidence.twin
    yield (
        "twin",
        twin
        and {
            "channel": twin.channel,
            "value": twin.value,
            "difference": twin.difference,
            "tolerance": rule.tolerance if rule else None,
        },
    )
    flows_s = evidence.sensor.leaks_s.get(channel.name.partition("/")[2])
    after_h = rule.leak_after_h if rule else None
    leak = {"flows_s": flows_s, "after_h": after_h, "quiet_min": quiet_min(rule) if rule else None}
    yield "leak", None if after_h is None else leak
    calibration = evidence.calibration
    yield "calibration", calibration and {"date": calibration[0], "id": calibration[1]}
