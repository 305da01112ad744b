"""A finding: what is amiss, why it matters, and what to do, with the command for it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

PASS, FIX = "PASS", "FIX"


class Finding(NamedTuple):
    """One thing that somebody should know; a `note` does not keep a node from passing."""

    key: str  # the same is the same trouble; that of `edgenode status` where it has one
    what: str
    reason: str
    remedy: str
    command: str  # which does it, or shows more; it can be typed as it stands
    note: bool = False


def verdict(findings: Iterable[Finding]) -> str:
    """Return PASS where nothing is to fix, else FIX."""
    return FIX if any(not finding.note for finding in findings) else PASS
