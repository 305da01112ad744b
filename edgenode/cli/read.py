"""Read one sensor once, now, and say what it answers."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from edgenode.advice import REASONS
from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import SLOW_S, add_options, asked, told
from edgenode.cli.words import ago, number, table


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("sensor", metavar="SENSOR", help="its name in the configuration")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon and print its answer."""
    return told(args, lambda: asked(args, "read", SLOW_S, sensor=args.sensor), text, code)


def code(answer: dict[str, Any]) -> int:
    """Return 1 where a channel is not ok."""
    good = all(channel["quality"] == "ok" for channel in answer["channels"])
    return WELL if good and answer["reason"] is None else NOT_WELL


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield what the sensor answered."""
    if answer["reason"] is None:
        yield f"{answer['sensor']} answered in {answer['took_ms']} ms{_age(answer)}"
    else:
        yield f"{answer['sensor']} gave nothing: {answer['reason']}: {answer['detail']}"
        yield f"  do: {REASONS.get(answer['reason'], REASONS['no-answer'])}"
        yield f"  do: edgenode why {answer['sensor']}/… tells more"
    rows = [
        (f"  {row['channel']}", number(row["value"], row["scale"]), row["unit"], row["quality"])
        for row in answer["channels"]
    ]
    yield from table(rows, right=(1,))


def _age(answer: dict[str, Any]) -> str:
    if answer["fresh"]:
        return ""
    return f", {ago(answer['age_s'])}: the part may not be asked more often"
