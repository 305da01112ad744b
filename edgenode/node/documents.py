"""The documents that the control socket gives, field by field as docs/cli.md names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from edgenode import __version__
from edgenode.config import BudgetTable
from edgenode.errors import Reason
from edgenode.health import Condition, Verdict
from edgenode.node.chronicle import Since
from edgenode.node.report import CARD_BYTES_A_DAY, Picture
from edgenode.node.visit import Visit
from edgenode.reading import ClockSource, Quality

FORMAT: Final = 1  # raised when a field changes its meaning
MEGABYTE: Final = 1_000_000

Document = dict[str, Any]


def status(
    node: str,
    picture: Picture,
    verdict: Verdict,
    since: Mapping[str, Since],
    *,
    maintenance: Document | None = None,
    budget: Document | None = None,
    restarts: list[dict[str, object]] | None = None,
    recovery: Mapping[str, int] | None = None,
) -> Document:
    """Return how the node is, since when, and why."""
    now_ms = picture.now_ms
    begun = {
        p.condition.key: _begun(p.since_ms, since.get(p.condition.key), picture)
        for p in verdict.problems
    }
    oldest = max(begun.values(), default=_begun(verdict.since_ms, None, picture))
    return {
        "format": FORMAT,
        "version": __version__,
        "node": node,
        "health": verdict.health.value,
        "since_s": oldest.for_ms // 1000,
        "since_utc_ms": oldest.utc_ms,
        "up_s": picture.up_ms // 1000,
        "utc_ms": picture.utc_ms,
        "boot_ms": now_ms,
        "clock": ClockSource(picture.clock).name.lower(),
        "clock_err_ms": picture.clock_err_ms,
        "problems": [_problem(p.condition, begun[p.condition.key]) for p in verdict.problems],
        "maintenance": maintenance,
        "budget": budget,
        "restarts": restarts or [],
        "recovery": dict(recovery or {}),
        "buses": [asdict(bus) for bus in picture.buses],
        "spool": {
            **asdict(picture.spool),
            "written_bytes_per_day": picture.written_a_day,
            "wear_budget_bytes_per_day": CARD_BYTES_A_DAY,
        },
        "brokers": picture.brokers,
        "uplink": asdict(picture.uplink) if picture.uplink else None,
    }


def _problem(condition: Condition, since: Since) -> Document:
    return {
        "key": condition.key,
        "what": condition.what,
        "advice": condition.advice,
        "since_s": since.for_ms // 1000,
        "since_utc_ms": since.utc_ms,
        "times": since.times,
    }


def _begun(since_ms: int, logged: Since | None, picture: Picture) -> Since:
    """Return what the log knows, which outlives the process, else what this process has seen."""
    if logged is not None:
        return logged
    for_ms, utc_ms = picture.now_ms - since_ms, picture.vouched_utc_ms
    return Since(for_ms, None if utc_ms is None else utc_ms - for_ms)


def maintenance_of(visit: Visit | None, picture: Picture) -> Document | None:
    """Return the maintenance that goes on."""
    if visit is None:
        return None
    utc_ms, now_ms = picture.vouched_utc_ms, picture.now_ms
    return {
        "left_s": max(0, visit.until_ms - now_ms) // 1000,
        "since_utc_ms": None if utc_ms is None else utc_ms - now_ms + visit.began_ms,
        "until_utc_ms": None if utc_ms is None else utc_ms - now_ms + visit.until_ms,
        "why": visit.why,
    }


def budget_of(table: BudgetTable, picture: Picture) -> Document | None:
    """Return what was sent this day and month, and what may be."""
    uplink = picture.uplink
    if uplink is None:
        return None
    day, month = (_bytes(table.day_mb), _bytes(table.month_mb))
    quiet = "unlimited" if day is None and month is None else "within"
    return {
        "day_bytes": uplink.sent_today + uplink.received_today,
        "month_bytes": uplink.sent_month + uplink.received_month,
        "day_limit_bytes": day,
        "month_limit_bytes": month,
        "state": uplink.budget or quiet,
    }


def _bytes(megabytes: float | None) -> int | None:
    return None if megabytes is None else round(megabytes * MEGABYTE)


def quality_name(code: int | None) -> str | None:
    """Return the name of a quality as docs/wire-format.md has it; None for none."""
    return None if code is None else Quality(code).word


def reason_name(code: int | None) -> str | None:
    """Return the name of the reason of a failed read; None for none."""
    return None if code is None else Reason(code).word
