"""Spools for tests: groups, options with small sizes, samples, and what is in sealed batches."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from weakref import WeakSet

import pytest

from edgenode.reading import Channel, Group, Kind, Quality, Sample
from edgenode.spool import Outbox, Sealed, Spool, SpoolOptions
from edgenode.wire import Batch, Birth, Rows, decode, expand, readings_in
from tests.support.clock import FakeClock

NODE = bytes.fromhex("0011223344556677")
AIR = Group(
    1,
    (
        Channel("air/temperature", "Cel", -2, period_ms=1000),
        Channel("air/humidity", "%RH", -1, period_ms=1000),
    ),
)
METER = Group(
    2, (Channel("meter/energy", "kWh", 0, Kind.COUNTER, period_ms=1000, modulus=1_000_000),)
)
GROUPS = {1: AIR, 2: METER}


def small(directory: Path, **changes: Any) -> SpoolOptions:
    """Return options for a spool of 1 MiB that is not grown in advance."""
    return SpoolOptions(directory, **{"cap_bytes": 1 << 20, "pregrow": False, **changes})


def opened(
    directory: Path, clock: FakeClock, board: str = "board-1", groups: Any = GROUPS, **changes: Any
) -> Spool:
    return Spool.open(small(directory, **changes), NODE, groups, clock, board)


def air(n: int, *quality: Quality) -> Sample:
    return Sample((n / 100, n % 100), quality)


def feed(spool: Spool, clock: FakeClock, seconds: int, *, step: bool = True) -> None:
    """Sample once a second, stepping the spool as its thread would."""
    for _ in range(seconds):
        spool.append(1, clock.boot_ms(), air(clock.boot_ms() // 1000))
        clock.advance(1000)
        if step:
            spool.step()


def sealed_minutes(spool: Spool, clock: FakeClock, minutes: int) -> None:
    """One batch of telemetry a minute."""
    for _ in range(minutes):
        feed(spool, clock, 1)
        clock.advance(5_000)
        spool.step()
        clock.advance(60_000)
        spool.step()


def drained(outbox: Outbox, *, live: bool = False) -> list[Sealed]:
    """Take all that a lane has."""
    taken: list[Sealed] = []
    while more := outbox.take(live, 64):
        taken += more
    return taken


def unpacked(outbox: Outbox, sealed: Iterable[Sealed]) -> list[Batch]:
    """Decode batches by the births of their spool."""
    batches = []
    for one in sealed:
        batch = decode(one.data)
        assert isinstance(batch, Batch)
        birth = decode(outbox.birth(one.schema) or b"")
        assert isinstance(birth, Birth)
        batches.append(expand(batch, birth))
    return batches


_LET_GO: WeakSet[Spool] = WeakSet()  # whose process has ended


@contextmanager
def let_go_in_the_end() -> Iterator[None]:
    """Let go of every spool that was opened meanwhile and is open still.

    All tests share one process, and select() ends at descriptor 1,023.
    """
    begun: list[Spool] = []
    begin = Spool._begin

    def noted(spool: Spool, opened: Any) -> None:
        begin(spool, opened)
        begun.append(spool)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Spool, "_begin", noted)
        yield
    for spool in begun:
        if not spool._closed and spool not in _LET_GO:
            kill(spool)


def kill(spool: Spool) -> None:
    """Let go of a spool's files as the end of its process would, committing nothing."""
    _LET_GO.add(spool)
    for keeper in spool._keepers:
        keeper.core.journal.close()
        keeper.core.store.database.abandon()
        keeper.core.outbox.close()
    if spool._lock_fd is not None:
        os.close(spool._lock_fd)


def spool_path(spool: Spool) -> Path:
    """Return where the files of the current spool id are."""
    return spool.options.directory / spool.id.hex()


@dataclass
class Account:
    """What a spool would tell the City OS: samples, how often each, and what it says is gone."""

    samples: Counter[tuple[int, int, tuple[Any, ...]]] = field(default_factory=Counter)
    batches: list[Batch] = field(default_factory=list)
    lost: set[tuple[int, int]] = field(default_factory=set)  # (stream, ordinal)

    def unaccounted(self, stream: int = 0) -> list[int]:
        """Ordinals below the last one told that are neither in a batch nor lost."""
        told = {o for s, o in self.lost if s == stream}
        for batch in self.batches:
            if batch.stream == stream:
                told |= set(range(batch.r0, batch.r0 + readings_in(batch)))
        return sorted(set(range(max(told, default=0))) - told)


def account(spool: Spool) -> Account:
    """Seal everything and take it all, of this spool id and of those that drain."""
    result = Account()
    for _ in range(3):
        spool.clock.advance(spool.options.commit_interval_ms)  # type: ignore[attr-defined]
        spool.step()
    for keeper in spool._keepers:
        keeper.finish(spool.clock.boot_ms())
        keeper.core.outbox.begin_session()
        batches = unpacked(keeper.core.outbox, drained(keeper.core.outbox))
        result.batches += batches
        for batch in batches:
            for group in batch.groups:
                assert isinstance(group, Rows)
                for i, t in enumerate(group.times):
                    values = tuple(column[i] for column in group.columns if column is not None)
                    result.samples[group.gid, t, values] += 1
        losses = [entry.loss for entry in keeper.core.ledger]
        losses += [loss for batch in batches for loss in batch.losses]
        result.lost |= {(x.stream, o) for x in losses for o in range(x.r0, x.r0 + x.n)}
    return result
