"""Print a completion script for bash, zsh or fish: source <(edgenode completion bash).

`edgenode completion sensors` and `channels` print the names that the daemon knows, one a line.
"""

from __future__ import annotations

import argparse

from edgenode.cli.asking import SOCKET, asked

SHELLS = ("bash", "zsh", "fish")
NAMES = ("sensors", "channels")


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("shell", choices=(*SHELLS, *NAMES), metavar="|".join((*SHELLS, *NAMES)))
    parser.add_argument("--socket", default=SOCKET, metavar="PATH", help=f"default: {SOCKET}")


def run(args: argparse.Namespace) -> int:
    """Print the script, or the names."""
    if args.shell in NAMES:
        return _names(args)
    from edgenode.cli.grammar import grammars  # noqa: PLC0415 - it loads every verb
    from edgenode.cli.shells import SCRIPTS  # noqa: PLC0415 - the same

    print(SCRIPTS[args.shell](list(grammars())), end="")
    return 0


def _names(args: argparse.Namespace) -> int:
    from edgenode.errors import NodeError  # noqa: PLC0415 - scripts print without it

    try:
        sensors = asked(args, "sensors")["sensors"]
    except NodeError:  # a shell that completes has no use for an error
        return 1
    for sensor in sensors:
        if args.shell == "sensors":
            print(sensor["sensor"])
        else:
            print(*(channel["channel"] for channel in sensor["channels"]), sep="\n")
    return 0
