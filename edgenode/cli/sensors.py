"""List every sensor and channel: state, newest value, quality, age and purpose."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from edgenode.cli import NOT_WELL, WELL
from edgenode.cli.asking import add_options, asked, told
from edgenode.cli.words import NONE, ago, many, number, span, table

GONE = ("lost", "faulty")
HEAD = ("CHANNEL", "VALUE", "UNIT", "QUALITY", "AGE", "PURPOSE")


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon and print its answer."""
    return told(args, lambda: asked(args, "sensors"), text, code)


def code(answer: dict[str, Any]) -> int:
    """Return 1 where a sensor does not work."""
    return NOT_WELL if any(row["state"] in GONE for row in answer["sensors"]) else WELL


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each sensor, then a table of all channels."""
    if not answer["sensors"]:
        yield "no sensors are configured"
        return
    yield from table([_sensor(row) for row in answer["sensors"]])
    yield ""
    channels = [channel for row in answer["sensors"] for channel in row["channels"]]
    yield from table([HEAD, *map(_channel, channels)], right=(1, 4))


def _sensor(row: dict[str, Any]) -> tuple[str, ...]:
    reason = f" ({row['reason']}: {row['detail']})" if row["reason"] else ""
    life = row.get("life")
    worn = f"; {life['used_percent']} % of its {life['what']} used" if life else ""
    unverified = " (unverified)" if row["grade"] == "unverified" else ""
    return (
        row["sensor"],
        f"{row['driver']}{unverified} on {row['bus']}",
        f"every {row['every_ms'] / 1000:g} s",
        f"{many(row['reads'], 'read')}, {row['failures']} failed, {row['missed']} missed",
        f"{row['state']}{reason}; last good read {ago(row['last_ok_s'])}{worn}",
    )


def _channel(row: dict[str, Any]) -> tuple[str, ...]:
    age = NONE if row["age_s"] is None else span(row["age_s"])
    marks = [mark for mark in ("derived",) if row["derived"]]
    if row["calibration"]:
        marks.append(f"calibration {row['calibration']}")
    purpose = row["purpose"] + (f" ({', '.join(marks)})" if marks else "")
    value = number(row["value"], row["scale"])
    return row["channel"], value, row["unit"], row["quality"] or NONE, age, purpose
