"""The CBOR of edge-batch v1 (RFC 8949, core deterministic encoding), nothing else let through.

Reading is done here and not by cbor2: duplicate keys, lengths that are not the shortest, trailing
bytes and depth have to be refused byte by byte on every version of it, and whoever has looked at
each byte already has the value.
"""

from __future__ import annotations

import math
import struct
from typing import Any, Final

import cbor2

from edgenode.errors import WireError
from edgenode.wire.limits import MAX_BYTES, MAX_DEPTH, MAX_ITEMS

UINT, NEGATIVE, BYTES, TEXT, ARRAY, MAP, TAG = range(7)  # major types
_SHORTEST: Final = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}  # by argument, RFC 8949 §3
_SIMPLE: Final = {0xF4: False, 0xF5: True, 0xF6: None}
_FLOATS: Final = {0xF9: struct.Struct(">e"), 0xFA: struct.Struct(">f"), 0xFB: struct.Struct(">d")}
_SHORTER: Final = {0xFA: _FLOATS[0xF9], 0xFB: _FLOATS[0xFA]}


def dumps(value: Any) -> bytes:
    """Return the deterministic encoding: shortest integers and floats, keys ascending.

    cbor2 sorts keys by length first; for maps whose keys are all unsigned integers or all text,
    and this format writes no others, that is the bytewise order.
    """
    try:
        return cbor2.dumps(value, canonical=True)
    except UnicodeEncodeError as error:
        raise WireError(f"text with half a character cannot travel: {error.object!r}") from None


def loads(data: bytes) -> tuple[dict[Any, Any], dict[Any, bytes]]:
    """Return the map that `data` is, and the encoded value under each of its keys.

    Raises WireError for anything but one map in deterministic encoding within the limits.
    """
    if len(data) > MAX_BYTES:
        raise WireError(f"message of {len(data)} bytes: at most {MAX_BYTES} are allowed")
    if not data or data[0] >> 5 != MAP:
        raise WireError("a message is a CBOR map; this is something else")
    reader = _Reader(bytes(data))
    raw: dict[Any, bytes] = {}
    try:
        message = reader.map(1, raw)
    except IndexError:
        raise WireError(f"the message ends in the middle of an item, at byte {len(data)}") from None
    if reader.pos != len(data):
        raise WireError(f"{len(data) - reader.pos} trailing bytes after the message")
    return message, raw


def first_of(data: bytes) -> int:
    """Return how many bytes of `data` are its first map; raises IndexError where it ends first.

    WireError for anything that could not begin a message.
    """
    if data[0] >> 5 != MAP:
        raise WireError("a message is a CBOR map; this is something else")
    reader = _Reader(data)
    reader.map(1)
    return reader.pos


class _Reader:
    """One pass over the bytes; `pos` is the next byte. IndexError: the bytes ended too early."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.pos = 0
        self.items = 0

    def item(self, depth: int) -> Any:
        """Read one item that lies inside `depth` arrays and maps."""
        initial = self.data[self.pos]
        self.items += 1
        if self.items > MAX_ITEMS:
            raise WireError(f"more than {MAX_ITEMS} items besides integers, at byte {self.pos}")
        major = initial >> 5
        if major == ARRAY:
            return self.array(depth + 1)
        if major == MAP:
            return self.map(depth + 1)
        if major <= NEGATIVE:
            number = self.head()
            return number if major == UINT else -1 - number
        if major <= TEXT:
            return self.string(major)
        if major == TAG:
            raise WireError(f"a tag at byte {self.pos}; tags are not allowed")
        return self.simple(initial)

    def head(self) -> int:
        """Read an initial byte and its argument, which must be in the shortest form."""
        start = self.pos
        argument = self.data[start] & 31
        self.pos = start + 1
        if argument < 24:
            return argument
        if argument > 27:
            raise WireError(f"an indefinite or reserved length at byte {start}")
        number = int.from_bytes(self.take(1 << argument - 24), "big")
        if number < _SHORTEST[argument]:
            raise WireError(f"a number or length at byte {start} is not in its shortest form")
        return number

    def take(self, size: int) -> bytes:
        """Read `size` bytes as they are."""
        end = self.pos + size
        if end > len(self.data):
            raise IndexError
        taken = self.data[self.pos : end]
        self.pos = end
        return taken

    def string(self, major: int) -> bytes | str:
        """Read a byte or text string."""
        start = self.pos
        taken = self.take(self.head())
        if major == BYTES:
            return taken
        try:
            return taken.decode()
        except UnicodeDecodeError:
            raise WireError(f"text at byte {start} is not UTF-8") from None

    def simple(self, initial: int) -> bool | float | None:
        """Read false, true, null or a finite float in its shortest form."""
        start = self.pos
        self.pos += 1
        if initial in _SIMPLE:
            return _SIMPLE[initial]
        form = _FLOATS.get(initial)
        if form is None:
            raise WireError(f"simple value at byte {start}: only false, true and null are allowed")
        number: float = form.unpack(self.take(form.size))[0]
        if not math.isfinite(number):
            raise WireError(f"NaN or infinity at byte {start} is never sent")
        if initial in _SHORTER and _fits(number, _SHORTER[initial]):
            raise WireError(f"a float at byte {start} is not in its shortest form")
        return number

    def enter(self, depth: int, width: int) -> int:
        """Read the head of an array (width 1) or map (2); refuse before anything is made of it."""
        start = self.pos
        if depth > MAX_DEPTH:
            raise WireError(f"nesting deeper than {MAX_DEPTH} at byte {start}")
        count = self.head()
        if count * width > len(self.data) - self.pos:
            raise WireError(f"an array or map at byte {start} claims more items than bytes follow")
        return count

    def array(self, depth: int) -> list[Any]:
        """Read an array; small integers, most of all items, are read in place."""
        count = self.enter(depth, 1)
        items: list[Any] = []
        data = self.data
        for _ in range(count):
            initial = data[self.pos]
            if initial < 0x18:
                self.pos += 1
                items.append(initial)
            elif 0x20 <= initial < 0x38:
                self.pos += 1
                items.append(0x1F - initial)
            elif initial < 0x40:
                number = self.head()
                items.append(number if initial < 0x20 else -1 - number)
            else:
                items.append(self.item(depth))
        return items

    def map(self, depth: int, raw: dict[Any, bytes] | None = None) -> dict[Any, Any]:
        """Read a map with integer or text keys, strictly ascending; note encodings in `raw`."""
        items: dict[Any, Any] = {}
        last = b""
        for _ in range(self.enter(depth, 2)):
            start = self.pos
            if self.data[start] >> 5 not in {UINT, NEGATIVE, TEXT}:
                raise WireError(f"a key at byte {start} is neither an integer nor text")
            key = self.item(depth)
            encoded = self.data[start : self.pos]
            if encoded <= last:
                fault = "repeats" if encoded == last else "sorts below"
                raise WireError(f"key {key!r} at byte {start} {fault} the key before it")
            last, start = encoded, self.pos
            items[key] = self.item(depth)
            if raw is not None:
                raw[key] = self.data[start : self.pos]
        return items


def _fits(number: float, form: struct.Struct) -> bool:
    try:
        return bool(form.unpack(form.pack(number))[0] == number)
    except OverflowError:
        return False
