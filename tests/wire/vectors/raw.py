"""CBOR as somebody else might write it: in any order, in any form, right or wrong."""

from __future__ import annotations

from typing import Any, NamedTuple

import cbor2


class Raw(NamedTuple):
    """Bytes that stand in a message as they are."""

    data: bytes


class Pairs(NamedTuple):
    """A map that may repeat a key or be out of order."""

    items: tuple[tuple[Any, Any], ...]


def head(major: int, n: int) -> bytes:
    """Return an initial byte and its argument in the shortest form."""
    if n < 24:
        return bytes([major << 5 | n])
    size = next(size for size in (1, 2, 4, 8) if n < 1 << 8 * size)
    return bytes([major << 5 | 23 + size.bit_length()]) + n.to_bytes(size, "big")


def written(value: Any) -> bytes:
    """Return the CBOR of `value`; maps keep their order."""
    if isinstance(value, Raw):
        return value.data
    if isinstance(value, dict):
        value = Pairs(tuple(value.items()))
    if isinstance(value, Pairs):
        pairs = [written(key) + written(item) for key, item in value.items]
        return head(5, len(pairs)) + b"".join(pairs)
    if isinstance(value, list):
        return head(4, len(value)) + b"".join(map(written, value))
    return cbor2.dumps(value, canonical=True)


def bits(*fields: str) -> bytes:
    """Return packed columns from their fields in binary, padded with ones; blanks are ignored."""
    digits = "".join(fields).replace(" ", "")
    digits += "1" * (-len(digits) % 8)
    return int(digits, 2).to_bytes(len(digits) // 8, "big")
