"""Hostile inputs for the decoder: vectors bent in every way, and pure noise."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edgenode.errors import WireError
from edgenode.wire import Batch, Birth, decode, expand
from tests.support.yardstick import slowed

VECTORS = Path(__file__).parent / "vectors"


class Seed(NamedTuple):
    """A message to bend, with the birth to expand it by."""

    data: bytes
    birth: Birth | None


class Report(NamedTuple):
    """What a run met; an exception other than WireError ends it."""

    inputs: int
    read: int  # were valid all the same
    slowest_ms: float  # CPU of the thread, on an idle machine


def seeds() -> list[Seed]:
    """Return all vectors, valid and refused, that are not longer than 4 KiB."""
    found = []
    for name in ("valid", "refused"):
        for case in json.loads((VECTORS / f"{name}.json").read_text(encoding="ascii")):
            birth = decode(bytes.fromhex(case["birth"])) if case["birth"] else None
            assert birth is None or isinstance(birth, Birth)
            data = bytes.fromhex(case["data"])
            if len(data) <= 4096:
                found.append(Seed(data, birth))
    return found


def inputs(rng: random.Random, count: int) -> Iterator[Seed]:
    """Yield `count` hostile messages."""
    pool = seeds()
    for _ in range(count):
        seed = rng.choice(pool)
        data = bytearray(seed.data)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            bend(rng, data, pool)
        yield Seed(bytes(data), seed.birth)


def bend(rng: random.Random, data: bytearray, pool: list[Seed]) -> None:
    """Change one thing: a bit, a byte, a length, an order, an end."""
    at = rng.randrange(len(data) + 1)
    match rng.randrange(8):
        case 0 if data:
            data[at % len(data)] ^= 1 << rng.randrange(8)
        case 1 if data:
            data[at % len(data)] = rng.choice((0, 1, 0x1B, 0x3B, 0x5F, 0x9F, 0xBF, 0xFB, 0xFF))
        case 2:
            del data[at : at + rng.randrange(1, 9)]
        case 3:
            data[at:at] = rng.randbytes(rng.randrange(1, 9))
        case 4:
            data[at:at] = bytes([rng.choice((0x5B, 0x9B, 0xBB))]) + rng.randbytes(8)
        case 5:
            other = rng.choice(pool).data
            start = rng.randrange(len(other) + 1)
            data[at:] = other[start:]
        case 6:
            data[at:at] = data[at : at + 16] * rng.randrange(1, 40)
        case _:
            data[at : at + 8] = rng.randbytes(8)


def spent(data: bytes, birth: Birth | None) -> float:
    """Return the least CPU milliseconds of three attempts, as they would be on an idle machine."""
    best = float("inf")
    for _ in range(3):
        slower, start = slowed(), time.thread_time_ns()
        tried(data, birth)
        best = min(best, (time.thread_time_ns() - start) / 1e6 / slower)
    return best


def tried(data: bytes, birth: Birth | None) -> bool:
    """Decode and expand an input; tell whether it could be read. Only WireError is expected."""
    try:
        message = decode(data)
        if birth is not None and isinstance(message, Batch):
            expand(message, birth)
    except WireError:
        return False
    return True


def run(seed: int, count: int) -> Report:
    """Decode and expand `count` inputs; any exception but WireError escapes."""
    read, slowest, worst = 0, 0, None
    for data, birth in inputs(random.Random(seed), count):
        start = time.thread_time_ns()
        read += tried(data, birth)
        if (took := time.thread_time_ns() - start) > slowest:
            slowest, worst = took, (data, birth)
    return Report(count, read, spent(*worst) if worst else 0.0)
