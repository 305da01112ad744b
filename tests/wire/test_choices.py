"""Choices of docs/wire-format.md that no vector can hold: bounds of size, rounding, writing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenode.errors import UnknownVersion, WireError
from edgenode.wire import MAX_BYTES, About, decode, encode, scaled
from edgenode.wire.limits import MAX_ITEMS
from tests.wire.vectors.raw import Raw, head, written

VALID = Path(__file__).parent / "vectors" / "valid.json"
NODE = bytes(6)


def about_of(size: int) -> bytes:
    """Return an about message of that many bytes."""
    small = len(encode(About(NODE, {"x": bytes(1 << 17)})))
    return encode(About(NODE, {"x": bytes((1 << 17) + size - small)}))


def test_a_message_of_256_kib_is_read_and_of_a_byte_more_refused() -> None:
    data = about_of(MAX_BYTES)
    assert len(data) == MAX_BYTES == 262_144
    assert isinstance(decode(data), About)
    with pytest.raises(WireError, match="at most 262144"):
        about_of(MAX_BYTES + 1)
    later = b"\xa1\x00\x02" + bytes(MAX_BYTES)
    with pytest.raises(WireError, match="at most 262144") as caught:
        decode(later)
    assert not isinstance(caught.value, UnknownVersion)


def test_a_message_has_at_most_98304_items_besides_integers() -> None:
    keys_and_values = 8

    def message(count: int, item: bytes) -> bytes:
        return written({0: 1, 1: NODE, 21: {}, 99: Raw(head(4, count) + item * count)})

    assert MAX_ITEMS == 98_304
    room = MAX_ITEMS - keys_and_values
    assert isinstance(decode(message(room, b"\xf6")), About)
    with pytest.raises(WireError, match="more than 98304 items"):
        decode(message(room + 1, b"\xf6"))
    assert isinstance(decode(message(2 * MAX_ITEMS, b"\x07")), About)


@pytest.mark.parametrize(
    ("value", "scale", "integer"),
    [
        (1.115, -2, 111),  # the float is below 1.115, and 1.115 * 100 is above 111.5
        (1.005, -2, 100),
        (0.125, -2, 12),
        (0.375, -2, 38),
        (-2.5, 0, -2),
        (25.0, 1, 2),
        (35.0, 1, 4),
    ],
)
def test_a_value_is_rounded_from_what_the_float_is_exactly(
    value: float, scale: int, integer: int
) -> None:
    assert scaled(value, scale) == integer


def test_a_birth_with_unknown_keys_is_not_written_again() -> None:
    cases = json.loads(VALID.read_text(encoding="ascii"))
    (data,) = [case["data"] for case in cases if case["name"] == "birth with more"]
    with pytest.raises(WireError, match="pass on its bytes"):
        encode(decode(bytes.fromhex(data)))
