"""The process ends in the middle of a write, a flush or a transaction, at points drawn by seed."""

from __future__ import annotations

import os
import random
import sqlite3
from collections.abc import Callable
from typing import Any

import pytest

from edgenode.reading import EventCode
from edgenode.spool import journal
from edgenode.spool.database import Database
from tests.support.spool_machine import CODES, SpoolMachine

CRASHES = 150


class Crash(BaseException):
    """The process is gone; nothing may catch this."""


class Faults:
    """Counts what reaches the disk, and ends the process at a chosen one, before or after it."""

    def __init__(self, at: int, dice: random.Random) -> None:
        self.left = at
        self.dice = dice
        self.done = False

    def due(self) -> bool:
        self.left -= 1
        self.done = self.left == 0
        return self.done

    def write(self, plain: Callable[..., None], fd: int, data: bytes, offset: int) -> None:
        if self.due():
            torn = self.dice.randrange(0, len(data) + 1, 512)  # sectors are whole
            plain(fd, data[:torn], offset)
            raise Crash
        plain(fd, data, offset)

    def flush(self, plain: Callable[[int], None], fd: int) -> None:
        if self.due():
            raise Crash
        plain(fd)
        if self.due():
            raise Crash

    def attempt(
        self, plain: Callable[..., Any], database: Database, work: Callable[[], Any]
    ) -> Any:
        if self.due():
            raise Crash
        result = plain(database, work)
        if self.due():
            raise Crash
        return result


def act(machine: SpoolMachine, dice: random.Random) -> None:
    """Do one thing that a node does."""
    name = dice.choices(
        ["sample", "event", "wait", "connect", "send", "acks", "count"], [6, 3, 2, 2, 6, 3, 1]
    )[0]
    if name == "sample":
        machine.sample(dice.randint(1, 70), dice.random() < 0.9)
    elif name == "event":
        machine.event(dice.choice([*CODES, EventCode.STATE_CHANGED]), dice.randint(1, 4))
    elif name == "wait":
        machine.wait(dice.choice([1000, 5000, 61_000]))
    elif name == "connect":
        machine.connect(dice.random() < 0.8)
    elif name == "send":
        fate = dice.choice(["arrives", "acked", "lost", "released"])
        machine.send(dice.random() < 0.5, dice.randint(1, 5), fate)
    elif name == "acks":
        machine.city_acks()
    else:
        machine.count(1)


@pytest.mark.parametrize("seed", range(CRASHES))
def test_a_crash_in_any_write_loses_nothing_committed_and_repeats_nothing(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dice = random.Random(seed)
    machine = SpoolMachine()
    machine.first()
    faults = Faults(dice.randint(1, 60), dice)
    with monkeypatch.context() as patch:
        write, flush, attempt = journal._pwrite, os.fdatasync, Database._attempt
        patch.setattr(journal, "_pwrite", lambda *args: faults.write(write, *args))
        patch.setattr(os, "fdatasync", lambda fd: faults.flush(flush, fd))
        patch.setattr(Database, "_attempt", lambda *args: faults.attempt(attempt, *args))
        try:
            while not faults.done:
                act(machine, dice)
        except Crash:
            pass
    crash_now(machine, reboot=dice.random() < 0.7)
    for _ in range(10):
        act(machine, dice)
    machine.teardown()


def crash_now(machine: SpoolMachine, *, reboot: bool) -> None:
    """Start on a copy of what the files hold now; a transaction that was open never was."""
    for keeper in machine.spool._keepers:
        connection: sqlite3.Connection = keeper.core.store.database.connection
        if connection.in_transaction:
            connection.rollback()
    machine.crash_with("", reboot=reboot)
