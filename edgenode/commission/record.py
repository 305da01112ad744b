"""The record of a commissioning: what was found, by whom, when, in at most 4 KiB of JSON.

It stands in canonical form (RFC 8785), and is signed with the node's own key over that form
without its member `signature`. The same text lies in the state directory and travels in `about`.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from edgenode import __version__, durable
from edgenode.commission.evidence import Evidence, LinkSeen
from edgenode.commission.finding import Finding, verdict
from edgenode.errors import NodeError
from edgenode.node.commissioned import FILE
from edgenode.provision.canonical import canonical as json_canonical
from edgenode.wire.limits import MAX_COMMISSION

VERSION: Final = 1
FINDINGS_MOST: Final = 24
WHAT_MOST: Final = 160  # characters of a finding
SIGNATURE_BYTES: Final = 320  # of the member, at most
INSTALL: Final = (
    "the record is written by rfc8785 and cryptography: pip install 'edgenode[provision]'"
)

Record = dict[str, Any]


def canonical(record: Record) -> bytes:
    """Return the canonical form of a record (RFC 8785); raises NodeError without the extra."""
    try:
        return json_canonical(record)
    except ImportError as exc:
        raise NodeError(INSTALL) from exc


def made(evidence: Evidence, findings: Sequence[Finding]) -> Record:
    """Return the record; findings that have no room are counted. Every number is a whole one."""
    status = evidence.status or {}
    record: Record = {
        "version": VERSION,
        "node": evidence.node,
        "edgenode": __version__,
        "at_utc_ms": evidence.at_utc_ms,
        "clock": status.get("clock", "none"),
        "clock_err_ms": status.get("clock_err_ms"),
        "verdict": verdict(findings),
        "plan": _plan(evidence),
        "sensors": _sensors(evidence),
        "delivery": _delivery(evidence),
        "links": [_link(seen) for seen in evidence.links[:4]],
        "card": _card(evidence),
        "disk_free_mb": None if evidence.disk_free_bytes is None
        else evidence.disk_free_bytes // 1_000_000,
        "certificate_until_utc_ms": next(
            (one.until_utc_ms for one in evidence.certificates), None
        ),
        "answers": None if evidence.answers is None else evidence.answers._asdict(),
    }  # fmt: skip
    return record | _fitting(record, findings)


def _fitting(record: Record, findings: Sequence[Finding]) -> Record:
    """Return as many findings as there is room for, and how many more there are."""
    rows = [
        {"key": f.key[:WHAT_MOST], "what": f.what[:WHAT_MOST], "note": f.note} for f in findings
    ]
    for count in range(min(len(rows), FINDINGS_MOST), -1, -1):
        found = {"findings": rows[:count], "more_findings": len(rows) - count}
        if len(canonical(record | found)) <= MAX_COMMISSION - SIGNATURE_BYTES:
            return found
    raise NodeError(f"a record of {MAX_COMMISSION} bytes has no room for these answers")


def _plan(evidence: Evidence) -> Record | None:
    plan = evidence.plan
    if plan is None:
        return None
    return {"serial": plan.serial, "sensors": len(plan.sensors)}


def _sensors(evidence: Evidence) -> Record:
    answering = sum(seen.answers for seen in evidence.sensors)
    return {"configured": len(evidence.configured), "answering": answering}


def _delivery(evidence: Evidence) -> Record | None:
    seen = evidence.delivery
    if seen is None:
        return None
    arrived = seen.reached == "city"
    return {"to": seen.custody, "arrived": arrived, "took_ms": round(seen.took_s * 1000)}


def _link(seen: LinkSeen) -> Record:
    return {
        "broker": seen.broker[:WHAT_MOST],
        "connect_ms": None if seen.connect_ms is None else round(seen.connect_ms),
        "ack_ms_median": None if seen.ack_ms is None else round(seen.ack_ms),
        "sent": seen.sent,
        "acked": len(seen.acks_ms),
        "repeated": seen.repeated,
    }


def _card(evidence: Evidence) -> Record | None:
    seen = evidence.card if evidence.card and evidence.card.flush_ms else None
    used = evidence.machine.get("card_life_used")
    if seen is None and used is None:
        return None
    return {
        "flush_ms_median": None if seen is None else round(seen.usual_ms),
        "flush_ms_most": None if seen is None else round(max(seen.flush_ms)),
        "life_used_percent": None if used is None else round(used),
    }


def stored(record: Record, state: Path) -> Path:
    """Write the record durably for the owner of the state directory; raises NodeError."""
    data = canonical(record)
    if len(data) > MAX_COMMISSION:
        raise NodeError(f"the record has {len(data)} bytes, and {MAX_COMMISSION} may travel")
    path = state / FILE
    try:
        found = state.stat()
        owner = durable.Owner(found.st_uid, found.st_gid) if os.geteuid() == 0 else None
        durable.write(path, data, 0o640, owner)
    except OSError as exc:
        raise NodeError(f"{path}: cannot be written: {exc.strerror}; run this with sudo") from exc
    return path
