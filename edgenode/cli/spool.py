"""Say what waits on this node, since when, and for how long there is room.

`export`, `verify` and `salvage` read the files of the spool; they change nothing in it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import add_options, asked, told
from edgenode.cli.status import STEADY_S
from edgenode.cli.words import ago, many, size, table


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options and the sub-verbs."""
    add_options(parser)
    works = parser.add_subparsers(dest="work", metavar="export|verify|salvage")
    export = works.add_parser("export", help="write every batch that is held into one file")
    verify = works.add_parser("verify", help="look at every block, page and batch; 1 if damaged")
    salvage = works.add_parser("salvage", help="write what can be read of a damaged spool")
    for work in (export, salvage):
        work.add_argument("file", type=Path, metavar="FILE", help="a file that is not there yet")
    for work in (export, verify, salvage):  # what stands before the sub-verb holds behind it too
        work.add_argument("--json", action="store_true", default=argparse.SUPPRESS)
        work.add_argument("--state", default=argparse.SUPPRESS, metavar="DIRECTORY")
        work.add_argument("--socket", default=argparse.SUPPRESS, metavar="PATH")


def run(args: argparse.Namespace) -> int:
    """Ask the daemon, or work on the files."""
    if args.work is not None:
        from edgenode.cli.spoolfiles import run as work  # noqa: PLC0415 - it loads the spool

        return work(args)
    return told(args, lambda: document(asked(args, "status")), text, code, _without)


def _without(state: str) -> tuple[dict[str, Any], list[str]]:
    from edgenode.cli.offline import spool_without  # noqa: PLC0415 - only without a daemon

    return spool_without(state)


def code(answer: dict[str, Any]) -> int:
    """Return 1 where the disk is in trouble."""
    return NOT_WELL if answer["degraded"] else WELL


def document(status: dict[str, Any]) -> dict[str, Any]:
    """Return the document of docs/cli.md from that of `status`."""
    spool, uplink = status["spool"], status["uplink"] or {}
    steady = status["up_s"] >= STEADY_S
    return {
        "format": status["format"],
        "utc_ms": status["utc_ms"],
        **{key: spool[key] for key in ("spool", "epoch", "degraded", "cap_bytes", "used_bytes")},
        "fill": round(spool["used_bytes"] / max(spool["cap_bytes"], 1), 4),
        "oldest_s": None if spool["oldest_ms"] is None else spool["oldest_ms"] // 1000,
        "custody": {
            "open": spool["window_readings"],
            "held": spool["held_batches"],
            "in_flight": uplink.get("in_flight", 0),
            "broker": spool["unconfirmed_batches"],
        },
        "sealed_bytes_per_day": spool["sealed_bytes_per_day"],
        "outage_days_left": spool["outage_days_left"],
        "written_bytes_per_day": spool["written_bytes_per_day"] if steady else None,
        "wear_budget_bytes_per_day": spool["wear_budget_bytes_per_day"],
        "lifetime_written_bytes": spool["lifetime_written_bytes"],
        "lost_readings": spool["evicted_readings"] + spool["overflow_readings"],
        "quarantined": quarantined(spool["quarantined"]),
        "left": spool["left"],
    }


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the document in plain words."""
    yield f"spool {answer['spool']} in epoch {answer['epoch']}: {_health(answer)}"
    yield from table([(f"  {name}", words) for name, words in _rows(answer)])
    yield from aside(answer["quarantined"])
    for left in answer["left"]:
        yield f"  left {left['directory']} of node {left['node']} ({size(left['bytes'])})"


def quarantined(pieces: Iterable[tuple[str, str, int]]) -> list[dict[str, Any]]:
    """Return what was set aside as damaged, as docs/cli.md has it."""
    return [{"name": name, "reason": reason, "bytes": count} for name, reason, count in pieces]


def aside(pieces: list[dict[str, Any]]) -> Iterator[str]:
    """Yield what was set aside in plain words."""
    for piece in pieces:
        yield f"  set aside {piece['name']} ({piece['reason']}, {size(piece['bytes'])})"


def _health(answer: dict[str, Any]) -> str:
    return f"NOT WELL, {answer['degraded']}" if answer["degraded"] else "well"


def _rows(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    custody = answer["custody"]
    yield (
        "fill",
        f"{100 * answer['fill']:.1f} % of {size(answer['cap_bytes'])}; eviction begins at 90 %",
    )
    yield "oldest", "nothing is held" if answer["oldest_s"] is None else ago(answer["oldest_s"])
    held = many(custody["held"], "batch")
    yield "custody", f"{custody['open']} readings in the open window; {held} held, of them"
    yield "", f"{custody['in_flight']} in flight, {custody['broker']} with a broker only"
    yield "outage", _outage(answer)
    yield "wear", _wear(answer)
    if answer["lost_readings"]:
        lost = f"{answer['lost_readings']} readings since the start"
        yield "lost", f"{lost}; recorded, and told to the City OS"


def _outage(answer: dict[str, Any]) -> str:
    days, rate = answer["outage_days_left"], answer["sealed_bytes_per_day"]
    if days is None or rate is None:
        return "not known yet: how much a day takes is being measured"
    return f"{days:.1f} days without a link are left, at {size(rate)} a day"


def _wear(answer: dict[str, Any]) -> str:
    rate, budget = answer["written_bytes_per_day"], answer["wear_budget_bytes_per_day"]
    life = f"{size(answer['lifetime_written_bytes'])} over the life of this spool"
    if rate is None:
        return f"measured after an hour, of {size(budget)} a day; {life}"
    return f"{size(rate)} a day to the card, of {size(budget)}; {life}"
