"""The outcome of a run in plain words, and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from edgenode.demo.account import OPEN_COMMIT
from edgenode.demo.play import Outcome
from edgenode.demo.stage import COMMIT_MS, FLUSH_MS

SHOWN = 20  # problems told in full
KNOWN = {
    "traffic": ("radar/vehicles_toward", "radar/speed_toward", "loop/count", "loop/occupancy"),
    "air": ("gases/pm25", "gases/co2", "yard/temperature", "yard/dew_point"),
    "utilities": ("lamps/power", "tram/power", "tram/import_energy", "meter/count"),
}


def closes(outcome: Outcome) -> bool:
    """Whether the run proved what it set out to prove.

    Nothing in the play is a reason to give readings up, so a recorded loss is one too many.
    """
    told = outcome.account
    return told.closes and outcome.drained and not (outcome.received.conflicts or told.recorded)


def as_json(outcome: Outcome) -> dict[str, Any]:
    """Return the outcome as one object; docs/cli.md names the fields."""
    told = asdict(outcome.account)
    problems = told.pop("problems")  # what is longest comes last
    return {
        "closes": closes(outcome),
        **told,
        "kills": outcome.kills,
        "duplicates_dropped": outcome.received.duplicates,
        "conflicts": outcome.received.conflicts,
        "batches": outcome.received.batches,
        "bytes_per_reading": round(_bytes_per_reading(outcome), 2),
        "written_bytes": outcome.written_bytes,
        "drained": outcome.drained,
        "stop_s": round(outcome.stop_s, 2),
        "problems": list(problems),
    }


def _bytes_per_reading(outcome: Outcome) -> float:
    return outcome.received.batch_bytes / max(outcome.account.received, 1)


def as_text(outcome: Outcome) -> Iterator[str]:
    """Yield the account for a person."""
    told, came = outcome.account, outcome.received
    yield "The account"
    yield f"  said when asked       {told.said:7} readings, by instruments on I2C and serial cables"
    yield f"  stored by the City OS {told.received:7} readings in {came.batches} batches"
    yield f"    matched one by one  {told.matched:7}, each with the value that was said"
    yield f"    newest of a stream  {told.streamed:7}, as its frames said"
    yield f"    totals of counters  {told.totals:7}, in agreement with {told.pulses} pulses"
    yield f"    sums of a radar     {told.flows:7}, in agreement with {told.vehicles} vehicles"
    yield f"    states              {told.states:7}, in agreement with the time of each change"
    yield f"    reckoned anew       {told.computed:7}, calibrated or derived from others"
    yield f"    said by nobody else {told.unsaid:7}, of the node itself: its health, what it missed"
    yield f"    no instrument spoke {told.unanswered:7}, stored as missing, never as a number"
    if told.doubted:
        yield f"    driver in doubt     {told.doubted:7}, stored with its reason, not as a number"
    yield f"  changes of states     {told.changes:7}, and {told.changes_told} events that tell them"
    yield f"  the node's lamp       {told.switched:7} times switched"
    if told.proofs:
        yield f"  proved a part         {told.proofs:7} readings at its opening, which have no row"
    yield f"  came again, dropped   {came.duplicates:7} batches"
    for reason, count in told.lost.items():
        yield f"  lost: {reason:15} {count:7} readings"
    for what, count in (("pulses", told.lost_pulses), ("changes", told.lost_changes)):
        if count:
            yield f"  lost: open commit     {count:7} {what}"
    yield f"  bytes per reading     {_bytes_per_reading(outcome):7.2f} in batches of two seconds"
    yield f"  written to disk       {outcome.written_bytes:7} bytes by the node"
    yield f"  left after SIGTERM in {outcome.stop_s:7.2f} s"
    yield ""
    yield from _known(outcome)
    yield ""
    yield from _conclusion(outcome)


def _known(outcome: Outcome) -> Iterator[str]:
    """Yield what a city asks for, as it stands there at the end."""
    yield "What the City OS knows of the street"
    for subject, channels in KNOWN.items():
        told = [f"{name} {outcome.newest[name]}" for name in channels if name in outcome.newest]
        yield f"  {subject:9} {', '.join(told) or 'nothing yet'}"


def _conclusion(outcome: Outcome) -> Iterator[str]:
    told = outcome.account
    if not closes(outcome):
        yield "THE ACCOUNT DOES NOT CLOSE."
        if not outcome.drained:
            yield "  The node could not send everything that it holds."
        if outcome.received.conflicts:
            yield f"  {outcome.received.conflicts} batches came again with other bytes."
        if told.recorded:
            yield f"  The node gave up {told.recorded} readings, for which nothing was a reason."
        yield from (f"  {problem}" for problem in told.problems[:SHOWN])
        if len(told.problems) > SHOWN:
            yield f"  … and {len(told.problems) - SHOWN} more"
        return
    yield "The account closes: what the instruments said is stored, once, with the value they said."
    bound = (COMMIT_MS + FLUSH_MS) / 1000
    taken = told.lost.get(OPEN_COMMIT, 0)
    if taken or told.lost_pulses or told.lost_changes:
        yield (
            f"Only the kill cost something: {taken} readings, {told.lost_pulses} pulses and"
            f" {told.lost_changes} changes that no commit covered yet, all of the last {bound:g} s"
            " before it (one commit interval and one flush)."
        )
    elif outcome.kills:
        yield f"Not even the kill cost anything; up to {bound:g} s of samples were at risk."
