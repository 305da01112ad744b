"""How findings are told: in the order of repair, each with its reason, its remedy and a command."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from edgenode.cli.words import many

if TYPE_CHECKING:
    from collections.abc import Mapping

    from edgenode.commission.evidence import Evidence
    from edgenode.commission.finding import Finding


def without(state: str, problem: str) -> tuple[Mapping[str, Any], Mapping[str, Any] | None]:
    """Return what can be told where no daemon answers, and what its spool holds."""
    from edgenode.cli.absent import absent  # noqa: PLC0415 - rarely needed
    from edgenode.cli.offline import spool_without  # noqa: PLC0415 - the same

    return absent(state, problem), spool_without(state)[0]["survey"]


def sayer(*, quiet: bool) -> Callable[[str], None]:
    """Return what tells on the error output what is being done, where somebody watches."""

    def say(what: str) -> None:
        if not quiet:
            print(f"… {what}", file=sys.stderr, flush=True)

    return say


def lines(findings: Sequence[Finding]) -> Iterator[str]:
    """Yield what is to fix, numbered, then what is to know."""
    fixes = [finding for finding in findings if not finding.note]
    for number, finding in enumerate(fixes, 1):
        yield f"{number}. {finding.what}"
        yield f"   why  {finding.reason}"
        yield f"   do   {finding.remedy}"
        yield f"        {finding.command}"
    for finding in findings:
        if finding.note:
            yield f"note: {finding.what}"
            yield f"   why  {finding.reason}"
            yield f"   do   {finding.remedy}: {finding.command}"


def headline(findings: Sequence[Finding]) -> str:
    """Return the verdict in a line."""
    fixes = sum(not finding.note for finding in findings)
    notes = len(findings) - fixes
    beside = f", {many(notes, 'note')}" if notes else ""
    order = ", in this order" if fixes > 1 else ""
    return f"{many(fixes, 'thing')} to fix{order}{beside}" if fixes else f"PASS{beside}"


def measured(evidence: Evidence) -> Iterator[str]:
    """Yield the figures of what was well, too."""
    if evidence.sensors:
        good = sum(seen.answers for seen in evidence.sensors)
        yield f"sensors   {good} of {len(evidence.sensors)} answer"
    for link in evidence.links:
        if link.ack_ms is not None and link.connect_ms is not None:
            yield (
                f"link      {link.broker}: connected in {link.connect_ms:.0f} ms, round trip"
                f" {link.ack_ms:.0f} ms, {len(link.acks_ms)} of {link.sent} acknowledged"
            )
    if evidence.delivery is not None and evidence.delivery.reached == "city":
        to = "the City OS" if evidence.delivery.custody == "city" else "the broker"
        yield f"delivery  {to} had a batch {evidence.delivery.took_s:.1f} s after it was made"
    if evidence.card is not None and evidence.card.flush_ms:
        usual, most = evidence.card.usual_ms, max(evidence.card.flush_ms)
        yield f"card      a small write is durable in {usual:.0f} ms, at most {most:.0f} ms"
    if evidence.status is not None:
        source, err = evidence.status["clock"], evidence.status["clock_err_ms"]
        yield f"clock     {source}" + ("" if err is None else f", wrong by {err} ms at most")


def document(evidence: Evidence, findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what both verbs print with --json; docs/cli.md has the fields."""
    from edgenode.commission.finding import verdict  # noqa: PLC0415 - `--help` shall not pay

    return {
        "format": 1,
        "node": evidence.node,
        "at_utc_ms": evidence.at_utc_ms,
        "verdict": verdict(findings),
        "findings": [finding._asdict() for finding in findings],
        "links": [link._asdict() for link in evidence.links],
        "delivery": None if evidence.delivery is None else evidence.delivery._asdict(),
        "flush_ms": list(evidence.card.flush_ms) if evidence.card else [],
    }
