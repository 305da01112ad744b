"""A serial adapter on a pseudo-terminal, which can be unplugged."""

from __future__ import annotations

import os
import pty
import tty
from pathlib import Path


class Adapter:
    """A USB adapter behind a name that does not change; `far` is what hangs on its cable."""

    def __init__(self, directory: Path) -> None:
        self.path = str(directory / "usb-FTDI_A1-if00-port0")
        self.far = -1
        self.plug()

    def plug(self) -> None:
        self.far, near = pty.openpty()
        tty.setraw(near)
        Path(self.path).symlink_to(os.ttyname(near))
        os.close(near)

    def unplug(self) -> None:
        Path(self.path).unlink()
        os.close(self.far)
        self.far = -1

    def says(self, data: bytes) -> None:
        assert os.write(self.far, data) == len(data)

    def close(self) -> None:
        if self.far >= 0:
            os.close(self.far)


def descriptors() -> int:
    """Count what this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))
