"""What a node says of its commissioning: the record in its about, as far as it makes sense."""

from __future__ import annotations

import json
from typing import Any, Final, NamedTuple, NoReturn

from edgenode.cityos.sink import Sink
from edgenode.errors import WireError
from edgenode.wire import About, decode

VERDICTS: Final = ("PASS", "FIX")
CALENDAR_MS: Final = 253_402_300_800_000  # the year 10000, POSIX ms


class Commissioned(NamedTuple):
    """The record, and what of it is shown in a line. Nothing here proves the signature."""

    text: str  # as it came
    record: dict[str, Any]
    at: int  # POSIX ms, by the clock of the node
    verdict: str  # PASS, FIX
    signed: bool  # it bears a signature


def commissioned(sink: Sink, node: bytes) -> Commissioned | None:
    """Return the record of a node's newest about; None where there is none of this node."""
    return told(sink.about(node), node)


def told(data: bytes | None, node: bytes) -> Commissioned | None:
    """Return the record in the bytes of a node's about."""
    if data is None:
        return None
    try:
        about = decode(data)
    except WireError:
        return None
    return read(about.commission, node) if isinstance(about, About) else None


def read(text: str, node: bytes) -> Commissioned | None:
    """Return what a record says; None for another node's, or what is no record.

    Its numbers are whole, so that what is printed of it is JSON (RFC 8259 knows no NaN).
    """
    try:
        record = json.loads(text, parse_float=_none, parse_constant=_none) if text else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(record, dict) or record.get("node") != node.hex():
        return None
    at, verdict = record.get("at_utc_ms"), record.get("verdict")
    if type(at) is not int or not 0 <= at < CALENDAR_MS or verdict not in VERDICTS:
        return None
    return Commissioned(text, record, at, str(verdict), isinstance(record.get("signature"), dict))


def _none(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number of a record")
