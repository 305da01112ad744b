"""What is measured: channels, samples, events and quality, as frozen values without any I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal, NamedTuple

from edgenode.errors import Code


class Quality(Code):
    """How far a reading can be trusted; the codes of edge-batch v1."""

    OK = 0
    STALE = 1
    OUT_OF_RANGE = 2
    ESTIMATED = 3
    FAULT = 4
    MISSING = 5
    UNCALIBRATED = 6
    MAINTENANCE = 7
    SUPPRESSED_PRIVACY = 8
    CLAMPED = 9
    RATE_OF_CHANGE = 10
    SETTLING = 11
    STUCK = 12
    DISAGREES = 13


# Beside these there is no number at all: what travels there repeats another row's.
NUMBERLESS: Final = frozenset({Quality.MISSING, Quality.FAULT, Quality.SUPPRESSED_PRIVACY})


class Kind(IntEnum):
    """What the numbers of a channel mean over time."""

    GAUGE = 0
    COUNTER = 1
    STATE = 2
    FLOAT = 4  # code 3 is not assigned


class Privacy(IntEnum):
    """Who may see a channel."""

    OPEN = 0
    INTERNAL = 1
    AGGREGATE = 2


class Stream(IntEnum):
    """Sequences of batches within one spool, each with its own seq and ordinals."""

    TELEMETRY = 0
    EVENTS = 1
    HEALTH = 2
    AUDIT = 3


class ClockSource(IntEnum):
    """Who vouches for an anchor; the codes of edge-batch v1."""

    NONE = 0
    RTC = 1
    NTP_UNSYNCED = 2
    NTP = 3
    PTP = 4
    GNSS = 5
    MANUAL = 6
    CITY = 7


class Anchor(NamedTuple):
    """At boot-time `mono` ms it was `utc` POSIX ms, wrong by at most `err` ms."""

    mono: int
    utc: int
    source: int
    err: int


class EventCode(IntEnum):
    """What can happen; the table grows in docs/wire-format.md. 1024 and above are private."""

    STATE_CHANGED = 1
    COUNTER_RESET = 2
    SENSOR_LOST = 3
    SENSOR_FOUND = 4
    BUS_STUCK = 5
    BUS_RECOVERED = 6
    LIMIT_EXCEEDED = 7
    LIMIT_CLEARED = 8
    TAMPER = 9
    CLOCK_STEPPED = 10
    SPOOL_DEGRADED = 11
    SPOOL_RECOVERED = 12
    CONFIGURATION_CHANGED = 13
    BOOT = 14
    MAINTENANCE_BEGUN = 15
    MAINTENANCE_ENDED = 16
    LEAK_SUSPECTED = 17
    SENSOR_END_OF_LIFE = 18
    SIGNAL_CONFLICT = 19
    SUPPLY_LOW = 20
    LINK_LOST = 21
    LINK_FOUND = 22
    CLOCK_LOST = 23
    CLOCK_FOUND = 24
    DAEMON_STARTED = 25
    LEAK_ENDED = 26
    MARKED = 27  # somebody tries the road to the city: sealed at once, and no alarm


class Rung(Code):
    """How far up the recovery ladder a bus had to go; the value of bus-recovered."""

    BY_ITSELF = 0
    RETRY = 1
    REOPEN = 2
    NINE_CLOCKS = 3
    POWER = 4  # of the bus, by its pin or its USB port
    RESTART = 5  # of the daemon
    REBOOT = 6


class Limit(IntEnum):
    """Which limit of the node itself; the value of limit-exceeded and limit-cleared."""

    DAY_BYTES = 1
    MONTH_BYTES = 2


class SpoolReason(Code):
    """Why the spool is, or was, degraded; the value of spool-degraded and spool-recovered.

    From 128 on the value is the reason code with which a broker refused (MQTT 5, section 2.4).
    """

    DISK_FULL = 1
    READ_ONLY = 2
    IO_ERROR = 3
    STORE_SALVAGED = 4
    STORE_LOST = 5
    JOURNAL_LOST = 6
    ALIEN_ACK = 7  # only as a value of tamper
    SET_ASIDE = 8


# They last until the disk takes writes again; an end that names none of them ends them all.
OF_THE_DISK: Final = frozenset({SpoolReason.DISK_FULL, SpoolReason.READ_ONLY, SpoolReason.IO_ERROR})
# They happened, and no event ends them.
HAPPENINGS: Final = frozenset({
    SpoolReason.STORE_SALVAGED, SpoolReason.STORE_LOST, SpoolReason.JOURNAL_LOST,
    SpoolReason.SET_ASIDE,
})  # fmt: skip

ALARMS = frozenset({3, 5, 7, 9, 11, 14, 17, 19, 20})

# What begins a condition, and what ends it: of one sensor, of the node where the event names none.
ENDS: Final = {
    EventCode.SENSOR_LOST: EventCode.SENSOR_FOUND,
    EventCode.BUS_STUCK: EventCode.BUS_RECOVERED,
    EventCode.LIMIT_EXCEEDED: EventCode.LIMIT_CLEARED,
    EventCode.SPOOL_DEGRADED: EventCode.SPOOL_RECOVERED,
    EventCode.MAINTENANCE_BEGUN: EventCode.MAINTENANCE_ENDED,
    EventCode.LEAK_SUSPECTED: EventCode.LEAK_ENDED,
    EventCode.LINK_LOST: EventCode.LINK_FOUND,
    EventCode.CLOCK_LOST: EventCode.CLOCK_FOUND,
}
# Beginnings that have an end for each value: what the end of one value says is nothing of another.
BY_VALUE: Final[frozenset[EventCode]] = frozenset(
    {EventCode.LIMIT_EXCEEDED, EventCode.SPOOL_DEGRADED}
)


@dataclass(frozen=True, slots=True)
class Channel:
    """One quantity of one sensor.

    A driver names the quantity ("temperature"); the node names the channel of the birth
    ("<sensor>/<quantity>") and fills in what only the configuration knows.
    """

    name: str
    unit: str  # SenML (IANA registry), else UCUM; case-sensitive
    scale: int = 0  # a value is integer * 10^scale; the resolution is 10^scale
    kind: Kind = Kind.GAUGE
    observed: str = ""  # observed property, e.g. "AirQualityObserved/pm25"
    low: float | None = None  # the range the sensor can mean, in the unit; both or neither
    high: float | None = None
    period_ms: int | None = None
    model: str = ""
    serial: str = ""
    calibration: tuple[str, str] | None = None  # date, reference
    uncertainty: int | None = None  # scaled, k = 2
    privacy: Privacy = Privacy.OPEN
    modulus: int | None = None  # a counter wraps here
    stamp_ms: int | None = None  # a stamp is the schedule slot when the read was this near to it


@dataclass(frozen=True, slots=True)
class Weighed(Channel):
    """A total that is a counter of the same sensor times what a count is worth.

    By whole numbers, so it stays exact. With `times` less than `by` a count could be lost. To the
    city it is a channel like any other.
    """

    counter: str = ""  # the quantity that is counted
    times: int = 1  # a count is times / by steps of the channel's resolution
    by: int = 1
    start: int = 0  # what the total is where nothing is counted yet, in steps / by

    def steps(self, count: int) -> int:
        """Return the total in whole steps, as a dial shows it: one that has begun is none."""
        return (self.start + self.times * count) // self.by

    def worth(self, count: int) -> float:
        """Return the total in its unit."""
        steps = self.steps(count)
        return steps / 10**-self.scale if self.scale < 0 else float(steps * 10**self.scale)


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `channel` is an index into the sample, 255 the whole sensor.

    `t_ms` is the boot-time of an event that the wire itself has stamped (an edge, by the kernel);
    None means the moment of the sample, or of the feeding, that brought it.
    """

    code: int
    channel: int = 255
    value: bool | float | tuple[int, ...] | None = None
    quality: Quality = Quality.OK
    t_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Sample:
    """All channels of one read, in the order of the driver's `channels`.

    `values[i]` is None where there is no honest number, and then `quality[i]` says why.
    An empty `quality` means that every value is ok.
    """

    values: tuple[float | None, ...]
    quality: tuple[Quality, ...] = ()
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """The channels that are sampled together: one sensor, one gid, one stream."""

    gid: int
    channels: tuple[Channel, ...]
    stream: int = Stream.TELEMETRY


class Total(NamedTuple):
    """A durable total of a counter, as the spool recovered or last saw it."""

    value: int
    epoch: int  # of the boot in which it was noted
    t_ms: int  # boot-time ms of that epoch


class SerialLine(NamedTuple):
    """Speed and framing of a serial port."""

    baud: int = 9600
    parity: Literal["none", "even", "odd"] = "none"
    data_bits: int = 8
    stop_bits: int = 1

    def __str__(self) -> str:
        """Return it as people write it, such as "9600 8N1"."""
        return f"{self.baud} {self.data_bits}{self.parity[0].upper()}{self.stop_bits}"


Groups = Mapping[int, Group]
