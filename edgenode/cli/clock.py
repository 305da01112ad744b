"""Say what this machine knows of the time. `forward` steps its clock to that, and never back."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from edgenode.cli.asking import STATE, show
from edgenode.cli.words import table, when

SPOOL = "spool"  # of the state directory


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "work",
        nargs="?",
        choices=("forward",),
        metavar="forward",
        help="step the clock to the build or to the last time in the spool, if it is behind",
    )
    parser.add_argument("--json", action="store_true", help="the document of docs/cli.md")
    parser.add_argument(
        "--state", type=Path, default=Path(STATE), metavar="DIRECTORY", help=f"default: {STATE}"
    )


def run(args: argparse.Namespace) -> int:
    """Print what is known, after stepping the clock where that is asked for."""
    from edgenode.cli import WELL  # noqa: PLC0415 - beside its like
    from edgenode.forward import MachineWall, believed_ms, forward  # noqa: PLC0415 - the same
    from edgenode.spool import last_utc_ms  # noqa: PLC0415 - it loads the spool

    spool_ms = last_utc_ms(args.state / SPOOL, believed_ms())
    stepped_ms = None
    if args.work == "forward":
        done = forward(spool_ms, MachineWall())
        stepped_ms = done.after - done.before
    show(args, document(spool_ms, stepped_ms), text)
    return WELL


def document(spool_ms: int | None, stepped_ms: int | None) -> dict[str, Any]:
    """Return what docs/cli.md describes."""
    from edgenode.clock import SystemClock  # noqa: PLC0415 - ctypes
    from edgenode.forward import built_ms, forwarded  # noqa: PLC0415 - the same
    from edgenode.reading import ClockSource  # noqa: PLC0415 - the same

    clock = SystemClock()
    source, err_ms = clock.sync()
    return {
        "format": 1,
        "utc_ms": clock.utc_ms(),
        "boot_ms": clock.boot_ms(),
        "clock": ClockSource(source).name.lower(),
        "clock_err_ms": err_ms if source else None,
        "forwarded": forwarded(),
        "stepped_ms": stepped_ms,
        "built_utc_ms": built_ms(),
        "spool_utc_ms": spool_ms,
    }


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the document in plain words."""
    rows = [("now", when(answer["utc_ms"])), ("vouched for by", _vouched(answer))]
    if answer["stepped_ms"] is not None:
        rows.append(("stepped", _stepped(answer["stepped_ms"])))
    rows.append(("software built", when(answer["built_utc_ms"])))
    spool = answer["spool_utc_ms"]
    rows.append(("last time in the spool", "none that can be read" if not spool else when(spool)))
    yield from table(rows)


def _vouched(answer: dict[str, Any]) -> str:
    if answer["clock_err_ms"] is not None:
        return f"{answer['clock']}, wrong by at most {answer['clock_err_ms']} ms"
    if answer["forwarded"]:
        return "nobody: it was stepped forward at boot, and it is later than this"
    return "nobody: no NTP has reached the kernel"


def _stepped(stepped_ms: int) -> str:
    return f"{stepped_ms / 1000:.0f} s forward" if stepped_ms else "not: it was no earlier"
