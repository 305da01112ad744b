"""Say why a channel is as it is: the verdict, the chain of evidence, and what to do."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import add_options, asked, told
from edgenode.cli.history import entry
from edgenode.cli.verdict import allowed, judged
from edgenode.cli.words import ago, many, number, quantity, span, table, when


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("channel", metavar="CHANNEL", help="SENSOR/QUANTITY, e.g. air/pm25")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon for the facts, and conclude."""
    return told(args, lambda: concluded(asked(args, "why", channel=args.channel)), text, code)


def concluded(facts: dict[str, Any]) -> dict[str, Any]:
    """Return the facts with what they amount to."""
    verdict = judged(facts)
    head = {"ok": verdict.ok, "verdict": verdict.sentence, "advice": list(verdict.advice)}
    return head | facts


def code(answer: dict[str, Any]) -> int:
    """Return 1 where the channel cannot be trusted."""
    return WELL if answer["ok"] else NOT_WELL


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the evidence in plain words, verdict first."""
    yield f"{'ok' if answer['ok'] else 'NOT OK'}: {answer['verdict']}"
    for advice in answer["advice"]:
        yield f"  do: {advice}"
    yield ""
    rows = [*_reading(answer), *_failing(answer), *_judging(answer), *_trusting(answer)]
    yield from table([(f"  {name}", words) for name, words in rows])
    if answer["history"]:
        yield ""
        yield f"what was wrong with {answer['sensor']} and bus {answer['bus']}:"
        yield from table([entry(row) for row in answer["history"]])


def _reading(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    value = quantity(answer["value"], answer["scale"], answer["unit"])
    yield "newest", f"{value} ({answer['quality'] or 'none yet'}), {ago(answer['age_s'])}"
    good = answer["last_ok"]
    told_of = "never since the daemon started"
    if good is not None:
        told_of = f"{ago(good['ago_s'])}, {when(good['utc_ms'])}"
    yield "last good read", told_of
    where = f"{answer['driver']} on bus {answer['bus']}"
    how = f"is {answer['state']}, asked every {answer['every_ms'] / 1000:g} s"
    yield "sensor", f"{answer['sensor']} ({where}) {how}"
    if answer["purpose"]:
        yield "purpose", answer["purpose"]


def _failing(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    beside = f"beside {many(answer['reads'], 'good read')}, {many(answer['missed'], 'slot')} missed"
    tries = _counts(answer["by_reason"])  # more than failures, since a read is tried once more
    by_reason = f"; tries in vain: {tries}" if tries else ""
    yield "failures", f"{answer['failures']} {beside}{by_reason}"
    last = answer["last_failure"]
    if last is not None:
        since = "" if last["ago_s"] is None else f", {ago(last['ago_s'])}"
        detail = f" ({last['detail']})" if last["detail"] else ""
        yield "last failure", f"{last['reason']}{detail}{since}"
    yield "recovery", f"of bus {answer['bus']}: {_rungs(answer['by_rung'])}"
    yield "breaker", _breaker(answer["breaker"])
    if answer["bus_stuck"]:
        yield "bus", "a read does not return"


def _breaker(breaker: dict[str, Any]) -> str:
    words: dict[str, str] = {
        "closed": "closed: it is asked in each slot",
        "open": "open: it is given up for a while",
        "half-open": "half-open: it is being tried",
    }
    state = str(breaker["state"])
    next_s = breaker["next_try_s"]
    return words.get(state, state) + ("" if next_s is None else f"; next try in {span(next_s)}")


def _judging(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    unit, scale = answer["unit"], answer["scale"]
    settling, stuck = answer["settling"], answer["stuck_at"]
    if settling is not None:
        left = _known(settling["left_s"], "for {} more, of ")
        yield "settling", f"{left}{span(settling['settle_s'])} after it was switched on"
    yield "range", f"{allowed(answer['range'], unit)} is allowed"
    if stuck is None:
        yield "stuck-at", "not judged"
    else:
        unchanged = _known(stuck["unchanged_s"], "unchanged for {}, ")
        yield "stuck-at", f"{unchanged}suspect from {span(stuck['limit_s'])}"
    yield "rate", _rate(answer["rate"], unit)
    yield "twin", _twin(answer["twin"], scale, unit)
    if answer.get("leak"):
        yield "leak", _leak(answer["leak"])


def _leak(leak: dict[str, Any]) -> str:
    limits = f"a pause of {leak['quiet_min']:g} min within {leak['after_h']:g} h"
    if leak["flows_s"] is None:
        return f"none suspected: there was {limits}"
    return f"SUSPECTED: it has grown for {span(leak['flows_s'])}, without {limits}"


def _rate(rate: dict[str, Any] | None, unit: str) -> str:
    if rate is None:
        return "not judged"
    change = "not known" if rate["per_s"] is None else f"{rate['per_s']:g} {unit} a second"
    return f"{change}, suspect beyond {rate['limit_per_s']:g}"


def _twin(twin: dict[str, Any] | None, scale: int, unit: str) -> str:
    if twin is None:
        return "none"
    if twin["difference"] is None:
        return f"{twin['channel']} cannot be compared"
    value, off = quantity(twin["value"], scale, unit), number(twin["difference"], scale)
    limit = "not judged" if twin["tolerance"] is None else f"suspect beyond {twin['tolerance']:g}"
    return f"{twin['channel']} says {value}: {off} apart, {limit}"


def _trusting(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    life = answer.get("life")
    if life:
        known = f"{life['hours']:.0f} of {life['of_hours']:.0f} h ({life['used_percent']} %)"
        yield "life", f"the {life['what']} has worked {known}"
    calibration, clock, visit = (answer[key] for key in ("calibration", "clock", "maintenance"))
    yield (
        "calibration",
        "none" if calibration is None else f"{calibration['id']} of {calibration['date']}",
    )
    err = "" if clock["err_ms"] is None else f", right within {clock['err_ms']} ms"
    yield "clock", "nobody vouches for it" if clock["source"] == "none" else clock["source"] + err
    yield "maintenance", "no" if visit is None else f"for {span(visit['left_s'])} more"


def _rungs(rungs: dict[str, dict[str, int]]) -> str:
    tried = [(name, tally) for name, tally in rungs.items() if tally["tried"]]
    words = [f"{name} tried {tally['tried']}, helped {tally['helped']}" for name, tally in tried]
    return "; ".join(words) or "nothing was tried"


def _known(seconds: float | None, words: str) -> str:
    """Return the words with a span in them; nothing where it is not known."""
    return "" if seconds is None else words.format(span(seconds))


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count}" for name, count in counts.items() if count)
