"""What the rooms tell, as conditions with advice."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from edgenode.advice import LEAK, REASONS, WORN
from edgenode.errors import Reason
from edgenode.health import Condition, Verdict
from edgenode.reading import ClockSource
from edgenode.sensing import SensorStats, WorkerStats
from edgenode.sensing.life import NEAR, OVER
from edgenode.spool import SpoolStats

if TYPE_CHECKING:  # paho takes 40 ms to import, and sampling comes first
    from edgenode.uplink import UplinkStats

CONFIRM_MS = 900_000  # the City OS acks at most each second, and resends are asked in minutes
NEARLY_FULL = 0.8  # of the cap; eviction begins at 0.9
DAY_MS = 86_400_000
CARD_BYTES_A_DAY = 500_000_000  # commits of 1 s on a default mount cost 440 MB a day
STEADY_MS = 3_600_000  # a start writes more than an hour of running does


@dataclass(frozen=True, slots=True)
class Picture:
    """All rooms at one moment, boot-time ms."""

    now_ms: int
    started_ms: int
    utc_ms: int
    clock: int  # ClockSource
    spool: SpoolStats
    buses: Sequence[WorkerStats]
    uplink: UplinkStats | None  # None before it is started
    notes: Sequence[Condition] = ()  # what was found wrong at the start
    clock_err_ms: int | None = None  # by how much the wall clock may be wrong; None: not known
    connect_by_ms: int = 0  # boot-time until which it is no trouble that no broker is connected
    brokers: int = 1  # how many the configuration names

    @property
    def up_ms(self) -> int:
        """For how long the daemon has run."""
        return self.now_ms - self.started_ms

    @property
    def vouched_utc_ms(self) -> int | None:
        """The wall clock, where something vouches for it."""
        return None if self.clock == ClockSource.NONE else self.utc_ms

    @property
    def written_a_day(self) -> int:
        """Bytes to the card in a day at the rate so far."""
        return self.spool.written_bytes * DAY_MS // max(self.up_ms, 1)


def conditions(picture: Picture) -> Iterator[Condition]:
    """Whatever keeps the node from being well, in the order of the road."""
    yield from picture.notes
    yield from _sensing(picture.buses)
    yield from _spool(picture)
    yield from _uplink(picture)
    if picture.clock == ClockSource.NONE:
        yield Condition(
            "clock",
            "nothing vouches for the clock",
            "let it reach an NTP server, or set clock.manual_err_ms (see edgenode clock)",
        )


UNPLUG = "unplug its sensors one by one; check pull-ups"
LEVER_ADVICE = {
    "nine-clocks": "compare chip, scl and sda of [bus.clear] with the wiring and with gpioinfo",
    "power": "compare chip and line of [bus.power] with the wiring and with gpioinfo",
    "usb": "compare usb_port of [[bus]] with lsusb -t, and allow the daemon to write there",
}


def _levers(bus: WorkerStats) -> Iterator[Condition]:
    """Tell of levers that will not be there when the bus needs them."""
    broken = [lever for lever in bus.levers if not lever.usable]
    if broken:
        each = "; ".join(f"{lever.name} cannot be used: {lever.last}" for lever in broken)
        what = f"bus {bus.bus} cannot be brought back by itself: {each}"
        yield Condition(f"bus {bus.bus} lever", what, LEVER_ADVICE[broken[0].name])


def _sensing(buses: Sequence[WorkerStats]) -> Iterator[Condition]:
    for bus in buses:
        yield from _levers(bus)
        if bus.stuck:
            what = f"a read on bus {bus.bus} does not return"
            yield Condition(f"bus {bus.bus}", what, UNPLUG)
        elif bus.held:
            what = f"bus {bus.bus} is stuck: nothing on it has answered since"
            yield Condition(f"bus {bus.bus}", what, UNPLUG)
        for sensor in bus.sensors:
            if sensor.state in {"lost", "faulty"}:
                what = f"sensor {sensor.sensor} on bus {bus.bus} is {sensor.state}: {sensor.detail}"
                reason = Reason.NO_ANSWER if sensor.reason is None else Reason(sensor.reason)
                yield Condition(f"sensor {sensor.sensor}", what, REASONS[reason.word])
            for quantity, quality in sensor.doubted.items():
                name = f"{sensor.sensor}/{quantity}"
                what = f"{name} cannot be believed: {quality}"
                yield Condition(f"channel {name}", what, f"edgenode why {name}")
            yield from _leaks(sensor)
            yield from _life(sensor)


def _leaks(sensor: SensorStats) -> Iterator[Condition]:
    for quantity, flows_s in sensor.leaks_s.items():
        name = f"{sensor.sensor}/{quantity}"
        what = f"{name} has grown without a pause for {flows_s / 3600:.0f} h: a leak is suspected"
        yield Condition(f"leak {name}", what, LEAK)


def _life(sensor: SensorStats) -> Iterator[Condition]:
    """Tell of a part that is nearly or wholly used up; each is told of as a thing of its own."""
    life = sensor.life
    if life is None or life.percent < NEAR:
        return
    worked = f"the {life.what} of {sensor.sensor} has worked {life.hours:.0f} h"
    if life.percent < OVER:
        what = f"{worked} of the {life.of_hours:.0f} h that it lasts"
        yield Condition(f"life {sensor.sensor}", what, "order another one; nothing is wrong yet")
        return
    what = f"{worked}; it lasts {life.of_hours:.0f} h"
    yield Condition(f"life {sensor.sensor} over", what, WORN)


def _spool(picture: Picture) -> Iterator[Condition]:
    spool = picture.spool
    if spool.degraded:
        yield Condition("spool", f"spool: {spool.degraded}", "look at the disk and its free room")
    if spool.cap_short_bytes:
        asked = (spool.cap_bytes + spool.cap_short_bytes) >> 20
        what = f"the disk has room for {spool.cap_bytes >> 20} MiB of the spool's {asked} MiB"
        yield Condition("spool room", what, "make room on the disk, or lower spool.cap_mb")
    if spool.used_bytes > NEARLY_FULL * spool.cap_bytes:
        share = 100 * spool.used_bytes // max(spool.cap_bytes, 1)
        what = f"the spool is {share} % full; the oldest readings will be given up"
        yield Condition("spool full", what, "bring the uplink back, or raise spool.cap_mb")
    if picture.up_ms > STEADY_MS and picture.written_a_day > CARD_BYTES_A_DAY:
        what = f"{picture.written_a_day / 1e9:.2f} GB a day are written to the card"
        yield Condition("card wear", what, "mount noatime,commit=60; raise commit_interval_s")


UNPROVISIONED = (
    "provision this node, or write a [[uplink.broker]] table, then systemctl reload edgenode"
)


def _uplink(picture: Picture) -> Iterator[Condition]:
    uplink, late = picture.uplink, picture.now_ms > picture.connect_by_ms
    if not picture.brokers:
        what = "no broker is named, so nothing is sent: readings wait in the spool"
        yield Condition("uplink", what, UNPROVISIONED)
        return
    if uplink is None:
        if late and not any(note.key == "uplink" for note in picture.notes):
            yield Condition("uplink", "not connected: not tried yet", "wait for the first sample")
        return
    if uplink.budget:
        yield _budget(uplink.budget)
    if not uplink.connected and late:
        why = uplink.last_error or "no answer yet"
        what = f"not connected to {uplink.broker or 'any broker'}: {why}"
        yield Condition("uplink", what, "check network, broker and credentials; nothing is lost")
    if uplink.set_aside or uplink.parked:
        what = f"{uplink.set_aside + uplink.parked} batches refused or set aside by the broker"
        yield Condition("refused", what, f"check this node's rights: {uplink.last_error}")
    since_ms = uplink.last_ack_ms or picture.started_ms
    if picture.spool.unconfirmed_batches and picture.now_ms - since_ms > CONFIRM_MS:
        what = "the broker takes batches, but the City OS has not confirmed any for 15 minutes"
        yield Condition(
            "city", what, "check the receiver; the node keeps what it has not confirmed"
        )


def _budget(state: str) -> Condition:
    advice = "see what is sent too often, or raise [budget]"
    if state == "near":
        what = "the network budget is nearly spent: batches grow and backlog slows"
        return Condition("budget near", what, advice)
    what = "the network budget is spent: readings wait in the spool, events still go"
    return Condition("budget spent", what, advice)


def line(verdict: Verdict, picture: Picture) -> str:
    """Return one line for `systemctl status`."""
    if verdict.problems:
        return f"{verdict.health}: {verdict.problems[0].condition.what}"
    uplink = picture.uplink
    where = uplink.broker if uplink and uplink.connected else "nobody yet"
    return (
        f"{verdict.health}: {picture.spool.readings} readings taken,"
        f" {picture.spool.held_batches} batches held, connected to {where}"
    )
