"""List what was wrong, from when to when, across restarts and reboots; newest last."""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator
from typing import Any

from edgenode.cli.asking import add_options, asked, told
from edgenode.cli.spans import seconds
from edgenode.cli.words import span, table, when

LIMIT = 200
LIMIT_MOST = 1000
STARTS = {"boot": "the machine was started: {}", "start": "the daemon was started: {}"}
CAUSES = {
    "first": "none before is known",
    "orderly": "it had been stopped in order",
    "sudden": "it had ended suddenly",
    "watchdog": "by the hardware watchdog",
    "recovery": "to free a bus",
}


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "--since", type=seconds, metavar="SPAN", help="leave out what ended earlier, e.g. 3d"
    )
    parser.add_argument(
        "--limit", type=_limit, default=LIMIT, metavar="N", help=f"the newest N; default {LIMIT}"
    )
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon and print its answer."""
    given = {"limit": args.limit}
    if args.since is not None:
        given["since_utc_ms"] = max(0, int((time.time() - args.since) * 1000))

    def without(state: str) -> tuple[dict[str, Any], list[str]]:
        from edgenode.cli.offline import history_without  # noqa: PLC0415 - only without a daemon

        return history_without(state, **given)

    return told(args, lambda: asked(args, "history", **given), text, without=without)


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield a line for each condition."""
    if not answer["entries"]:
        yield "nothing was wrong"
    yield from table([entry(row) for row in answer["entries"]])
    if answer["kept_from_utc_ms"] is not None:
        yield f"(complete since {when(answer['kept_from_utc_ms'])}; the log is bounded)"


def entry(row: dict[str, Any]) -> tuple[str, str, str]:
    """Return one condition as cells: since when, for how long, what."""
    began = when(row["since_utc_ms"])
    if row["since_utc_ms"] is None:
        began = f"in epoch {row['epoch']}, time unknown"
    what, start = row["what"], STARTS.get(row["key"])
    if start:
        lasted, what = "", start.format(CAUSES.get(what, what))
    elif row["open"]:
        lasted = "until now"
    elif row["lasted_s"] is None:
        lasted = "ended"
    else:
        lasted = f"for {span(row['lasted_s'])}"
    times = f" ({row['times']} times)" if row["times"] > 1 else ""
    return began, lasted, what + times


def _limit(text: str) -> int:
    count = int(text) if text.isdigit() else 0
    if not 1 <= count <= LIMIT_MOST:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {LIMIT_MOST}")
    return count
