"""Options that name a sink, shared by the verbs of the receiving side."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from edgenode.cityos.sink import Sink
from edgenode.cityos.store import SinkAway, is_url
from edgenode.errors import ConfigError

AGAIN_S = 2.0  # before another try to open a database that is away


def add_sink_options(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Add --db and what belongs to it."""
    parser.add_argument(
        "--db", type=_place, required=required, metavar="FILE|URL",
        help="the sink: a file of SQLite, or postgresql://USER@HOST/DATABASE",
    )  # fmt: skip
    parser.add_argument(
        "--db-password-file", type=Path, metavar="FILE", help="of PostgreSQL; else PGPASSFILE"
    )


def open_sink(args: argparse.Namespace, *, readonly: bool = False) -> Sink:
    """Open the sink asked for; raises ConfigError for a password file that cannot be read."""
    file, password = args.db_password_file, None
    if file is not None:
        try:
            password = file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise ConfigError([f"--db-password-file: cannot read {file}: {exc}"]) from exc
    return Sink.open(args.db, readonly=readonly, password=password)


@contextmanager
def awaited_sink(
    args: argparse.Namespace, stopped: Callable[[float], bool], say: Callable[[str], None]
) -> Iterator[Sink | None]:
    """Open it, waiting for a database that is away; None where it was time to stop before."""
    told = ""
    while True:
        try:
            sink = open_sink(args)
        except SinkAway as exc:
            if str(exc) != told:
                told = str(exc)
                say(f"{told}; waiting for it")
            if stopped(AGAIN_S):
                yield None
                return
        else:
            break
    with sink:
        yield sink


def _place(text: str) -> Path | str:
    return text if is_url(text) else Path(text)
