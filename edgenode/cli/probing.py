"""Open and read each sensor once, as the thread of its bus would; for `edgenode check --probe`."""

from __future__ import annotations

import fcntl
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, NamedTuple

from edgenode.advice import REASONS
from edgenode.config import BusTable, Config, Sensor, serial_line
from edgenode.driver import Driver, Talker, declared
from edgenode.errors import DriverError, NodeError, Reason
from edgenode.reading import Channel, Quality, Sample
from edgenode.sensing import Wires

GRACE_S: Final = 1.0  # for a busy machine, beyond what the driver asks for
TURN_S: Final = 0.05
INSTEAD: Final = (
    "a daemon reads these sensors now; ask it: edgenode read SENSOR, or stop it first: "
    "sudo systemctl stop edgenode"
)
FIRST_READS: Final = 2  # more, where a part that was just opened has no value yet
FIRST_MOST_S: Final = 6.0  # between them; who measures more seldom is not waited for
SETTLES: Final = Quality.SETTLING.word
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
def alone(state: Path, instead: str = INSTEAD) -> Iterator[None]:
    """Hold the state directory as a daemon would, so that none starts meanwhile.

    Raises NodeError where one runs already, with what to do `instead`. A directory that is not
    there yet has no daemon.
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
            raise NodeError(f"{state}: {instead}") from exc
        yield


def probe(config: Config, boot_ms: Callable[[], int]) -> Iterator[Finding]:
    """Read each sensor once, all buses at the same time; each within what its driver may take.

    Findings come in the order of the file's buses, each as soon as it is there.
    """
    pending = []
    for bus in config.buses:
        sensors = [sensor for sensor in config.sensors if sensor.bus.name == bus.name]
        findings: SimpleQueue[Finding | None] = SimpleQueue()
        pending.append(findings)
        threading.Thread(
            target=_all_of, args=(bus, sensors, boot_ms, findings), name="probe", daemon=True
        ).start()
    for findings in pending:
        yield from iter(findings.get, None)


def _all_of(
    bus: BusTable,
    sensors: list[Sensor],
    boot_ms: Callable[[], int],
    findings: SimpleQueue[Finding | None],
) -> None:
    try:
        for finding in _bus(bus, sensors, boot_ms):
            findings.put(finding)
    finally:
        findings.put(None)


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
    """Return the seconds that opening, waiting for a first value, and a read get."""
    waiting_s = _listening_s(sensor) + FIRST_READS * sensor.driver.budget_s + _first_s(sensor)
    return float(2 * sensor.driver.budget_s + waiting_s + GRACE_S)


def _first_s(sensor: Sensor) -> float:
    """Return how long a part that is asked may take for its first value: two of its periods."""
    listens = hasattr(sensor.driver, "feed")
    return 0.0 if listens else float(FIRST_READS * min(sensor.driver.fastest_s, FIRST_MOST_S))


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
            if isinstance(driver, Talker):
                sample = _fed(driver, _listening_s(sensor), boot_ms)
            else:
                sample = _asked(driver, _first_s(sensor) / FIRST_READS, boot_ms)
        finally:
            driver.close()
    except DriverError as exc:
        return made._replace(problem=str(exc), advice=REASONS[exc.reason.word])
    except Exception as exc:  # noqa: BLE001 - a driver of somebody else's must not end the check
        return made._replace(problem=f"{type(exc).__name__}: {exc}", advice=DEFECT)
    readings = tuple(_readings(sensor, sample))
    if all(reading.value is None and reading.quality != SETTLES for reading in readings):
        names = ", ".join(sorted({reading.quality for reading in readings}))
        return made._replace(problem=f"no value: {names}", advice=REASONS[Reason.NO_ANSWER.word])
    return made._replace(readings=readings)


def _asked(driver: Driver, again_s: float, boot_ms: Callable[[], int]) -> Sample:
    """Read once; a part that has not measured yet is given time for its first value."""
    sample = driver.read(boot_ms())
    for _ in range(FIRST_READS):
        if Quality.SETTLING not in sample.quality or any(v is not None for v in sample.values):
            break
        time.sleep(again_s)
        sample = driver.read(boot_ms())
    return sample


def _fed(driver: Any, listening_s: float, boot_ms: Callable[[], int]) -> Sample:
    """Feed what talks by itself until it has said something whole, then read once."""
    until = time.monotonic() + listening_s
    while time.monotonic() < until:
        _feed(driver, boot_ms())
        try:
            sample: Sample = driver.read(boot_ms())
        except DriverError:
            continue
        if any(value is not None for value in sample.values):
            return sample
    last: Sample = driver.read(boot_ms())
    return last


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
