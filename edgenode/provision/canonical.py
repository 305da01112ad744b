"""node.json as bytes: strict JSON in, the canonical form that is signed out (RFC 8785)."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from edgenode.config.check import Mistake
from edgenode.config.lines import Place
from edgenode.errors import ProvisionError

MAX_BYTES: Final = 256 << 10
MAX_DEPTH: Final = 16  # objects and lists within each other
MAX_VALUES: Final = 20_000
MAX_NAME: Final = 1000  # characters of a member's name
MAX_TOLD: Final = 100  # mistakes; a document with more is of another kind
SAFE: Final = (1 << 53) - 1  # beyond it not every reader of JSON has the same number (RFC 7493)

Object = dict[str, Any]


class _Members(dict[str, Any]):
    """An object that remembers which of its members stood there twice."""

    doubled: tuple[str, ...] = ()


def parsed(data: bytes) -> Object:
    """Return the object that `data` holds, each number as its canonical form has it.

    `data` is UTF-8 JSON of at most 256 KiB, with or without a byte order mark. What is returned
    was read from the canonical form, so that nothing is used which a signature does not cover.
    Raises ProvisionError with every mistake: member names that stand twice, null, numbers that
    are not finite or beyond 2^53 - 1, text that is no Unicode, too many or too deep values.
    """
    whole = _loaded(data)
    found = sentences(_strange(whole, (), [MAX_VALUES]))
    if found:
        raise ProvisionError(found)
    made: Object = json.loads(canonical(whole), parse_int=_number)
    return made


def canonical(value: Mapping[str, Any]) -> bytes:
    """Return the canonical form of an object (RFC 8785, JCS) in UTF-8.

    Raises ProvisionError for what has none: numbers that are not finite or beyond 2^53 - 1, text
    with half of a surrogate pair, and values that JSON does not know.
    """
    import rfc8785  # noqa: PLC0415 - only where something is signed or verified

    try:
        return rfc8785.dumps(dict(value))
    except (ValueError, RecursionError) as exc:
        raise ProvisionError([f"the document has no canonical form: {exc}"]) from exc


def pretty(value: Mapping[str, Any]) -> bytes:
    """Return an object as a file that people read: UTF-8, indented, in the order it was made."""
    return (json.dumps(value, ensure_ascii=False, indent=2) + "\n").encode()


def sentences(found: Iterable[Mistake]) -> list[str]:
    """Return mistakes as sentences with their JSON paths; of more than 100 no more are looked for.

    An empty list where there are none.
    """
    said = list(map(str, islice(found, MAX_TOLD + 1)))
    return [*said[:MAX_TOLD], "and more"] if len(said) > MAX_TOLD else said


def _loaded(data: bytes) -> Object:
    if len(data) > MAX_BYTES:
        raise ProvisionError([f"longer than {MAX_BYTES} bytes; this is no node.json"])
    try:
        made = json.loads(
            data.decode("utf-8-sig"),
            object_pairs_hook=_members,
            parse_int=_integer,
            parse_constant=float,
        )
    except UnicodeDecodeError as exc:
        words = f"not UTF-8 text: {exc.reason} at byte {exc.start}; save the file as UTF-8"
        raise ProvisionError([words]) from exc
    except json.JSONDecodeError as exc:
        words = f"line {exc.lineno}, column {exc.colno}: not JSON: {exc.msg}"
        raise ProvisionError([words]) from exc
    except RecursionError as exc:
        raise ProvisionError([f"more than {MAX_DEPTH} objects and lists in each other"]) from exc
    if not isinstance(made, dict):
        raise ProvisionError(["a node.json is one object: it begins with { and ends with }"])
    return made


def _members(pairs: list[tuple[str, Any]]) -> _Members:
    made = _Members(pairs)
    if len(made) < len(pairs):
        counts = Counter(name for name, _ in pairs)
        made.doubled = tuple(name for name, count in counts.items() if count > 1)
    return made


def _integer(text: str) -> float:
    return int(text) if len(text) <= len(str(-SAFE)) else math.inf


def _number(text: str) -> float:
    """Return what the canonical form writes without a point; beyond 2^53 - 1 that was a float."""
    return int(text) if abs(int(text)) <= SAFE else float(text)


def _strange(value: object, place: Place, left: list[int]) -> Iterator[Mistake]:
    """Yield what is JSON, and still no value of a document; `left` counts down the values."""
    left[0] -= 1
    if left[0] < 0 or len(place) > MAX_DEPTH:
        if left[0] == -1:
            yield Mistake((), f"more than {MAX_VALUES} values")
        elif left[0] >= 0:
            yield Mistake(place, f"more than {MAX_DEPTH} objects and lists in each other")
    elif isinstance(value, dict):
        for name in getattr(value, "doubled", ()):
            yield Mistake((*place, name), "stands there twice; take one out")
        for name, inner in value.items():
            yield from _name(name, place)
            yield from _strange(inner, (*place, name), left)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _strange(inner, (*place, index), left)
    else:
        yield from _plain(value, place)


def _name(name: str, place: Place) -> Iterator[Mistake]:
    if len(name) > MAX_NAME or not _unicode(name):
        yield Mistake(place, f"has a member whose name is no text of up to {MAX_NAME} characters")


def _plain(value: object, place: Place) -> Iterator[Mistake]:
    if value is None:
        yield Mistake(place, "null is no value here; leave the member out")
    elif isinstance(value, str) and not _unicode(value):
        yield Mistake(place, "half of a surrogate pair is no character; write the text anew")
    elif isinstance(value, float) and not math.isfinite(value):
        yield Mistake(place, "expected a finite number within 2^53 - 1")
    elif isinstance(value, int) and abs(value) > SAFE:
        yield Mistake(place, "expected a whole number within 2^53 - 1")


def _unicode(text: str) -> bool:
    return not any("\ud800" <= ch <= "\udfff" for ch in text)
