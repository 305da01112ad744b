"""A simple model of the whole spool: what goes in comes out once, or is accounted for."""

from __future__ import annotations

import shutil
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from edgenode.reading import BY_VALUE, ENDS, Event, EventCode, Sample
from edgenode.spool import Sealed, window
from edgenode.spool.database import Database
from edgenode.spool.journal import Journal
from edgenode.wire import Ack, Batch, Rows, readings_in
from tests.support.clock import FakeClock
from tests.support.spools import AIR, NODE, drained, kill, opened, spool_path, unpacked

CODES = (
    EventCode.STATE_CHANGED,
    EventCode.LIMIT_EXCEEDED,
    EventCode.SENSOR_LOST,
    EventCode.SENSOR_FOUND,
)
Entry = tuple[int, Any]  # (stream, what)


def entries(batch: Batch) -> Counter[Entry]:
    """What a batch tells: samples by (gid, t, values), events by (t, code, value)."""
    told: Counter[Entry] = Counter()
    for group in batch.groups:
        assert isinstance(group, Rows)
        for i, t in enumerate(group.times):
            values = tuple(column[i] for column in group.columns if column is not None)
            told[batch.stream, (group.gid, t, values)] += 1
    for event in batch.events:
        told[batch.stream, (event.t, event.code, event.value)] += 1
    return told


def _refused(*_: object) -> None:
    raise OSError(5, "the card does not answer")


