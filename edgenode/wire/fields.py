"""Checks of single fields of a decoded message; each returns the value or says what is wrong.

`where` names the field for the error, such as "batch key 6 (tb)".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from edgenode.errors import WireError
from edgenode.wire.limits import MAX_STREAM, MAX_UINT

T = TypeVar("T")

NODE_SIZES = range(4, 17)
ID_SIZE = 8  # of a spool id and of a schema
_UNASSIGNABLE = frozenset({14, 15})  # the schema has 0 to 13 and 16 to 255


def refuse(where: str, value: Any, wanted: str) -> WireError:
    """Return the error that says what stands at `where` and what should."""
    shown = repr(value)
    if len(shown) > 60:
        shown = f"{shown[:57]}..."
    return WireError(f"{where}: {shown} is not {wanted}")


def required(message: Mapping[Any, Any], key: int, where: str) -> Any:
    """Return the value of a key that must be there."""
    if key not in message:
        raise WireError(f"{where}: it is missing")
    return message[key]


def uint(value: Any, where: str, top: int = MAX_UINT, least: int = 0) -> int:
    """Accept an integer from `least` to `top`."""
    if type(value) is not int or not least <= value <= top:
        raise refuse(where, value, f"an integer from {least} to {top}")
    return value


def sint(value: Any, where: str, top: int = MAX_UINT) -> int:
    """Accept an integer from -top to top."""
    return uint(value, where, top, -top)


def blob(value: Any, where: str, sizes: range) -> bytes:
    """Accept a byte string whose length is one of `sizes`."""
    if not isinstance(value, bytes) or len(value) not in sizes:
        raise refuse(where, value, f"a byte string of {sizes[0]} to {sizes[-1]} bytes")
    return value


def node(value: Any, where: str) -> bytes:
    """Accept a node id: 4 to 16 bytes."""
    return blob(value, where, NODE_SIZES)


def identity(value: Any, where: str) -> bytes:
    """Accept a spool id or a schema: 8 bytes."""
    return blob(value, where, range(ID_SIZE, ID_SIZE + 1))


def text(value: Any, where: str) -> str:
    """Accept text."""
    if not isinstance(value, str):
        raise refuse(where, value, "text")
    return value


def array(value: Any, where: str, least: int = 0, top: int = MAX_UINT) -> list[Any]:
    """Accept an array of `least` to `top` elements."""
    if not isinstance(value, list):
        raise refuse(where, value, "an array")
    if not least <= len(value) <= top:
        raise WireError(f"{where}: {len(value)} elements, where {least} to {top} are allowed")
    return value


def table(value: Any, where: str) -> dict[Any, Any]:
    """Accept a map."""
    if not isinstance(value, dict):
        raise refuse(where, value, "a map")
    return value


def each(value: Any, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    """Accept a non-empty array whose every element `read` accepts."""
    return tuple(read(item, where) for item in array(value, where, 1))


def stream(value: Any, where: str) -> int:
    """Accept a stream: 0 to 15, also those that have no meaning yet."""
    return uint(value, where, MAX_STREAM)


def quality(value: Any, where: str) -> int:
    """Accept a quality code; unknown ones are kept, and mean: not usable."""
    if uint(value, where, 255) in _UNASSIGNABLE:
        raise refuse(where, value, "a quality: 14 and 15 are never assigned")
    return int(value)


def known(code: int, highest: int, otherwise: int) -> int:
    """Return `code`, or what an unknown one stands for."""
    return code if code <= highest else otherwise


def not_default(value: int, default: int, where: str) -> int:
    """Accept a value of an optional key, which is left out rather than sent as its default."""
    if value == default:
        raise WireError(f"{where}: {default} is the default and is left out")
    return value
