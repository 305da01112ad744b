"""A finding: what is amiss, why it matters, and what to do, with the command for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from edgenode.commission.evidence import Evidence

PASS, FIX = "PASS", "FIX"


class Finding(NamedTuple):
    """One thing that somebody should know; a `note` does not keep a node from passing."""

    key: str  # the same is the same trouble; that of `edgenode status` where it has one
    what: str
    reason: str
    remedy: str
    command: str  # which does it, or shows more; it can be typed as it stands
    note: bool = False


Check = Callable[[Evidence], Iterable[Finding]]


def judged(evidence: Evidence, checks: Sequence[Check]) -> list[Finding]:
    """Return what is to fix, in the order of the checks, then what is to know.

    The first that speaks of a key has said it.
    """
    found = list(_first(finding for check in checks for finding in check(evidence)))
    return sorted(found, key=lambda finding: finding.note)


def _first(findings: Iterable[Finding]) -> Iterator[Finding]:
    seen: set[str] = set()
    for finding in findings:
        if finding.key not in seen:
            seen.add(finding.key)
            yield finding


def verdict(findings: Iterable[Finding]) -> str:
    """Return PASS where nothing is to fix, else FIX."""
    return FIX if any(not finding.note for finding in findings) else PASS
