"""`edgenode cityos report`: one place as one page."""

from __future__ import annotations

import argparse
import os
import time
from datetime import UTC, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

from edgenode.cityos.operate.report import gather, last_heard, page
from edgenode.cityos.operate.window import Window
from edgenode.cli.brokers import node_id
from edgenode.cli.replacing import moment
from edgenode.cli.sinks import open_sink
from edgenode.cli.spans import seconds
from edgenode.errors import CityError, ConfigError

SPAN_S = 30 * 86_400


def register(parser: argparse.ArgumentParser) -> None:
    """Add the arguments; the caller adds --db."""
    parser.add_argument("node", type=node_id, metavar="NODE", help="whose place")
    parser.add_argument(
        "--out", type=Path, default=Path("report.html"), metavar="FILE",
        help="the page, replaced where there is one (default report.html)",
    )  # fmt: skip
    parser.add_argument("--from", dest="start", metavar="TIME", help="in --zone, as 2026-11-18")
    parser.add_argument("--to", dest="end", metavar="TIME", help="default: when it was last heard")
    parser.add_argument(
        "--last", type=seconds, metavar="SPAN", help="instead of --from, e.g. 7d (default 30d)"
    )
    parser.add_argument(
        "--zone", type=_zone, default="UTC", metavar="ZONE",
        help="of its times: UTC (default), local, or a name such as Asia/Seoul",
    )  # fmt: skip
    parser.add_argument(
        "--silence", type=int, default=300, metavar="S", help="a node is silent after S seconds"
    )


def run(args: argparse.Namespace) -> int:
    """Write the page; 0 also where the node is not well, since the page was asked for."""
    if args.start is not None and args.last is not None:
        raise ConfigError(["--from and --last contradict each other; leave one out"])
    now = time.time_ns() // 1_000_000
    with open_sink(args, readonly=True) as sink:
        last = last_heard(sink, args.node)
        window = _window(args, last)
        text = page(gather(sink, args.node, window, now, args.silence * 1000))
    _write(args.out, text)
    print(f"{args.out}: {window.say(window.start)} to {window.say(window.end)}, {window.zone_name}")
    return 0


def _window(args: argparse.Namespace, last: int) -> Window:
    zone = _tzinfo(args.zone)
    try:
        end = last + 1 if args.end is None else moment(args.end, zone)
        back = 1000 * (args.last or SPAN_S)
        start = end - back if args.start is None else moment(args.start, zone)
    except argparse.ArgumentTypeError as exc:
        raise ConfigError([f"--from, --to: {exc}"]) from exc
    if not 0 <= start < end:
        raise CityError("--from is not before --to; there is nothing to show")
    return Window(start, end, zone)


def _zone(text: str) -> str:
    try:
        _tzinfo(text)
    except (KeyError, OSError, ValueError) as exc:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time zone here; write UTC, local, or a name such as Asia/Seoul"
        ) from exc
    return text


def _tzinfo(name: str) -> tzinfo | None:
    if name == "local":
        return None
    return UTC if name == "UTC" else ZoneInfo(name)


def _write(path: Path, text: str) -> None:
    """Write beside and rename, so that nobody ever reads half of it."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="utf-8")
        beside.replace(path)
    except OSError as exc:
        beside.unlink(missing_ok=True)
        raise ConfigError([f"cannot write {path}: {exc.strerror}; name another --out"]) from exc
