"""Processes of the demo: started with a log of their own, ended whatever happens."""

from __future__ import annotations

import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from edgenode.errors import NodeError

END_S = 8.0  # between SIGTERM and SIGKILL
LAST_WORDS = 1_500  # characters of a log that an error quotes


@contextmanager
def undisturbed() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back until the block is done; then raise KeyboardInterrupt for them.

    Else they might come when a process runs already, and nobody knows of it yet.
    """
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, _: came.append(number))
        for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        raise KeyboardInterrupt


class Child:
    """One process, `python -m WORDS…`, whose output goes to a log file."""

    def __init__(self, name: str, words: list[str], directory: Path) -> None:
        self.name = name
        self.log = directory / f"{name}.log"
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                process_group=0,  # Ctrl-C is for the demo, which ends its children in order
            )

    def wait_ready(self, seconds: float) -> None:
        """Wait for a line that begins with `ready`; raises NodeError when none comes."""
        out = self.process.stdout
        deadline = time.monotonic() + seconds
        while out is not None and (left := deadline - time.monotonic()) > 0:
            if not select.select([out], [], [], left)[0]:
                break
            line = out.readline()
            if line.startswith(b"ready"):
                return
            if not line:
                break
        raise NodeError(f"{self.name} did not start:\n{self.last_words()}")

    def last_words(self) -> str:
        """Return the end of the log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return text[-LAST_WORDS:] or "(it said nothing)"

    @property
    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process.poll() is None

    def kill(self) -> None:
        """End it as a power cut would."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def end(self, seconds: float = END_S) -> int:
        """Ask it to leave, insist after `seconds`; return its exit code."""
        if self.alive:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        if self.process.stdout:
            self.process.stdout.close()
        return self.process.returncode

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.end()
