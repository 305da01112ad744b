"""In the guest: the far end of a serial cable, and the instrument that is plugged in there."""

from __future__ import annotations

import os
import select
import termios
import threading
import tty
from pathlib import Path
from typing import Final

from edgenode.virtual.conduct import boot_ns
from edgenode.virtual.kinds import SerialInstrument

NEAR: Final = "/dev/ttyS1"
CHUNK: Final = 256


def far_end() -> str:
    """Return the path of the port on PCI, where the cable ends."""
    (found,) = [
        port.name
        for port in Path("/sys/class/tty").glob("ttyS*")
        if "pci0000" in str((port / "device").resolve())
    ]
    return f"/dev/{found}"


class Plugged:
    """An instrument that answers, at 9600 baud, until the process ends."""

    def __init__(self, instrument: SerialInstrument, path: str) -> None:
        self._instrument = instrument
        self._port = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        tty.setraw(self._port)
        settings = termios.tcgetattr(self._port)
        settings[2] |= termios.CLOCAL | termios.CREAD
        settings[4] = settings[5] = termios.B9600
        termios.tcsetattr(self._port, termios.TCSANOW, settings)
        os.set_blocking(self._port, True)
        threading.Thread(target=self._serve, name="cable", daemon=True).start()

    def _serve(self) -> None:
        while True:
            select.select([self._port], [], [])
            answer = self._instrument.hear(os.read(self._port, CHUNK), boot_ns())
            while answer:
                answer = answer[os.write(self._port, answer) :]
