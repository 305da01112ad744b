"""Show the whole road on this machine, disturb it on purpose, and account for every reading."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from shutil import rmtree

from edgenode.errors import NodeError

SHORTEST_S = 10.0


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--seconds", type=float, default=40.0, help="of sampling; default 40")
    parser.add_argument("--json", action="store_true", help="only the account, as one object")


def run(args: argparse.Namespace) -> int:
    """Run the demo; 0 when its account closes."""
    if find_spec("amqtt") is None:
        raise NodeError("the demo brings its own broker: pip install 'edgenode[demo]'")
    if args.seconds < SHORTEST_S:
        raise NodeError(f"{args.seconds:g} s are too few for the play; it needs {SHORTEST_S:g}")
    # Both end the demo like Ctrl-C, and with it every process that it started.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    directory = Path(tempfile.mkdtemp(prefix="edgenode-demo-"))
    try:
        well = _play(directory, args)
    except KeyboardInterrupt:
        rmtree(directory)
        raise
    if well:
        rmtree(directory)
    else:
        print(f"what the run left behind is in {directory}", file=sys.stderr)
    return 0 if well else 1


def _play(directory: Path, args: argparse.Namespace) -> bool:
    from edgenode.demo.play import Play  # noqa: PLC0415 - only once it can run
    from edgenode.demo.show import Show  # noqa: PLC0415 - the same
    from edgenode.demo.stage import Stage  # noqa: PLC0415 - the same
    from edgenode.demo.words import as_json, as_text, closes  # noqa: PLC0415 - the same

    stage = Stage(directory)
    show = Show(stage, None if args.json else sys.stdout)
    try:
        outcome = Play(stage, show, args.seconds).run()
    except NodeError as exc:
        print(f"edgenode demo: {exc}", file=sys.stderr)
        return False
    if args.json:
        print(json.dumps(as_json(outcome), indent=2))
    else:
        show.say("\n".join(["", *as_text(outcome)]))
    return closes(outcome)
