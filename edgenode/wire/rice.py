"""Rice codes with an escape, as text of the digits 0 and 1: what the packed columns are made of.

Rice(u, k): the quotient u >> k as that many ones and a zero, then the k low bits. A quotient of 16
or more is escaped: sixteen ones, bitlength(u) - 1 in 7 bits, u itself. Text, because Python joins
and slices it faster than it shifts integers.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from edgenode.errors import WireError

ESCAPE = 16  # the quotient from which on a code is escaped
ESCAPE_BITS = ESCAPE + 7  # in front of u itself
MAX_LENGTH = 53  # bits of u
MAX_K = 31
_TABLE_K = 6  # up to here all codes that are not escapes are kept: at most 1,024 short texts a k
_UNARY = tuple("1" * q + "0" for q in range(ESCAPE))


@lru_cache(maxsize=_TABLE_K + 1)
def _table(k: int) -> tuple[str, ...]:
    return tuple(_regular(u, k) for u in range(ESCAPE << k))


def _regular(u: int, k: int) -> str:
    return _UNARY[u >> k] + (f"{u & (1 << k) - 1:0{k}b}" if k else "")


def _code(u: int, k: int) -> str:
    if u >> k < ESCAPE:
        return _regular(u, k)
    return "1" * ESCAPE + f"{u.bit_length() - 1:07b}{u:b}"


def codes(values: Sequence[int], k: int) -> list[str]:
    """Return the code of each value."""
    if k > _TABLE_K:
        return [_code(u, k) for u in values]
    table, limit = _table(k), ESCAPE << k
    return [table[u] if u < limit else _code(u, k) for u in values]


def cost(values: Sequence[int], k: int, top: int) -> int:
    """Return the bits that `codes(values, k)` would take; `top` is the largest value."""
    if top >> k < ESCAPE:
        return sum([u >> k for u in values]) + len(values) * (k + 1)
    limit = ESCAPE << k
    return sum([(u >> k) + k + 1 if u < limit else ESCAPE_BITS + u.bit_length() for u in values])


def best(values: Sequence[int]) -> tuple[int, int]:
    """Return (least cost in bits, its k).

    Without escapes the cost falls towards one k near the mean length and rises behind it, so a
    walk downhill finds it. Escapes can make several such valleys: then every k is tried.
    """
    if not values:
        return 0, 0
    top = max(values)
    start = min(max(sum(map(int.bit_length, values)) // len(values) - 1, 0), MAX_K)
    if top >> start >= ESCAPE:
        ks = range(min(top.bit_length(), MAX_K) + 1)
        return min((cost(values, k, top), k) for k in ks)
    least, best_k = cost(values, start, top), start
    for step in (1, -1):
        k = start + step
        while 0 <= k <= MAX_K and (bits := cost(values, k, top)) < least:
            least, best_k = bits, k
            k += step
        if best_k != start:
            break
    return least, best_k


class Bits:
    """The digits of a byte string and how far they were read.

    A run of zeros behind the end lets every code be read without looking for the end first;
    `spent` tells afterwards whether that was too far.
    """

    def __init__(self, data: bytes) -> None:
        blocks = [data[at : at + 1024] for at in range(0, len(data), 1024)]
        digits = [f"{int.from_bytes(block, 'big'):0{8 * len(block)}b}" for block in blocks]
        self.text = "".join([*digits, "0" * 64])
        self.end = 8 * len(data)
        self.pos = 0

    def fault(self, what: str) -> WireError:
        """Return the error that says what is wrong in front of the next bit."""
        return WireError(f"packed columns, bit {self.pos}: {what}")

    def take(self, size: int) -> int:
        """Read `size` bits as a number."""
        end = self.pos + size
        if end > self.end:
            raise _exhausted()
        number = int(self.text[self.pos : end], 2) if size else 0
        self.pos = end
        return number

    def number(self, length: int) -> int:
        """Read a number of that many bits, of which the top one is 1 (0 has no bits at all)."""
        if length > MAX_LENGTH:
            raise self.fault(f"a number of {length} bits, where {MAX_LENGTH} are the most")
        number = self.take(length)
        if length and not number >> length - 1:
            raise self.fault(f"the top bit of a number of {length} bits is 0")
        return number

    def escaped(self, k: int) -> int:
        """Read what follows the sixteen ones of an escape."""
        u = self.number(self.take(7) + 1)
        if u >> k < ESCAPE:
            raise self.fault(f"an escape where {u} needs none")
        return u

    def rice(self, k: int) -> int:
        """Read one code."""
        return self.rices(1, k)[0]

    def rices(self, count: int, k: int) -> list[int]:
        """Read `count` codes; raises WireError where the digits end before."""
        text, pos, end = self.text, self.pos, self.end
        values: list[int] = []
        for _ in range(count):
            zero = text.find("0", pos, pos + ESCAPE)
            if zero < 0:
                self.pos = pos + ESCAPE
                values.append(self.escaped(k))
                pos = self.pos
                continue
            after = zero + 1 + k
            if after > end:
                raise _exhausted()
            u = zero - pos
            values.append(u << k | int(text[zero + 1 : after], 2) if k else u)
            pos = after
        self.pos = pos
        return values


def _exhausted() -> WireError:
    return WireError("packed columns: the byte string ends in the middle of a column")
