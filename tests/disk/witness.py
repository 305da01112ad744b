"""What a spool holds after a power cut, against what had been promised before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from edgenode.reading import Sample
from edgenode.spool import Outbox, Spool
from edgenode.wire import Batch, decode
from tests.disk.ledger import Ledger, content
from tests.disk.workload import GROUPS, LIFE_VALUES, NODE, TOTAL, ack_for, clock_of, options

AFTER = 9  # the life that opens the spool after the cut
AFTER_SECONDS = 75  # more than a window

Identity = tuple[int, int]  # stream, seq


@dataclass(slots=True)
class Verdict:
    """One sentence for each promise that was broken; what else a test may want to count."""

    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    reused: list[str] = field(default_factory=list)
    stalled: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.twice or self.reused or self.stalled)


@dataclass(slots=True)
class Promised:
    """What the marks before a cut say."""

    covered: dict[int, int] = field(default_factory=dict)  # life -> highest value committed
    total: int = 0
    sent: dict[Identity, bytes] = field(default_factory=dict)
    acked: set[Identity] = field(default_factory=set)
    reused: list[str] = field(default_factory=list)


def promised(marks: Sequence[bytes]) -> Promised:
    """Add up the marks of a workload."""
    sum_up = Promised()
    for line in marks:
        kind, *words = line.decode().split()
        if kind == "C":
            value, sum_up.total = int(words[0]), int(words[1])
            sum_up.covered[value // LIFE_VALUES] = value
        elif kind == "S":
            who, data = (int(words[0]), int(words[1])), bytes.fromhex(words[2])
            if sum_up.sent.setdefault(who, data) != data:
                sum_up.reused.append(f"batch {who} was sent with two contents")
        elif kind == "A":
            sum_up.acked.add((int(words[0]), int(words[1])))
    return sum_up


def examine(directory: Path, marks: Sequence[bytes]) -> dict[str, list[str]]:
    """Open the spool of a crash image as a node would, let it work, and judge what comes out."""
    before = promised(marks)
    clock = clock_of(AFTER)
    spool = Spool.open(options(directory), NODE, GROUPS, clock)
    verdict = Verdict(reused=list(before.reused))
    recovered = spool.total(TOTAL)
    if before.total and (recovered is None or recovered.value < before.total):
        verdict.lost.append(f"total {recovered} though {before.total} was committed")
    spool.outbox.begin_session()
    for second in range(AFTER_SECONDS):
        clock.advance(1_000)
        spool.append(1, clock.boot_ms(), Sample((float(AFTER * LIFE_VALUES + 1 + second),)))
        spool.step()
    judge(before, drain(spool), spool.outbox, verdict)
    return {promise: broken[:3] for promise, broken in asdict(verdict).items()}


def drain(spool: Spool) -> dict[Identity, bytes]:
    """Take and ack until nothing is left, what a broker acked before the cut included."""
    held: dict[Identity, bytes] = {}
    received: dict[int, set[int]] = {}
    outbox = spool.outbox
    while batches := [*outbox.take(True, 20), *outbox.take(False, 20)]:
        for sealed in batches:
            held[sealed.stream, sealed.seq] = sealed.data
            outbox.broker_acked(sealed.stream, sealed.seq)
            received.setdefault(sealed.stream, set()).add(sealed.seq)
        outbox.city_acked(ack_for(outbox.spool, received))
    while sealed_before := outbox.oldest_unconfirmed():
        held[sealed_before.stream, sealed_before.seq] = sealed_before.data
        received.setdefault(sealed_before.stream, set()).add(sealed_before.seq)
        outbox.city_acked(ack_for(outbox.spool, received))
    return held


def judge(before: Promised, held: dict[Identity, bytes], outbox: Outbox, verdict: Verdict) -> None:
    """Compare what left before the cut with what is held after it, batch by batch."""
    where: dict[int, Identity] = {}
    safe: set[int] = set()
    ledger = Ledger()
    for who, data in held.items():
        if before.sent.get(who, data) != data:
            verdict.reused.append(f"batch {who} has other bytes after the cut")
    for who, data in (held | before.sent).items():
        batch = decode(data)
        assert isinstance(batch, Batch)
        birth = outbox.birth(batch.schema)
        if birth is None:
            verdict.lost.append(f"the birth of batch {who}")
            continue
        unpacked = content(data, birth)
        ledger.add(unpacked)
        for value in unpacked.values:
            if where.setdefault(value, who) != who:
                verdict.twice.append(f"value {value} in batches {where[value]} and {who}")
        if who in held or who in before.acked:
            safe.update(unpacked.values)
    verdict.lost += ledger.problems()
    for life, covered in before.covered.items():
        missing = set(range(life * LIFE_VALUES + 1, covered + 1)) - safe
        if missing:
            verdict.lost.append(f"{len(missing)} values from {min(missing)} of life {life}")
    if AFTER * LIFE_VALUES + 1 not in safe:
        verdict.stalled.append("nothing was sealed after the cut")
