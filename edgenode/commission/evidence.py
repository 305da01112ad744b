"""What is known of a node when it is judged: plain values, gathered once, no I/O.

Times are POSIX ms where they end in `_utc_ms`, spans carry their unit in their name. None means
that it was not asked or cannot be known; a check says nothing of it then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import median_high
from typing import Any, Final, NamedTuple


class Planned(NamedTuple):
    """A sensor as a plan or the configuration names it."""

    sensor: str
    driver: str  # the name that stands behind `driver =`
    bus: str


class Plan(NamedTuple):
    """What should stand here: the sensors of an accepted document."""

    source: str  # the file
    serial: int | None = None  # of the document
    sensors: tuple[Planned, ...] = ()
    problem: str = ""  # why it cannot be read


class Measured(NamedTuple):
    """The newest reading of one channel, in its unit."""

    channel: str
    unit: str
    observed: str = ""  # such as WeatherObserved/temperature
    value: float | None = None
    quality: str | None = None  # its name; None: never read
    uncertainty: float | None = None  # of its calibration, k = 2, in the unit
    twin: str = ""  # the channel that the file names as its twin
    tolerance: float | None = None  # of the two, as the file has it

    @property
    def good(self) -> bool:
        """Tell whether there is a number that nothing doubts."""
        return self.value is not None and self.quality == "ok"


class SensorSeen(NamedTuple):
    """What one sensor said."""

    sensor: str
    model: str
    bus: str
    state: str  # unopened, settling, ok, lost, faulty
    reason: str | None = None  # of a failed read, by its name
    detail: str = ""
    health: bool = False  # it measures the node itself; what a board lacks is no fault
    channels: tuple[Measured, ...] = ()

    @property
    def answers(self) -> bool:
        """Tell whether it can be read."""
        return self.reason is None and self.state in {"ok", "settling"}


class Stranger(NamedTuple):
    """Something on a wire that no [[bus]] of the file names."""

    path: str
    words: str
    driver: str = ""


class LinkSeen(NamedTuple):
    """What came of one broker."""

    broker: str  # HOST:PORT
    protocol: str = ""  # of MQTT; empty: no session
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    connect_ms: float | None = None  # name, TCP, TLS, CONNACK
    acks_ms: tuple[float, ...] = ()  # from each publish to its PUBACK
    sent: int = 0  # small messages, one after another
    repeated: int | None = None  # TCP segments that the kernel had to send again

    @property
    def ack_ms(self) -> float | None:
        """Return the median of the round trips; None where there was none."""
        return median_high(self.acks_ms) if self.acks_ms else None


class Delivery(NamedTuple):
    """How far a batch came that was made for the purpose."""

    reached: str  # open, sealed, broker, city; empty: it could not be made
    took_s: float = 0.0  # or how long it was waited for
    custody: str = "city"  # whose word ends it
    problem: str = ""  # why it could not be made


class CardSeen(NamedTuple):
    """How fast a small write became durable where the spool is, ms each."""

    flush_ms: tuple[float, ...] = ()
    problem: str = ""

    @property
    def usual_ms(self) -> float:
        """Return the median; there must be one."""
        return median_high(self.flush_ms)


class CertificateSeen(NamedTuple):
    """The node's own certificate."""

    file: str
    until_utc_ms: int | None = None
    name: str = ""  # its common name
    problem: str = ""  # why it cannot be read


class Answers(NamedTuple):
    """What only somebody who stands there can say."""

    installer: str = ""
    mounting: str = ""
    lamp: str = "unseen"  # yes, no, unseen; empty: the node has none


class Place(NamedTuple):
    """Where the node stands, WGS84 degrees; None where nobody says."""

    latitude: float | None = None
    longitude: float | None = None


NOWHERE: Final = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Everything that is judged."""

    node: str = ""
    at_utc_ms: int = 0  # the wall clock, vouched or not
    problems: tuple[str, ...] = ()  # mistakes of the configuration
    warnings: tuple[str, ...] = ()  # of the configuration and of this machine
    place: Place = NOWHERE
    configured: tuple[Planned, ...] = ()
    plan: Plan | None = None  # None: nothing beside the configuration
    absent: Mapping[str, Any] | None = None  # what can be told where no daemon answers
    refused: str = ""  # why a daemon that is there does not answer
    status: Mapping[str, Any] | None = None  # as `edgenode status` has it
    sensors: tuple[SensorSeen, ...] = ()
    unread: tuple[str, ...] = ()  # sensors for which there was no time left
    strangers: tuple[Stranger, ...] = ()
    unscanned: tuple[str, ...] = ()  # wires that could not be looked at, with the reason
    links: tuple[LinkSeen, ...] = ()
    delivery: Delivery | None = None
    machine: Mapping[str, float | None] = field(default_factory=dict)  # of the driver `health`
    card: CardSeen | None = None
    commit_interval_s: float = 5.0
    disk_free_bytes: int | None = None
    certificates: tuple[CertificateSeen, ...] = ()
    spool: Mapping[str, Any] | None = None  # its survey, where no daemon answers
    answers: Answers | None = None
