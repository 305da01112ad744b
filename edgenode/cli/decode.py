"""Print messages of the wire format as JSON lines: what each is, then what is in it.

With --birth, or behind its birth in the same file, the readings of a batch get their channels,
values and times (from its own anchors). An export of a spool is such a file of many messages.
With --senml each batch becomes a SenML pack instead: a line of JSON, or a CBOR sequence.
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
    parser.add_argument("--senml", choices=("json", "cbor"), help="batches as SenML (RFC 8428)")


def run(args: argparse.Namespace) -> int:
    """Print the messages; raises WireError where they end being some.

    1 where SenML cannot tell of all readings, since their time is not known.
    """
    births: dict[bytes, Birth] = {}
    if args.birth is not None:
        birth = _birth(args.birth)
        births[schema_of(birth.groups)] = birth
    forced, left = args.birth is not None, 0
    with _opened(args.file) as file:
        for data in split(file):
            message = decode(data)
            if args.senml is None:
                _print(message, births, forced=forced)
            elif isinstance(message, Batch):
                left += _pack(message, _its_birth(message, births, forced=forced), args.senml)
            if isinstance(message, Birth):
                births[message.schema] = message
    if left:
        print(f"{left} readings are left out: their time is not known", file=sys.stderr)
    return 1 if left else 0


def _its_birth(batch: Batch, births: dict[bytes, Birth], *, forced: bool) -> Birth | None:
    """Return the birth of a batch; `forced`: the one birth given must be that of every batch."""
    birth = births.get(batch.schema)
    if birth is None and forced:
        birth = next(iter(births.values()))  # says in words that it is another's
    return birth


def _pack(batch: Batch, birth: Birth | None, form: str) -> int:
    """Write a batch as SenML; return how many readings are left out."""
    from edgenode.cityos.export import senml  # noqa: PLC0415 - only with --senml

    if birth is None:
        raise ConfigError([f"SenML wants the birth of schema {batch.schema.hex()}: give --birth"])
    records, untimed = senml.pack(batch, birth, Timeline(batch.anchors))
    if records and form == "cbor":
        sys.stdout.buffer.write(senml.as_cbor(records))
    elif records:
        print(senml.as_json(records))
    return untimed


def _print(message: Message, births: dict[bytes, Birth], *, forced: bool) -> None:
    """Print one message, and what is in it."""
    print(json.dumps(describe(message)))
    if not isinstance(message, Batch):
        return
    birth = _its_birth(message, births, forced=forced)
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
