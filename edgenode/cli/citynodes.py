"""`edgenode cityos nodes`: a line for each node of the fleet, the worst first."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator

from edgenode.cityos import wording
from edgenode.cityos.operate.continuity import Succession
from edgenode.cityos.operate.nodes import Standing, fleet
from edgenode.cityos.operate.troubles import Trouble, troubles, worst
from edgenode.cli.sinks import open_sink
from edgenode.cli.words import NONE, ago, many, size, span, table

Row = tuple[Standing, list[Trouble]]
HEAD = (
    "node", "place", "last heard", "clock", "card", "disk free", "certificate", "backlog",
    "bytes/day", "commissioned", "what is wrong",
)  # fmt: skip
RIGHT = (4, 5, 7, 8)


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options; the caller adds --db."""
    parser.add_argument("--bad", action="store_true", help="only nodes that need somebody")
    parser.add_argument("--json", action="store_true", help="one JSON object per node and line")
    parser.add_argument(
        "--silence", type=int, default=300, metavar="S", help="a node is silent after S seconds"
    )


def run(args: argparse.Namespace) -> int:
    """Print the fleet; 1 where any node needs somebody."""
    now = time.time_ns() // 1_000_000
    with open_sink(args, readonly=True) as sink:
        found = [(one, troubles(one, now, args.silence * 1000)) for one in fleet(sink, now)]
    found.sort(key=lambda row: (-worst(row[1]), -len(row[1]), -row[0].silent_ms, row[0].node))
    bad = [row for row in found if worst(row[1])]
    shown = bad if args.bad else found
    if args.json:
        for one, wrong in shown:
            print(json.dumps(as_json(one, wrong)))
    else:
        print("\n".join(as_text(shown, len(found), len(bad))))
    _advise(found)
    return 1 if bad else 0


def _advise(found: list[Row]) -> None:
    if not found:
        print("no node has been heard", file=sys.stderr)
    elif len(found) > 1 and all(any(x.kind == "silent" for x in wrong) for _, wrong in found):
        print("no node at all is heard: does `edgenode cityos receive` run?", file=sys.stderr)


def as_json(one: Standing, wrong: list[Trouble]) -> dict[str, object]:
    """Return a node as JSON holds it; the contract is in docs/cli.md."""
    left = one.wear.certificate_left
    return {
        "format": 1,
        "node": one.node.hex(),
        "name": one.name,
        "bad": bool(worst(wrong)),
        "troubles": [
            {"kind": x.kind, "what": x.what, "weight": x.weight, "since_utc_ms": x.since}
            for x in wrong
        ],
        "presence": one.presence,
        "last_seen_utc_ms": one.last_seen or None,
        "silent_s": one.silent_ms // 1000 if one.last_seen else None,
        "clock": None if one.clock is None else {
            "source": wording.clock(one.clock.source), "error_ms": one.clock.err
        },
        "card_life_used_percent": one.wear.card_life_used,
        "disk_free_bytes": one.wear.disk_free,
        "certificate_left_s": left,
        "backlog_batches": one.backlog,
        "bytes_day": one.bytes_day,
        "commissioned": None if one.commissioned is None else {
            "at_utc_ms": one.commissioned.at, "verdict": one.commissioned.verdict,
            "signed": one.commissioned.signed,
        },
        "successions": [succession(x) for x in one.successions],
    }  # fmt: skip


def _commissioned(one: Standing) -> str:
    """Return the day and the verdict; whether the record is proved is told by its own verb."""
    told = one.commissioned
    return NONE if told is None else f"{told.verdict} {wording.iso(told.at)[:10]}"


def succession(one: Succession) -> dict[str, object]:
    """Return a record of what continues as what, as JSON holds it."""
    return {"old": str(one.old), "new": str(one.new), "since_utc_ms": one.since}


def as_text(shown: list[Row], heard: int, bad: int) -> Iterator[str]:
    """Yield the fleet for a person: a line for each node, then what continues as what."""
    if shown:
        yield from table([HEAD, *(_line(*row) for row in shown)], RIGHT)
    yield f"{many(heard, 'node')}, {bad} in need of somebody"
    for one in dict.fromkeys(x for standing, _ in shown for x in standing.successions):
        yield f"{one.old} continues as {one.new} since {wording.iso(one.since)}"


def _line(one: Standing, wrong: list[Trouble]) -> tuple[str, ...]:
    used, free, left = one.wear
    clock = NONE
    if one.clock is not None:
        err = "no time" if one.clock.err is None else f"{one.clock.err} ms"
        clock = f"{wording.clock(one.clock.source)} {err}"
    return (
        one.node.hex(),
        one.name or NONE,
        ago(one.silent_ms / 1000 if one.last_seen else None),
        clock,
        NONE if used is None else f"{used:.0f} %",
        NONE if free is None else size(free),
        NONE if left is None else ("ended" if left <= 0 else span(left)),
        str(one.backlog),
        size(one.bytes_day),
        _commissioned(one),
        "; ".join(x.what for x in wrong) or "well",
    )
