"""Say whether the node is well, since when, and what to do if it is not."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import add_options, asked, told
from edgenode.cli.refusal import lines as refused_lines
from edgenode.cli.refusal import refusal
from edgenode.cli.words import many, size, span, when

STEADY_S = 3_600  # a start writes more than an hour of running does
MINUTE_S = 60
RESTARTS = 3  # told in words; --json has more
WORKS = ("ok", "settling")


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon and print its answer."""
    found = refusal()
    return told(args, lambda: asked(args, "status") | found, text, code, lambda _: _without(found))


def _without(found: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Return what is told of a refusal where no daemon answers."""
    from edgenode.cli.absent import MORE  # noqa: PLC0415 - only without a daemon

    return found, [*refused_lines(found), MORE]


def code(answer: dict[str, Any]) -> int:
    """Return the exit code for a status."""
    return WELL if answer["health"] == "well" and "refused" not in answer else NOT_WELL


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the status document in plain words."""
    since, up = span(answer["since_s"]), span(answer["up_s"])
    yield f"node {answer['node']} is {answer['health'].upper()} since {since} (up {up})"
    for problem in answer["problems"]:
        began = problem.get("since_utc_ms")
        day = f", since {when(began)}" if began is not None else ""
        times = problem.get("times", 1)
        again = f", {times} times of late" if times > 1 else ""
        yield f"  ! {problem['what']} (for {span(problem['since_s'])}{day}{again})"
        yield f"    do: {problem['advice']}"
    yield from refused_lines(answer)
    if answer.get("maintenance"):
        yield f"  work      {maintenance(answer['maintenance'])}"
    yield f"  clock     {_clock(answer)}"
    yield _sensing(answer)
    yield from _spool(answer["spool"], answer["up_s"])
    yield from _uplink(answer)
    yield from _budget(answer.get("budget"))
    yield from _restarts(answer.get("restarts", []))


def maintenance(visit: dict[str, Any]) -> str:
    """Return a visit in words."""
    why = f": {visit['why']}" if visit["why"] else ""
    left_s = visit["left_s"]
    if left_s > MINUTE_S:
        left_s = round(left_s / MINUTE_S) * MINUTE_S  # "2 h" rather than "1 h 59 min"
    return f"somebody works on this node for {span(left_s)} more{why}"


def _clock(answer: dict[str, Any]) -> str:
    if answer["clock"] == "none":
        return "nobody vouches for it"
    err = answer.get("clock_err_ms")
    return answer["clock"] if err is None else f"{answer['clock']}, right within {err} ms"


def _sensing(answer: dict[str, Any]) -> str:
    sensors = [sensor for bus in answer["buses"] for sensor in bus["sensors"]]
    working = sum(sensor["state"] in WORKS for sensor in sensors)
    missed = sum(sensor["missed"] for sensor in sensors)
    return (
        f"  sensing   {working} of {many(len(sensors), 'sensor')} on"
        f" {many(len(answer['buses']), 'bus')} answer;"
        f" {answer['spool']['readings']} readings, {many(missed, 'slot')} missed"
    )


def _spool(spool: dict[str, Any], up_s: int) -> Iterator[str]:
    share = 100 * spool["used_bytes"] // max(spool["cap_bytes"], 1)
    wear = f"{spool['written_bytes_per_day'] / 1e9:.3f} GB a day to the card"
    if up_s < STEADY_S:
        wear = f"{spool['written_bytes'] / 1e6:.1f} MB to the card since the start"
    yield (
        f"  spool     {spool['held_batches']} batches held, {spool['window_readings']} readings in"
        f" the open window, {share} % of {size(spool['cap_bytes'])};"
        f" {wear}"
    )
    lost = spool["evicted_readings"] + spool["overflow_readings"]
    if lost:
        yield f"  lost      {lost} readings since the start (recorded, and told to the City OS)"


def _uplink(answer: dict[str, Any]) -> Iterator[str]:
    uplink = answer["uplink"]
    if not answer.get("brokers", 1):
        yield "  uplink    none: no broker is named, nothing is sent"
        return
    if uplink is None:
        yield "  uplink    not started yet: the first sample comes first"
        return
    state = "connected to" if uplink["connected"] else "NOT connected to"
    version = f" (MQTT {uplink['protocol']})" if uplink["protocol"] else ""
    yield (
        f"  uplink    {state} {uplink['broker'] or 'any broker'}{version};"
        f" {uplink['acked']} of {uplink['sent']} batches acknowledged by brokers"
    )
    if not uplink["connected"] and uplink["last_error"]:
        yield f"            {uplink['last_error']}"


def _budget(budget: dict[str, Any] | None) -> Iterator[str]:
    if not budget:
        return
    told_of = [
        f"{size(budget[f'{period}_bytes'])}{_limit(budget[f'{period}_limit_bytes'])} {words}"
        for period, words in (("day", "today"), ("month", "this month"))
    ]
    state = "" if budget["state"] in {"unlimited", "within"} else f"; {budget['state'].upper()}"
    yield f"  network   {', '.join(told_of)} (UTC){state}"


def _limit(limit: int | None) -> str:
    return "" if limit is None else f" of {size(limit)}"


def _start(row: dict[str, Any]) -> str:
    began = "" if row["utc_ms"] is None else f"{when(row['utc_ms'])} "
    return f"{began}{row['what']} ({row['cause']})"


def _restarts(restarts: list[dict[str, Any]]) -> Iterator[str]:
    last = restarts[-RESTARTS:]
    if last:
        yield f"  starts    {'; '.join(map(_start, last))}"
        if len(restarts) > RESTARTS:
            yield f"            {many(len(restarts), 'start')} in all are remembered"
