"""Print the metrics of the node as OpenMetrics text."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from edgenode.cli.asking import add_options, asked, told


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    """Ask the daemon and print its answer."""
    return told(args, lambda: asked(args, "metrics"), text)


def text(answer: dict[str, Any]) -> Iterator[str]:
    """Yield the lines of the exposition."""
    yield from answer["text"].splitlines()
