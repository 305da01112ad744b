"""What a spool holds as one file that others can read: a CBOR sequence of the messages themselves.

The file holds births, then batches, each exactly as it would travel (docs/wire-format.md), one
behind the other (RFC 8742). Which node, spool, stream and seq a batch is stands in the batch.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from edgenode.errors import SpoolError, WireError
from edgenode.spool.births import read_births
from edgenode.spool.directory import spools_in
from edgenode.spool.glance import tree_of
from edgenode.spool.quarantine import DIRECTORY
from edgenode.spool.rebuild import DAMAGED, STORE
from edgenode.spool.salvage import Salvage
from edgenode.spool.store import TABLES
from edgenode.wire import Batch, Birth, decode


@dataclass
class Exported:
    """What was written, and what was left out since it is damaged."""

    births: int = 0
    batches: int = 0
    bytes: int = 0
    damaged: int = 0
    steady: bool = True  # false: a daemon wrote meanwhile; export again for the whole of it


def export(directory: Path, out: Path) -> Exported:
    """Write every sealed batch that is held, and the births they need, to the new file `out`.

    Reads only: the batches stay with the node, which still sends them. May run beside a daemon.
    Readings that no batch holds yet are left out. Raises SpoolError where the directory cannot be
    read, or `out` exists or cannot be written.
    """
    result = Exported()
    with _writing(out, directory) as file:
        paths = spools_in(directory)
        seen: set[bytes] = set()  # whole: two nodes may have one schema
        for path in paths:
            for data in read_births(path).values():
                if data not in seen:
                    _write(file, data, Birth, result)
                    seen.add(data)
            with tree_of(path) as tree:
                for row in tree.rows("birth") if tree else ():
                    if row.sound and row.columns[2] not in seen:
                        seen.add(row.columns[2])
                        _write(file, row.columns[2], Birth, result)
        for path in paths:
            _export_batches(path, file, result)
    return result


def _export_batches(path: Path, file: IO[bytes], result: Exported) -> None:
    with tree_of(path) as tree:
        if tree is None:
            result.damaged += 1
            return
        for row in tree.rows("batch"):
            if row.sound:
                _write(file, row.columns[7], Batch, result)
            else:
                result.damaged += 1
        result.damaged += len(tree.faults)
        result.steady = result.steady and tree.steady


def salvage(directory: Path, out: Path) -> Exported:
    """Write every batch and birth that any page of any store still proves to the new file `out`.

    Also from what was set aside in quarantine. Needs no tree, so it finds batches that were pruned
    or evicted too: a receiver drops what it has. Changes nothing; what can be mended the next
    start mends. Raises SpoolError while a daemon runs, and as `export` does.
    """
    result = Exported()
    with _held(directory), _writing(out, directory) as file:
        stores = list(_stores(directory))
        seen: set[object] = set()
        for kind, table, at in ((Birth, "birth", 2), (Batch, "batch", 7)):
            for store in stores:
                scan = Salvage(store, {table: TABLES[table]})
                for row in scan.rows():
                    data = row.columns[at]
                    key = data if kind is Birth else _identity(data)
                    if key not in seen:
                        seen.add(key)
                        _write(file, data, kind, result)
                if kind is Batch:
                    result.damaged += scan.pages_bad
    return result


def _stores(directory: Path) -> Iterator[Path]:
    """Yield the stores of a directory: in use, half mended, or set aside."""
    for room in (directory, *spools_in(directory)):
        for place in (room, *sorted((room / DIRECTORY).glob("*"))):
            yield from (place / name for name in (STORE, DAMAGED) if (place / name).exists())


def _identity(data: Any) -> object:
    """Return (spool, stream, seq) of a batch, the bytes themselves where they are none."""
    try:
        batch = decode(data)
    except WireError:
        return data
    return (batch.spool, batch.stream, batch.seq) if isinstance(batch, Batch) else data


def _write(file: IO[bytes], data: object, kind: type, result: Exported) -> None:
    """Append a message, unless it is not the message it should be."""
    try:
        sound = isinstance(data, bytes) and isinstance(decode(data), kind)
    except WireError:
        sound = False
    if not sound or not isinstance(data, bytes):
        result.damaged += 1
        return
    file.write(data)
    result.bytes += len(data)
    result.births += kind is Birth
    result.batches += kind is Batch


@contextmanager
def _writing(out: Path, directory: Path) -> Iterator[IO[bytes]]:
    """Give a new file, durable at the end and gone after a failure."""
    try:
        with out.open("xb") as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
            except BaseException:
                out.unlink()
                raise
    except FileExistsError:
        raise SpoolError(f"{out} exists already: name a new file") from None
    except OSError as error:
        where = error.filename or out
        raise SpoolError(
            f"the spool in {directory} could not be written to {out}: {where}: {error.strerror}"
        ) from error


@contextmanager
def _held(directory: Path) -> Iterator[None]:
    """Hold the directory as a daemon would, so that none writes meanwhile."""
    try:
        fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise SpoolError(f"the spool in {directory} cannot be read: {error.strerror}") from error
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise SpoolError(
            f"a daemon uses the spool in {directory}: stop it first (systemctl stop edgenode)"
        ) from None
    finally:
        os.close(fd)
