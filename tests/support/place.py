"""A city on this machine whose every part can be killed: brokers, receivers, PostgreSQL."""

from __future__ import annotations

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from edgenode.cityos.sink import Sink
from tests.support.mosquitto import Mosquitto
from tests.support.postgres import Postgres


class Place:
    """What runs beside the fleet, and can be killed."""

    def __init__(self, directory: Path, *, save_s: int = 30) -> None:
        self._stack = ExitStack()
        self._directory = directory
        self._save_s = save_s
        self._receivers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.brokers = [
            self._stack.enter_context(self._broker(name)) for name in ("north", "south")
        ]
        self.postgres = self._stack.enter_context(Postgres(["shared_buffers=256MB"]))
        self.url = self.postgres.url(self.postgres.database())
        Sink.open(self.url).close()  # its tables, which a receiver would make a moment later
        self._stack.callback(self._end)
        for number in range(2):
            self._receivers.append(self._receive(number))
        return self

    def __exit__(self, *exc: object) -> None:
        self._stack.close()

    def _broker(self, name: str) -> Mosquitto:
        """Return one that remembers sessions of receivers when it is killed (docs/brokers.md)."""
        directory = self._directory / name
        keep = ["persistence true", f"persistence_location {directory}/"]
        return Mosquitto(directory, [*keep, f"autosave_interval {self._save_s}"], verbose=False)

    def _end(self) -> None:
        for process in self._receivers:
            process.terminate()
            process.wait(30)

    def words(self) -> list[str]:
        """Return what receivers and fleet are both told."""
        found = ["--no-tls", "--db", self.url]
        for broker in self.brokers:
            found += ["--broker", f"127.0.0.1:{broker.port}"]
        return found

    def _receive(self, number: int) -> subprocess.Popen[bytes]:
        words = ["cityos", "receive", "--share", "city", *self.words()]
        with (self._directory / f"receiver{number}").open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "edgenode", *words], stdout=log, stderr=log
            )

    def kill_receiver(self, number: int) -> None:
        """Lose one, and start it again."""
        self._receivers[number].kill()
        self._receivers[number].wait()
        self._receivers[number] = self._receive(number)

    def kill_postgres(self) -> None:
        """Lose it with all its connections, and start it again."""
        self.postgres.kill()
        self.postgres.start()

    def kill_broker(self, number: int) -> None:
        """Lose one of the two, and start it again."""
        self.brokers[number].kill()
        self.brokers[number].start()

    def kill_brokers(self) -> None:
        """Lose all of them."""
        for broker in self.brokers:
            broker.kill()

    def start_brokers(self) -> None:
        """Start all of them again."""
        for broker in self.brokers:
            broker.start()
