"""One spool's directory as it lies there, read without changing it, also beside a daemon."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cbor2

from edgenode.errors import SpoolError
from edgenode.spool.block import FORMAT
from edgenode.spool.journal import Found, Journal
from edgenode.spool.rebuild import DAMAGED, STORE
from edgenode.spool.remembered import last_moment
from edgenode.spool.rows import MALFORMED
from edgenode.spool.store import Meta
from edgenode.spool.tree import Tree

LOCKS = Path("/proc/locks")
NOTHING = Found(None, (), (), 0)


def in_use(directory: Path) -> bool:
    """Tell whether a process holds the directory's lock, without touching it."""
    status = directory.stat()
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        lines = LOCKS.read_text(encoding="ascii").splitlines()
    except OSError:
        return False
    return any(" FLOCK " in line and device in line.split() for line in lines)


@dataclass
class Glance:
    """What the journal and the small things of the store say. `problem`: why no more is told."""

    path: Path
    found: Found = NOTHING
    meta: dict[int, bytes] = field(default_factory=dict)
    state: list[Any] | None = None
    problem: str = ""

    @property
    def epoch(self) -> int:
        """The last epoch told of; 0 where none is."""
        last = last_moment(self.found, self.state)
        return last.epoch if last else 0


def glance(path: Path, tree: Tree | None) -> Glance:
    """Read the journal and the small things of a spool; NewerFormat becomes a problem."""
    seen = Glance(path)
    try:
        seen.found = _journal(path / "journal")
        if tree is not None:
            rows = tree.rows("meta")
            seen.meta = {row.columns[0]: row.columns[1] for row in rows if row.sound}
            seen.state = _state(seen.meta)
    except OSError as error:
        seen.problem = f"cannot be read: {error.strerror}"
    except SpoolError as error:
        seen.problem = str(error)
    return seen


def _journal(path: Path) -> Found:
    if not path.exists():
        return NOTHING
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return Journal(fd).read()
    finally:
        os.close(fd)


def _state(meta: dict[int, bytes]) -> list[Any] | None:
    try:
        state: list[Any] = cbor2.loads(meta[Meta.STATE])
        newer, known = state[0] > FORMAT, len(state) > 9
    except (KeyError, *MALFORMED):
        return None
    if newer:
        raise SpoolError(f"the store is of format {state[0]}; this version knows {FORMAT}")
    return state if known else None


@contextmanager
def tree_of(path: Path) -> Iterator[Tree | None]:
    """Open the tree of a spool's store, None where there is none."""
    store = path / (STORE if (path / STORE).exists() else DAMAGED)
    if not store.exists():
        yield None
        return
    with Tree(store) as tree:
        yield tree
