"""systemd's end of sd_notify: a descriptor store that outlives the processes it serves."""

from __future__ import annotations

import array
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ServiceManager:
    """Takes in FDSTORE, FDSTOREREMOVE and BARRIER in a thread of its own, as sd_notify(3) says."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.heard: list[str] = []
        self.stored: list[tuple[str, int]] = []  # newest first, as systemd keeps them
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    @property
    def names(self) -> list[str]:
        """Return the names of what is kept, sorted."""
        return sorted(name for name, _ in self.stored)

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as goodbye:
            goodbye.sendto(b"GOODBYE", self.path)
        self._thread.join(5)
        self._socket.close()
        for _, descriptor in self.stored:
            os.close(descriptor)

    def _serve(self) -> None:
        while True:
            message, descriptors = self._received()
            self.heard.append(message)
            words = dict(line.split("=", 1) for line in message.splitlines() if "=" in line)
            if message == "GOODBYE":
                return
            if "FDSTORE" in words:
                self.stored[:0] = [(words["FDNAME"], descriptor) for descriptor in descriptors]
                continue
            if "FDSTOREREMOVE" in words:
                gone = [entry for entry in self.stored if entry[0] == words["FDNAME"]]
                self.stored = [entry for entry in self.stored if entry not in gone]
                descriptors += [descriptor for _, descriptor in gone]
            for descriptor in descriptors:  # of a barrier too: closing them is the answer
                os.close(descriptor)

    def _received(self) -> tuple[str, list[int]]:
        descriptors = array.array("i")
        space = socket.CMSG_SPACE(8 * descriptors.itemsize)
        message, ancillary, _, _ = self._socket.recvmsg(4096, space)
        for _, _, data in ancillary:
            descriptors.frombytes(data)
        return message.decode(), list(descriptors)


@contextmanager
def service_manager(directory: Path) -> Iterator[ServiceManager]:
    """Run one as long as a test lasts."""
    manager = ServiceManager(directory / "notify")
    try:
        yield manager
    finally:
        manager.close()
