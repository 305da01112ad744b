"""The messages of edge-batch v1 as frozen values. Key numbers and rules: docs/wire-format.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Final, NamedTuple

from edgenode.reading import Anchor, Channel

NO_SPOOL: Final = bytes(8)  # of a state that only tries rights, and tells nothing


class LossReason(IntEnum):
    """Why readings will never arrive."""

    DISK_FULL = 0
    TTL = 1
    CORRUPT = 2
    PRIVACY = 3
    MANUAL = 4
    THINNED = 5
    RING_OVERFLOW = 6


class Flag(NamedTuple):
    """Quality other than ok: `length` rows from `start` of column `col` (255 = every present)."""

    col: int
    start: int
    length: int
    quality: int


class Loss(NamedTuple):
    """`n` ordinals from `r0` are gone; `nseq` whole batches from `seq` (key 12)."""

    stream: int
    r0: int
    n: int
    reason: int
    seq: int
    nseq: int


class Previous(NamedTuple):
    """Best known time near the end of the previous epoch (key 15)."""

    epoch: int
    mono: int
    utc: int
    err: int


class WireEvent(NamedTuple):
    """An event in a batch: `t` boot-time ms, `ch` = gid * 256 + index, None for the node."""

    t: int
    ch: int | None
    code: int
    value: bool | float | tuple[int, ...] | None = None
    quality: int = 0


Column = Sequence[int] | Sequence[float] | None  # None: not sampled in the whole group


@dataclass(frozen=True, slots=True)
class Rows:
    """One group of a batch, unpacked: n rows of the channels of `gid`.

    `times` are boot-time ms, non-decreasing; `columns` has one element per channel of the gid
    in the birth, each None or n scaled integers (floats for kind 4).
    """

    gid: int
    period: int  # nominal ms; 0 = irregular
    times: Sequence[int]
    columns: tuple[Column, ...]
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class RawGroup:
    """One group as it travels: what can be read without the birth, the columns still packed."""

    gid: int
    t0: int
    period: int
    n: int
    cols: Any  # bytes (packed) or a tuple of None / tuple of int or float (plain, deltas undone)
    tres: Any  # None, bytes, or a tuple of int
    flags: tuple[Flag, ...] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch. Decoded without a birth it holds RawGroup; `expand` turns them into Rows."""

    node: bytes
    epoch: int
    seq: int
    r0: int
    schema: bytes
    tb: int
    spool: bytes
    anchors: tuple[Anchor, ...] = ()
    groups: tuple[Rows | RawGroup, ...] = ()
    events: tuple[WireEvent, ...] = ()
    stream: int = 0
    privacy: int = 0
    losses: tuple[Loss, ...] = ()
    held: int | None = None  # key 13: lowest seq of this stream that the node still holds
    previous: Previous | None = None


@dataclass(frozen=True, slots=True)
class Birth:
    """The dictionary of a schema: gid to channels, in the order of the columns.

    `schema` is key 5 as received, over keys this build may not know; empty: follows from `groups`.
    """

    node: bytes
    groups: Mapping[int, tuple[Channel, ...]]
    schema: bytes = field(default=b"", compare=False)


@dataclass(frozen=True, slots=True)
class About:
    """Where the node is, what it senses and why, in plain words (retained)."""

    node: bytes
    site: Mapping[str, Any]
    transparency: Mapping[str, str] = field(default_factory=dict)
    firmware: str = ""
    hardware: str = ""
    commission: str = ""  # the record of the last commissioning: JSON, RFC 8785


@dataclass(frozen=True, slots=True)
class State:
    """Whether the node is connected; offline is also its Last Will."""

    node: bytes
    spool: bytes
    online: bool
    epoch: int
    connect_ms: int


@dataclass(frozen=True, slots=True)
class Ack:
    """What the City OS holds of one spool, and what it asks for."""

    node: bytes
    spool: bytes
    ranges: Mapping[int, tuple[tuple[int, int], ...]]  # stream -> inclusive, ascending, disjoint
    resend: tuple[tuple[int, int, int], ...] = ()  # stream, from, to
    utc_ms: int | None = None
    births: tuple[bytes, ...] = ()  # schemas wanted


Message = Batch | Birth | About | State | Ack
