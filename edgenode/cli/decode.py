"""Print one message of the wire format as JSON lines: what it is, then what is in it.

With --birth the readings of a batch get their channels, values and times (from its own anchors).
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from edgenode.cityos.plain import describe, packed, rows
from edgenode.cityos.timing import Timeline
from edgenode.errors import ConfigError
from edgenode.wire import Batch, Birth, decode

READ_BYTES = 1 << 20  # of a file; a valid message is far smaller


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("file", metavar="FILE", help="one message, or - for standard input")
    parser.add_argument("--birth", type=Path, metavar="FILE", help="the birth of a batch")


def run(args: argparse.Namespace) -> int:
    """Print the message; raises WireError when it is not one."""
    message = decode(_read(args.file))
    print(json.dumps(describe(message)))
    if not isinstance(message, Batch):
        return 0
    lines = packed(message) if args.birth is None else _rows(message, args.birth)
    for line in lines:
        print(json.dumps(line))
    return 0


def _rows(batch: Batch, path: Path) -> list[dict[str, object]]:
    birth = decode(_read(str(path)))
    if not isinstance(birth, Birth):
        raise ConfigError([f"--birth: {path} holds a {type(birth).__name__.lower()}, not a birth"])
    return rows(batch, birth, Timeline(batch.anchors))


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read(READ_BYTES)
    try:
        with Path(name).open("rb") as file:
            return file.read(READ_BYTES)
    except OSError as exc:
        raise ConfigError([f"cannot read {name}: {exc.strerror}"]) from exc
