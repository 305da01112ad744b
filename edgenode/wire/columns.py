"""Packed columns: integers of one channel after another as bits, each in the mode that is shortest.

Modes: 0 constant, 1 to 3 Rice residuals of order 0 to 2, 4 to 6 runs of zero residuals and Rice
codes of the others, order 0 to 2, 7 absent. docs/wire-format.md, "Columns", has the layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import accumulate
from operator import itemgetter, sub
from typing import NamedTuple

from edgenode.errors import WireError
from edgenode.wire.limits import MAX_VALUE
from edgenode.wire.rice import Bits, best, codes

CONSTANT, RESIDUALS, ZERO_RUNS, ABSENT = 0, 1, 4, 7
ORDERS = 3
_ABSENT_BITS = f"{ABSENT:03b}"


def pack(columns: Sequence[Sequence[int] | None]) -> bytes:
    """Return the columns as bits, most significant first, the last byte filled up with ones.

    Every column is None (absent) or as long as the others. Raises WireError for a value beyond
    2^50.
    """
    packed: list[bytes] = []
    pending = ""
    for values in columns:  # column by column, so that no single call holds the interpreter long
        pending += _ABSENT_BITS if values is None else _column(values)
        whole = len(pending) >> 3
        packed.append(int(pending[: 8 * whole] or "0", 2).to_bytes(whole, "big"))
        pending = pending[8 * whole :]
    if pending:
        packed.append(bytes([int(pending.ljust(8, "1"), 2)]))
    return b"".join(packed)


def unpack(data: bytes, n: int, count: int) -> tuple[list[int] | None, ...]:
    """Return `count` columns of `n` integers each (None: absent); the reverse of `pack`.

    Raises WireError for anything that `pack` with another choice of modes could not have written.
    The caller has checked n and count against the work limit.
    """
    bits = Bits(data)
    columns = tuple(_read_column(bits, n) for _ in range(count))
    left = bits.end - bits.pos
    if left > 7 or bits.take(left) != (1 << left) - 1:
        raise WireError(f"packed columns: {left} bits are left over that are not padding")
    return columns


class _Plan(NamedTuple):
    """One way to write the residuals: its length in bits, its mode, and the codes with their k.

    Residuals are one list of codes; zero-runs are two, written in turn: runs, then what ends them.
    """

    bits: int
    mode: int
    parts: tuple[tuple[list[int], int], ...]


def _column(values: Sequence[int]) -> str:
    if max(values) > MAX_VALUE or min(values) < -MAX_VALUE:
        raise WireError("a value beyond 2^50 cannot travel; choose a coarser scale")
    first = _zigzag(values[:1])[0]
    head = f"{first.bit_length():06b}" + (f"{first:b}" if first else "")
    if values.count(values[0]) == len(values):
        return f"{CONSTANT:03b}{head}"
    plan = _shortest(values)
    written = [codes(part, k) for part, k in plan.parts]
    body = [""] * sum(map(len, written))
    for at, texts in enumerate(written):
        body[at :: len(written)] = texts
    ks = [f"{k:05b}" for _, k in plan.parts]
    return "".join([f"{plan.mode:03b}", head, *ks, *body])


def _shortest(values: Sequence[int]) -> _Plan:
    """Return the shortest plan; of equals the lowest mode. The values are not all the same."""
    steps = list(map(sub, values[1:], values))
    curves = [steps[0], *map(sub, steps[1:], steps)]
    orders = [x - values[0] for x in values[1:]], steps, curves
    plans = [
        plan for order, residuals in enumerate(orders) for plan in _plans(order, _zigzag(residuals))
    ]
    return min(plans, key=itemgetter(0))


def _plans(order: int, zigzags: list[int]) -> Iterator[_Plan]:
    bits, k = best(zigzags)
    yield _Plan(5 + bits, RESIDUALS + order, ((zigzags, k),))
    zeros = zigzags.count(0)
    # Zero-runs save k bits a zero or more and cost about one for every other residual.
    if zeros * (k + 2) > len(zigzags) - zeros:
        ends = [at for at, u in enumerate(zigzags) if u]
        runs = [end - start - 1 for start, end in zip([-1, *ends], ends, strict=False)]
        if ends[-1] != len(zigzags) - 1:
            runs.append(len(zigzags) - 1 - ends[-1])
        others = [u - 1 for u in zigzags if u]
        run_bits, kr = best(runs)
        other_bits, kv = best(others)
        yield _Plan(10 + run_bits + other_bits, ZERO_RUNS + order, ((runs, kr), (others, kv)))


def _zigzag(values: Sequence[int]) -> list[int]:
    return [x << 1 if x >= 0 else ~(x << 1) for x in values]


def _unzigzag(u: int) -> int:
    return u >> 1 ^ -(u & 1)


def _read_column(bits: Bits, n: int) -> list[int] | None:
    mode = bits.take(3)
    if mode == ABSENT:
        return None
    first = _unzigzag(bits.number(bits.take(6)))
    if mode == CONSTANT:
        values = [first] * n
    else:
        order, runs = (mode - RESIDUALS) % ORDERS, mode >= ZERO_RUNS
        zigzags = _read_runs(bits, n - 1) if runs else bits.rices(n - 1, bits.take(5))
        values = _integrate(first, order, [u >> 1 ^ -(u & 1) for u in zigzags])
    if max(values) > MAX_VALUE or min(values) < -MAX_VALUE:
        raise WireError("packed columns: a value beyond 2^50")
    return values


def _read_runs(bits: Bits, count: int) -> list[int]:
    kr, kv = bits.take(5), bits.take(5)
    zigzags: list[int] = []
    while len(zigzags) < count:
        run = bits.rice(kr)
        if run > count - len(zigzags):
            raise bits.fault("a run of zeros beyond the last row")
        zigzags += [0] * run
        if len(zigzags) < count:
            zigzags.append(bits.rice(kv) + 1)
    return zigzags


def _integrate(first: int, order: int, residuals: list[int]) -> list[int]:
    if order == 0:
        return [first, *[first + x for x in residuals]]
    steps = residuals if order == 1 else accumulate(residuals)
    return list(accumulate(steps, initial=first))
