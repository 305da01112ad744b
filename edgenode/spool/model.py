"""The values the spool gives to others: sealed batches, and its statistics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from edgenode.reading import Stream

STREAMS: tuple[int, ...] = tuple(int(stream) for stream in Stream)  # the streams a spool can keep


class Sealed(NamedTuple):
    """A sealed batch; its bytes never change. `readings` counts cells and events in it."""

    stream: int
    seq: int
    schema: bytes
    data: bytes
    readings: int
    alarm: bool


class Identity(NamedTuple):
    """Whose samples these are, and which boot takes them."""

    node: bytes
    spool: bytes
    board: bytes  # 8 bytes that tell boards apart; zeros: not known
    boot: bytes  # 8 bytes that tell kernel boots apart
    epoch: int
    schema: bytes


class Moment(NamedTuple):
    """A moment of a boot, boot-time ms; in POSIX ms where a clock of that boot was ever known."""

    epoch: int
    t_ms: int
    utc_ms: int | None = None

    def ms_to(self, later: Moment) -> int | None:
        """Return how long it is to a later moment; None where no clock ties their boots."""
        if self.epoch == later.epoch:
            return max(0, later.t_ms - self.t_ms)
        if self.utc_ms is None or later.utc_ms is None:
            return None
        return max(0, later.utc_ms - self.utc_ms)


class Condition(NamedTuple):
    """An entry of the condition log: what was wrong, from when to when.

    `end` is None while it lasts, and the beginning itself for what happened in an instant.
    `times` counts how often it began where it came back within ten minutes.
    """

    key: str  # the same key is the same condition, e.g. "sensor air"
    what: str
    begin: Moment
    end: Moment | None
    times: int = 1

    def ended_before(self, utc_ms: int) -> bool:
        """Whether it surely was over at this time, POSIX ms."""
        return self.end is not None and self.end.utc_ms is not None and self.end.utc_ms < utc_ms

    def document(self) -> dict[str, object]:
        """Return it as docs/cli.md has it, `edgenode history`."""
        lasted_ms = self.begin.ms_to(self.end) if self.end else None
        return {
            "key": self.key,
            "what": self.what,
            "since_utc_ms": self.begin.utc_ms,
            "until_utc_ms": self.end.utc_ms if self.end else None,
            "lasted_s": None if lasted_ms is None else lasted_ms // 1000,
            "open": self.end is None,
            "epoch": self.begin.epoch,
            "times": self.times,
        }


@dataclass(frozen=True, slots=True)
class Left:
    """A spool of another node in our directory, such as on a card that was moved."""

    directory: str
    node: str  # in hex, as its births name it
    bytes: int  # of its files


@dataclass(frozen=True, slots=True)
class SpoolStats:
    """What the spool tells about itself, for `status` and the watchdog. Counts are since start."""

    spool: str = ""
    epoch: int = 0
    progress: int = 0  # grows with every step
    degraded: str = ""  # why, in words; empty when all is well
    cap_bytes: int = 0
    cap_short_bytes: int = 0  # what it was told to hold more, and the disk has no room for
    used_bytes: int = 0
    held_batches: int = 0  # sealed and not yet pruned
    unconfirmed_batches: int = 0
    window_readings: int = 0  # not yet sealed
    oldest_ms: int | None = None  # age of the oldest batch held, where the epoch is this one
    readings: int = 0
    events: int = 0
    commits: int = 0
    sampled: bool = False  # samples since start are durable
    seals: int = 0
    sealed_bytes: int = 0
    sealed_bytes_per_day: int | None = None  # room that a day takes, at the rate of the last hours
    outage_days_left: float | None = None  # until the oldest readings go, at that rate
    written_bytes: int = 0  # asked of the card, journal and store
    lifetime_written_bytes: int = 0  # over the life of this spool, as far as it was noted
    evicted_readings: int = 0
    overflow_readings: int = 0
    pruned_batches: int = 0
    resent_batches: int = 0
    drains: int = 0
    quarantined: tuple[tuple[str, str, int], ...] = ()
    left: tuple[Left, ...] = ()  # neither sent nor removed
    totals: Mapping[str, int] = field(default_factory=dict)
