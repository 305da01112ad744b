"""Open and read each sensor once, as the thread of its bus would; for `edgenode check --probe`."""

from __future__ import annotations

import fcntl
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

from edgenode.advice import REASONS
from edgenode.config import BusTable, Config, Sensor, serial_line
from edgenode.driver import Driver, Talker, declared
from edgenode.errors import DriverError, NodeError, Reason
from edgenode.reading import Channel, Quality, Sample
from edgenode.sensing import Wires

GRACE_S: Final = 1.0  # for a busy machine, beyond what the driver asks for
TURN_S: Final = 0.05
DEFECT: Final = "this is a defect of the driver: report it with this sentence"


class Reading(NamedTuple):
    """One value as the part gives it, without calibration; None where it has none."""

    channel: str
    value: float | None
    unit: str
    quality: str
    decimals: int


class Finding(NamedTuple):
    """What came of one sensor: its readings, or a problem and what to do."""

    sensor: str
    bus: str
    readings: tuple[Reading, ...] = ()
    problem: str = ""
    advice: str = ""


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """Hold the state directory as a daemon would, so that none starts meanwhile.

    Raises NodeError where one runs already. A directory that is not there yet has no daemon.
    """
    try:
        file = (state / "lock").open("rb")
    except FileNotFoundError:
        yield
        return
    except OSError as exc:
        raise NodeError(f"{state}/lock: {exc.strerror}; run this as root or as edgenode") from exc
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            words = "a daemon reads these sensors now; ask it: edgenode read SENSOR"
            raise NodeError(f"{state}: {words}, or stop it first") from exc
        yield


def probe(config: Config, boot_ms: Callable[[], int]) -> Iterator[Finding]:
    """Read each sensor once, buses one after another; each within what its driver may take."""
    for bus in config.buses:
        sensors = [sensor for sensor in config.sensors if sensor.bus.name == bus.name]
        yield from _bus(bus, sensors, boot_ms)


def _bus(bus: BusTable, sensors: list[Sensor], boot_ms: Callable[[], int]) -> Iterator[Finding]:
    serial = bus.kind == "serial" and sensors
    wires = Wires(bus.path, serial_line(bus, sensors[0].driver.line) if serial else None)
    held = ""
    for sensor in sensors:
        if held:
            advice = f"see to {held} first"
            yield Finding(sensor.name, bus.name, (), f"not tried: {held} holds the bus", advice)
            continue
        found = _bounded(sensor, wires, boot_ms)
        if found is None:
            held = sensor.name
            problem = f"did not return within {allowance_s(sensor):g} s"
            found = Finding(sensor.name, bus.name, (), problem, REASONS[Reason.BUS_STUCK.word])
        yield found


def allowance_s(sensor: Sensor) -> float:
    """Return the seconds that opening, waiting for a part that talks by itself, and a read get."""
    return float(2 * sensor.driver.budget_s + _listening_s(sensor) + GRACE_S)


def _listening_s(sensor: Sensor) -> float:
    """Two periods of what talks by itself: one may be cut by the opening."""
    return float(2 * sensor.driver.fastest_s) if hasattr(sensor.driver, "feed") else 0.0


def _bounded(sensor: Sensor, wires: Wires, boot_ms: Callable[[], int]) -> Finding | None:
    """Try one sensor in a thread that is left behind where it hangs; None then."""
    found: list[Finding] = []
    thread = threading.Thread(
        target=lambda: found.append(_tried(sensor, wires, boot_ms)), name="probe", daemon=True
    )
    thread.start()
    thread.join(allowance_s(sensor))
    return found[0] if found else None


def _tried(sensor: Sensor, wires: Wires, boot_ms: Callable[[], int]) -> Finding:
    made = Finding(sensor.name, sensor.bus.name)
    try:
        driver = wires.opener(sensor.driver, sensor.options)()
        try:
            sample = _sample(driver, _listening_s(sensor), boot_ms)
        finally:
            driver.close()
    except DriverError as exc:
        return made._replace(problem=str(exc), advice=REASONS[exc.reason.word])
    except Exception as exc:  # noqa: BLE001 - a driver of somebody else's must not end the check
        return made._replace(problem=f"{type(exc).__name__}: {exc}", advice=DEFECT)
    readings = tuple(_readings(sensor, sample))
    if all(reading.value is None for reading in readings):
        names = ", ".join(sorted({reading.quality for reading in readings}))
        return made._replace(problem=f"no value: {names}", advice=REASONS[Reason.NO_ANSWER.word])
    return made._replace(readings=readings)


def _sample(driver: Driver, listening_s: float, boot_ms: Callable[[], int]) -> Sample:
    """Read once; what talks by itself is first fed until it has said something whole."""
    talks = isinstance(driver, Talker)
    until = time.monotonic() + listening_s
    while talks and time.monotonic() < until:
        _feed(driver, boot_ms())
        try:
            sample = driver.read(boot_ms())
        except DriverError:
            continue
        if any(value is not None for value in sample.values):
            return sample
    return driver.read(boot_ms())


def _feed(talker: Any, now_ms: int) -> None:
    if talker.fileno() < 0:
        time.sleep(talker.pace_s)
        talker.feed(now_ms)
    elif select.select([talker.fileno()], [], [], TURN_S)[0]:
        talker.feed(now_ms)


def _readings(sensor: Sensor, sample: Sample) -> Iterator[Reading]:
    channels: tuple[Channel, ...] = declared(sensor.driver, sensor.options)
    qualities = sample.quality or (Quality.OK,) * len(channels)
    for channel, value, quality in zip(channels, sample.values, qualities, strict=True):
        name = quality.word
        decimals = max(0, -channel.scale)
        shown = None if value is None else round(float(value), decimals)
        yield Reading(f"{sensor.name}/{channel.name}", shown, channel.unit, name, decimals)
