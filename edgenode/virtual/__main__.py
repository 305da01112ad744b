"""`python -m edgenode.virtual`: virtual instruments in a process of their own."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from edgenode.errors import ConfigError
from edgenode.virtual.scenario import STREET, parse
from edgenode.virtual.server import Server


def main(argv: list[str] | None = None) -> int:
    """Serve until SIGTERM or SIGINT; prints `ready` once the sockets are open."""
    parser = argparse.ArgumentParser(
        prog="python -m edgenode.virtual",
        description="Virtual instruments at the level of bytes on a wire.",
    )
    parser.add_argument(
        "--socket", type=Path, required=True, help="the node's path: sim:SOCKET#BUS"
    )
    parser.add_argument("--truth", type=Path, required=True, help="JSON lines are appended here")
    parser.add_argument("--scenario", type=Path, help="TOML; a street corner if none is given")
    parser.add_argument("--control", type=Path, help="a socket that takes JSON lines")
    asked = parser.parse_args(argv)
    try:
        scenario = parse(asked.scenario.read_text("utf-8")) if asked.scenario else STREET
        server = Server(scenario, asked.socket, asked.truth, asked.control)
    except (ConfigError, OSError) as exc:
        print(f"edgenode.virtual: {exc}", file=sys.stderr)  # noqa: T201 - a command's own output
        return 1
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: server.stop())
    with server:
        print("ready", flush=True)  # noqa: T201 - whoever started us waits for this line
        server.run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
