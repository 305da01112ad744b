"""Print readings and events as they arrive at a broker; nothing is stored or acknowledged."""

from __future__ import annotations

import argparse
import json
import signal
import sys

from edgenode.cityos.plain import Plain
from edgenode.cityos.tail import Tail
from edgenode.cli.brokers import add_broker_options, brokers_of, node_id
from edgenode.cli.words import number


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    add_broker_options(parser, many=False)
    parser.add_argument("--node", type=node_id, metavar="HEX", help="one node (default: all)")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")


def run(args: argparse.Namespace) -> int:
    """Print until interrupted."""
    broker = brokers_of(args)[0]
    tail = Tail(broker, args.prefix, args.node, _say)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: tail.stop())
    for row in tail.rows():
        print(json.dumps(row) if args.json else as_text(row), flush=True)
    return 0


def as_text(row: Plain) -> str:
    """Return one reading or event as a line for a person."""
    what = f"! {row['event']}" if "event" in row else _reading(row)
    if "event" in row and row["value"] is not None:
        what += f" {row['value']}"
    doubt = "" if row["quality"] == "ok" else f" ({row['quality']})"
    if row["utc"] is not None:
        when = f"{row['utc']} ±{row['err_ms']} ms"
    else:
        when = f"{row['earliest'] or '?'} … {row['latest'] or '?'} (boot + {row['mono']} ms)"
    return f"{when}  {row['node']}  {row['channel'] or 'node'}  {what}{doubt}"


def _reading(row: Plain) -> str:
    value, text = row["value"], number(row["value"], row["scale"])
    if value is not None and float(text) != value:  # a float, which has no resolution
        text = str(value)
    return f"{text} {row['unit']}"


def _say(text: str) -> None:
    print(f"edgenode tail: {text}", file=sys.stderr, flush=True)
