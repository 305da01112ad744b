"""What verbs share: their options, how the daemon is asked, and how an answer is told."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import Any

from edgenode.cli import NO_DAEMON, WELL

CONFIG = "/etc/edgenode/edgenode.toml"
SOCKET = "/run/edgenode/control.sock"
STATE = "/var/lib/edgenode"
ASK_S = 3.0
SLOW_S = 12.0  # the daemon itself answers within 10 s

Document = dict[str, Any]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Declare the options of every verb that asks the daemon."""
    parser.add_argument("--json", action="store_true", help="the document of docs/cli.md")
    parser.add_argument("--socket", default=SOCKET, metavar="PATH", help=f"default: {SOCKET}")
    parser.add_argument(
        "--state",
        default=STATE,
        metavar="DIRECTORY",
        help=f"looked at where no daemon answers; default: {STATE}",
    )


def add_config_option(parser: argparse.ArgumentParser) -> None:
    """Declare the option of every verb that reads the configuration."""
    from pathlib import Path  # noqa: PLC0415 - who asks the daemon shall not pay for it

    parser.add_argument(
        "--config", type=Path, default=CONFIG, metavar="FILE", help=f"default: {CONFIG}"
    )


def asked(args: argparse.Namespace, verb: str, timeout_s: float = ASK_S, **given: Any) -> Document:
    """Ask the daemon; raises NoDaemon where none answers, Refused where it will not."""
    from pathlib import Path  # noqa: PLC0415 - `--help` shall not pay for it

    from edgenode.control import ask  # noqa: PLC0415 - the same

    return ask(Path(args.socket), verb, timeout_s, **given)


def told(
    args: argparse.Namespace,
    answer: Callable[[], Document],
    text: Callable[[Document], Iterable[str]],
    code: Callable[[Document], int] = lambda _: WELL,
    without: Callable[[str], tuple[Document, list[str]]] = lambda _: ({}, []),
) -> int:
    """Print the answer and return the exit code.

    Without a daemon it prints what can be told all the same; `without` adds fields and lines of
    a verb, from the state directory.
    """
    from edgenode.control import NoDaemon  # noqa: PLC0415 - the same

    try:
        document = answer()
    except NoDaemon as exc:
        from edgenode.cli.absent import MORE, absent, lines  # noqa: PLC0415 - rarely needed

        found, more = without(args.state)
        document = absent(args.state, str(exc)) | found
        show(args, document, lambda _: [*lines(document, args.state), *(more or [MORE])])
        return NO_DAEMON
    show(args, document, text)
    return code(document)


def show(
    args: argparse.Namespace, document: Document, text: Callable[[Document], Iterable[str]]
) -> None:
    """Print a document as JSON, or as `text` has it."""
    if args.json:
        import json  # noqa: PLC0415 - the same

        json.dump(document, sys.stdout, indent=2)
        print()
        return
    for line in text(document):
        print(harmless(line))


def harmless(line: str) -> str:
    """Return the line without what a terminal would obey: a sensor may have said anything."""
    return line if line.isprintable() else "".join(c if c.isprintable() else "?" for c in line)
