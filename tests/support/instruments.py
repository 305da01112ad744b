"""Virtual instruments in a thread of the test, behind real sockets."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgenode.virtual import Scenario, Server


class Street:
    """A running server and where to find its things."""

    def __init__(self, directory: Path, server: Server) -> None:
        self.server = server
        self.directory = directory
        self.control = directory / "control"

    def path(self, bus: str) -> str:
        return f"sim:{self.directory / 'wires'}#{bus}"

    def truth(self) -> list[dict[str, Any]]:
        return logged(self.directory / "truth")


def logged(path: Path) -> list[dict[str, Any]]:
    """Return the lines of a log of truth."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@contextmanager
def street(directory: Path, scenario: Scenario) -> Iterator[Street]:
    """Serve a scenario below `directory` until the block ends."""
    server = Server(
        scenario, directory / "wires", directory / "truth", control=directory / "control"
    )
    with server:
        thread = threading.Thread(target=server.run, name="instruments")
        thread.start()
        try:
            yield Street(directory, server)
        finally:
            server.stop()
            thread.join()
