"""Print messages of the wire format as JSON lines: what each is, then what is in it.

With --birth, or behind its birth in the same file, the readings of a batch get their channels,
values and times (from its own anchors). An export of a spool is such a file of many messages.
"""

from __future__ import annotations

import argparse
import json
import sys
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO

from edgenode.cityos.plain import describe, packed, rows
from edgenode.cityos.timing import Timeline
from edgenode.errors import ConfigError
from edgenode.wire import Batch, Birth, Message, decode, schema_of
from edgenode.wire.sequence import split

READ_BYTES = 1 << 20  # of a birth; a valid message is far smaller


def register(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "file", metavar="FILE", help="messages one behind the other; - for standard input"
    )
    parser.add_argument("--birth", type=Path, metavar="FILE", help="the birth of the batches")


def run(args: argparse.Namespace) -> int:
    """Print the messages; raises WireError where they end being some."""
    births: dict[bytes, Birth] = {}
    if args.birth is not None:
        birth = _birth(args.birth)
        births[schema_of(birth.groups)] = birth
    with _opened(args.file) as file:
        for data in split(file):
            _print(decode(data), births, forced=args.birth is not None)
    return 0


def _print(message: Message, births: dict[bytes, Birth], *, forced: bool) -> None:
    """Print one message; `forced`: the one birth given must be that of every batch."""
    print(json.dumps(describe(message)))
    if isinstance(message, Birth):
        births[message.schema] = message
    if not isinstance(message, Batch):
        return
    birth = births.get(message.schema)
    if birth is None and forced:
        birth = next(iter(births.values()))  # says in words that it is another's
    lines = packed(message) if birth is None else rows(message, birth, Timeline(message.anchors))
    for line in lines:
        print(json.dumps(line))


def _birth(path: Path) -> Birth:
    with _opened(str(path)) as file:
        birth = decode(file.read(READ_BYTES))
    if not isinstance(birth, Birth):
        raise ConfigError([f"--birth: {path} holds a {type(birth).__name__.lower()}, not a birth"])
    return birth


def _opened(name: str) -> AbstractContextManager[IO[bytes]]:
    if name == "-":
        return nullcontext(sys.stdin.buffer)
    try:
        return Path(name).open("rb")
    except OSError as exc:
        raise ConfigError([f"cannot read {name}: {exc.strerror}"]) from exc
