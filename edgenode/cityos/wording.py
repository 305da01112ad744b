"""Times and codes in plain words, for `tail`, `decode` and the audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

from edgenode.reading import ClockSource, EventCode, Limit, Quality, SpoolReason

REFUSED: Final = 128  # and above: a reason code of MQTT 5, section 2.4
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def iso(utc_ms: int) -> str:
    """Return POSIX ms as ISO 8601 in UTC; beyond the calendar, as the bare number of ms."""
    try:
        moment = _EPOCH + timedelta(milliseconds=utc_ms)
    except OverflowError:
        return f"{utc_ms} ms"
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def quality(code: int) -> str:
    """Return the name of a quality."""
    return _name(Quality, code, "quality")


def event(code: int) -> str:
    """Return the name of an event."""
    return _name(EventCode, code, "event")


def clock(code: int) -> str:
    """Return the name of a clock source."""
    return _name(ClockSource, code, "clock")


def limit(code: int) -> str:
    """Return the name of a limit of the node."""
    return _name(Limit, code, "limit")


def degraded(reason: int) -> str:
    """Return the name of a reason of a degraded spool, or what a broker does to it."""
    if reason >= REFUSED:
        return f"a broker refuses what it sends ({reason})"
    return _name(SpoolReason, reason, "reason")


def _name(table: type[IntEnum], code: int, kind: str) -> str:
    known = {member.value: member.name for member in table}
    return known[code].lower().replace("_", "-") if code in known else f"{kind}-{code}"