class SpoolMachine(RuleBasedStateMachine):
    """Samples are numbered, so that each is told from all others."""

    def __init__(self) -> None:
        super().__init__()
        self.room = Path(tempfile.mkdtemp(prefix="spool-machine-"))
        self.clock = FakeClock()
        self.number = 0
        self.crashes = 0
        self.committed: Counter[Entry] = Counter()
        self.waiting: list[Entry] = []
        self.uncertain: set[Entry] = set()
        self.city: dict[tuple[bytes, int, int], tuple[Sealed, Batch]] = {}
        self.sent: dict[tuple[bytes, int, int], bytes] = {}
        self.board = 0
        self.total = 0
        self.committed_total = self.sealed_total = 0
        self.faults = 0
        self.spools: list[bytes] = []
        self.open()

    def open(self) -> None:
        self.spool = opened(self.room / str(self.crashes), self.clock, f"board-{self.board}")
        if self.spool.id not in self.spools:
            assert len(self.spools) == self.board
            self.spools.append(self.spool.id)
            self.total = self.committed_total = self.sealed_total = 0
        total = self.spool.total("meter/energy")
        assert (total.value if total else 0) >= self.committed_total
        self.total = total.value if total else 0

    def settle(self) -> None:  # with nothing waiting, everything appended is committed
        if not any(lane.rows for lane in self.spool._window._lanes):
            self.committed.update(self.waiting)
            self.waiting.clear()
        version = self.spool._core.totals.version
        if self.spool._keepers[0]._totals == version:
            self.committed_total = self.total
        if self.spool._core._totals == version:
            self.sealed_total = self.total

    def step(self) -> None:
        self.spool.step()
        self.settle()

    @initialize()
    def first(self) -> None:
        self.step()

    @rule(seconds=st.integers(1, 40), stepping=st.booleans())
    def sample(self, seconds: int, stepping: bool) -> None:  # noqa: FBT001 - drawn
        for _ in range(seconds):
            self.number += 1
            t = self.clock.boot_ms()
            self.spool.append(1, t, Sample((self.number / 100, 0.1)))
            self.waiting.append((0, (AIR.gid, t, (self.number, 1))))
            self.clock.advance(1000)
            if stepping:
                self.step()

    @rule(code=st.sampled_from(CODES), count=st.integers(1, 5))
    def event(self, code: EventCode, count: int) -> None:
        for _ in range(count):
            self.number += 1
            t = self.clock.boot_ms()
            self.spool.event(t, 1, Event(code, value=self.number))
            self.waiting.append((1, (t, int(code), self.number)))
            self.clock.advance(1)  # of one ms the order is free
        self.step()

    @rule(ms=st.sampled_from((1000, 5000, 61_000)))
    def wait(self, ms: int) -> None:
        self.clock.advance(ms)
        self.step()

    @rule(by=st.integers(1, 9))
    def count(self, by: int) -> None:
        self.total += by
        self.spool.set_total("meter/energy", self.total, self.clock.boot_ms())

    @rule(online=st.booleans())
    def connect(self, online: bool) -> None:  # noqa: FBT001 - drawn
        for outbox in (self.spool.outbox, *self.spool.drains):
            if online:
                outbox.begin_session()
            else:
                outbox.end_session()

    @rule(
        live=st.booleans(),
        limit=st.integers(1, 10),
        fate=st.sampled_from(("arrives", "acked", "lost", "released")),
    )
    def send(self, live: bool, limit: int, fate: str) -> None:  # noqa: FBT001 - drawn
        for outbox in (self.spool.outbox, *self.spool.drains):
            taken = outbox.take(live, limit)
            for sealed, batch in zip(taken, unpacked(outbox, taken), strict=True):
                key = (outbox.spool, sealed.stream, sealed.seq)
                assert self.sent.setdefault(key, sealed.data) == sealed.data
                assert sealed.readings == readings_in(batch)
                assert (batch.spool, batch.stream, batch.seq) == key
                if fate == "released":
                    outbox.release(sealed.stream, sealed.seq)
                elif fate != "lost":
                    self.city[key] = sealed, batch
                    if fate == "acked":
                        outbox.broker_acked(sealed.stream, sealed.seq)

    @rule(seconds=st.integers(5, 40), where=st.sampled_from(("journal", "store")))
    def refuse(self, seconds: int, where: str) -> None:
        """The disk refuses for a while; nothing that was taken in is lost by that."""
        patch = pytest.MonkeyPatch()
        if where == "journal":
            patch.setattr(Journal, "commit", _refused)
        else:
            patch.setattr(Database, "transaction", _refused)
        with patch.context():
            self.sample(seconds, stepping=True)
        patch.undo()
        self.clock.advance(60_000)
        self.step()

    @rule(seconds=st.integers(20, 60))
    def overflow(self, seconds: int) -> None:
        """Memory is too small for a while: what is dropped is in the ledger."""
        patch = pytest.MonkeyPatch()
        patch.setattr(window, "MAX_COST", 3_000)
        before = self.spool.stats().overflow_readings
        self.uncertain.update(self.waiting)
        self.waiting.clear()
        self.sample(seconds, stepping=False)
        self.uncertain.update(self.waiting)
        self.waiting.clear()
        patch.undo()
        assert self.spool.stats().overflow_readings >= before

    @rule(low=st.integers(1, 5), count=st.integers(1, 5))
    def city_asks(self, low: int, count: int) -> None:
        outbox = self.spool.outbox
        outbox.city_acked(Ack(NODE, outbox.spool, {}, ((0, low, low + count),)))
        self.step()

    @rule()
    def city_acks(self) -> None:
        for outbox in (self.spool.outbox, *self.spool.drains):
            outbox.city_acked(self.ack(outbox.spool))
        self.step()

    def ack(self, spool: bytes) -> Ack:
        held: dict[int, list[tuple[int, int]]] = {}
        for of, stream, seq in sorted(self.city):
            if of == spool:
                held.setdefault(stream, []).append((seq, seq))
        return Ack(NODE, spool, {stream: tuple(spans) for stream, spans in held.items()})

    @rule(reboot=st.booleans())
    def crash(self, reboot: bool) -> None:  # noqa: FBT001 - drawn
        self.crash_with("", reboot=reboot)

    @precondition(lambda self: self.board < 3)
    @rule()
    def exchange_board(self) -> None:
        self.board += 1
        self.crash_with("", reboot=True)
        self.step()  # an id that nothing was committed under may be forgotten

    @precondition(lambda self: self.faults < 2)
    @rule(what=st.sampled_from(("store", "journal")))
    def lose_half(self, what: str) -> None:
        self.faults += 1
        self.crash_with(what, reboot=True)
        self.step()  # each half now tells the other's part again

    def crash_with(self, fault: str, *, reboot: bool) -> None:
        before = self.room / str(self.crashes)
        self.crashes += 1
        shutil.copytree(before, self.room / str(self.crashes))
        path = self.room / str(self.crashes) / spool_path(self.spool).name
        kill(self.spool)
        shutil.rmtree(before)
        for file in path.glob(f"{fault}*" if fault else "nothing"):
            file.unlink()
        self.uncertain.update(self.waiting)  # a flush may have been under way
        self.waiting.clear()
        if fault == "journal":
            self.committed_total = self.sealed_total  # what the last seal told
        if reboot:
            self.clock.reboot()
        self.open()

    @rule()
    def restart(self) -> None:
        self.spool.close()
        self.settle()
        self.open()

    def teardown(self) -> None:
        self.clock.advance(5000)
        self.step()
        self.spool.close()
        self.settle()
        assert not self.waiting
        self.open()
        owed = {(one.code, one.value) for one in self.spool.unended.standing()}
        self.step()
        for outbox in (self.spool.outbox, *self.spool.drains):
            outbox.begin_session()
            taken = drained(outbox) + drained(outbox, live=True)
            for sealed, batch in zip(taken, unpacked(outbox, taken), strict=True):
                key = (outbox.spool, sealed.stream, sealed.seq)
                assert self.sent.setdefault(key, sealed.data) == sealed.data
                self.city[key] = sealed, batch
        self.audit()
        assert self.faults or owed == self.begun_at_the_city(self.spool.id)
        kill(self.spool)
        shutil.rmtree(self.room)

    def begun_at_the_city(self, spool: bytes) -> set[tuple[int, Any]]:
        """What events have told the City OS the beginning of, and not the end, by their times."""
        told = [
            (batch.epoch, event.t, event)
            for (of, stream, _), (_, batch) in self.city.items()
            if (of, stream) == (spool, 1)
            for event in batch.events
        ]
        begun: set[tuple[int, Any]] = set()
        for *_, event in sorted(told, key=lambda one: one[:2]):
            for begin, end in ENDS.items():
                which = (begin, event.value if event.ch is None and begin in BY_VALUE else None)
                if event.code == begin:
                    begun.add(which)
                elif event.code == end:
                    begun.discard(which)
        return begun

    def audit(self) -> None:
        told: Counter[Entry] = Counter()
        for _, batch in self.city.values():
            told += entries(batch)
        own = {EventCode.SPOOL_DEGRADED, EventCode.SPOOL_RECOVERED, EventCode.CLOCK_STEPPED}
        for entry in [e for e in told if e[0] == 1 and e[1][1] in own]:
            del told[entry]  # what the spool says of itself
        assert max(told.values(), default=1) == 1
        got, wanted = set(told), set(self.committed)
        assert got <= wanted | self.uncertain
        assert self.faults or wanted <= got
        for spool in self.spools:
            for stream in (0, 1):
                self.audit_ordinals(spool, stream)

    def audit_ordinals(self, spool: bytes, stream: int) -> None:
        """Every ordinal is in a batch, and in one only, or a loss says that it is gone."""
        batches = sorted(
            (batch.r0, readings_in(batch), seq)
            for (of, s, seq), (_, batch) in self.city.items()
            if (of, s) == (spool, stream)
        )
        losses = {
            loss
            for (of, s, _), (_, batch) in self.city.items()
            if (of, s) == (spool, stream)
            for loss in batch.losses
        }
        lost = {o for loss in losses for o in range(loss.r0, loss.r0 + loss.n)}
        lost |= {
            o
            for keeper in self.spool._keepers
            for entry in keeper.core.ledger
            if keeper.core.identity.spool == spool and entry.loss.stream == stream
            for o in range(entry.loss.r0, entry.loss.r0 + entry.loss.n)
        }
        at = 0
        for r0, count, _ in batches:
            assert r0 >= at
            assert all(o in lost for o in range(at, r0))
            at = r0 + count
        assert self.faults or [seq for *_, seq in batches] == list(range(1, len(batches) + 1))
