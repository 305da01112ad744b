"""Let the daemon read its file again; a file with mistakes changes nothing."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from edgenode.cli import USAGE, WELL
from edgenode.cli.asking import SLOW_S, add_options, asked, told


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon and print what is different."""
    return told(args, lambda: asked(args, "reload", SLOW_S), text, code)


def code(answer: dict[str, Any]) -> int:
    """Return 2 where the file has mistakes."""
    return USAGE if answer["problems"] else WELL


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield what changed, or why nothing did."""
    if answer["problems"]:
        yield "nothing was changed:"
        yield from (f"  {problem}" for problem in answer["problems"])
    elif answer["changed"]:
        yield from answer["changed"]
    else:
        yield "nothing in the file is different"
