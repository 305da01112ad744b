"""Watch the node live, refreshed each second: q or Ctrl-C quits."""

from __future__ import annotations

import argparse
from typing import Any

from edgenode.cli.asking import add_options, asked, told

EVERY_S = 1.0


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--once", action="store_true", help="print one frame and leave")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Show frames until somebody quits; one frame with --once or --json."""

    def both() -> dict[str, Any]:
        return {"format": 1, "status": asked(args, "status"), "sensors": asked(args, "sensors")}

    if args.json:
        return told(args, both, lambda _: ())

    from edgenode.cli.live import Live, watch  # noqa: PLC0415 - rich takes long to load

    if args.once:
        return told(args, both, Live().plain)
    # The first answer decides whether there is anything to watch.
    return told(args, both, lambda first: watch(first, both, EVERY_S))
