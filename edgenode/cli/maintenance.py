"""Say that somebody works on this node: readings are flagged, alarms silent, until it ends."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from edgenode.cli.asking import add_options, asked, told
from edgenode.cli.spans import seconds
from edgenode.cli.status import maintenance
from edgenode.cli.words import when
from edgenode.errors import ConfigError

DEFAULT_S = 3_600
MOST_S = 86_400
WHY_MOST = 80


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("state_wanted", nargs="?", choices=("on", "off"), metavar="on|off")
    parser.add_argument(
        "--for",
        dest="for_s",
        type=_for,
        metavar="SPAN",
        help="such as 30min or 2h; default 60min, at most 24h",
    )
    parser.add_argument("--why", type=_why, metavar="TEXT", help="at most 80 characters")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Begin, end or show maintenance."""
    if args.state_wanted != "on" and (args.for_s is not None or args.why is not None):
        raise ConfigError(["--for and --why go with `maintenance on`"])
    return told(args, lambda: _asked(args), text)


def _asked(args: argparse.Namespace) -> dict[str, Any]:
    if args.state_wanted is None:
        status = asked(args, "status")
        return {key: status[key] for key in ("format", "utc_ms", "maintenance")}
    if args.state_wanted == "off":
        return asked(args, "maintenance", minutes=0)
    why = {} if args.why is None else {"why": args.why}
    minutes = -(-(args.for_s or DEFAULT_S) // 60)
    return asked(args, "maintenance", minutes=minutes, **why)


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield whether somebody works here, and until when."""
    visit = answer["maintenance"]
    if visit is None:
        yield "nobody works on this node: readings and alarms count"
        return
    yield maintenance(visit)
    until = "" if visit["until_utc_ms"] is None else f" {when(visit['until_utc_ms'])}"
    yield f"  it ends by itself{until}; sooner by: edgenode maintenance off"


def _for(text: str) -> int:
    found = seconds(text)
    if found > MOST_S:
        raise argparse.ArgumentTypeError(f"{text!r} is longer than 24h; begin again tomorrow")
    return found


def _why(text: str) -> str:
    if not 1 <= len(text) <= WHY_MOST or not text.isprintable():
        raise argparse.ArgumentTypeError(f"write 1 to {WHY_MOST} printable characters")
    return text
