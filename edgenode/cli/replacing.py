"""`edgenode cityos replace`: say that a node or a sensor continues as another."""

from __future__ import annotations

import argparse
import re
from datetime import UTC, datetime, tzinfo

from edgenode.cityos.operate.continuity import (
    Part,
    Succession,
    first_reading,
    known,
    record,
    undo,
)
from edgenode.cityos.sink import Sink
from edgenode.cityos.wording import iso
from edgenode.cli.brokers import node_id
from edgenode.cli.sinks import open_sink
from edgenode.errors import CityError

_SENSOR = re.compile(r"[A-Za-z0-9][-.:_A-Za-z0-9]*")


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments; the caller adds --db."""
    parser.add_argument("old", type=part, metavar="OLD", help="what stood there: NODE[/SENSOR]")
    parser.add_argument("new", type=part, metavar="NEW", help="what stands there: NODE[/SENSOR]")
    parser.add_argument(
        "--at", type=moment, metavar="TIME",
        help="since when, e.g. 2026-11-18T09:30+09:00 (default: the first reading of NEW)",
    )  # fmt: skip
    parser.add_argument("--undo", action="store_true", help="take the record back")


def run(args: argparse.Namespace) -> int:
    """Write the record, or take it back."""
    with open_sink(args) as sink:
        if args.undo:
            undo(sink, args.old, args.new)
            print(f"{args.old} and {args.new} are places of their own again")
            return 0
        for one in (args.old, args.new):
            if not known(sink, one):
                raise CityError(f"{one} was never heard; `edgenode cityos nodes` lists what was")
        made = Succession(args.old, args.new, _since(sink, args.new, args.at))
        record(sink, made)
    print(f"{made.old} continues as {made.new} since {iso(made.since)}")
    return 0


def _since(sink: Sink, new: Part, at: int | None) -> int:
    found = first_reading(sink, new) if at is None else at
    if found is None:
        raise CityError(f"no reading of {new} has a time yet; say since when by --at")
    return found


def part(text: str) -> Part:
    """Read NODE or NODE/SENSOR."""
    node, slash, sensor = text.partition("/")
    if slash and not _SENSOR.fullmatch(sensor):
        raise argparse.ArgumentTypeError(f"{sensor!r} is no name of a sensor")
    return Part(node_id(node), sensor)


def moment(text: str, zone: tzinfo | None = UTC) -> int:
    """Read a time of ISO 8601 as POSIX ms; without an offset it is one of `zone`.

    A `zone` of None is that of this machine.
    """
    try:
        found = datetime.fromisoformat(text)
    except ValueError as exc:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time; write 2026-11-18T09:30+09:00 or only 2026-11-18"
        ) from exc
    if found.tzinfo is None:
        found = found.astimezone() if zone is None else found.replace(tzinfo=zone)
    return int(found.timestamp() * 1000)
