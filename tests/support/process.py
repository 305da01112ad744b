"""One server in a process of its own, its output in a file."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from tests.support.ports import until


def program(name: str, package: str) -> str:
    """Return the path of a program; fail naming its Debian package when it is missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found is not None, f"{name} is missing: apt install {package}"
    return found


class Process:
    """Started again by `start` after `end`; what it says is appended to `log`."""

    def __init__(
        self, command: Sequence[str], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.log = log
        self._command = tuple(command)
        self._env = None if env is None else {**os.environ, **env}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, in a group of its own, and return at once."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                env=self._env, start_new_session=True,
            )  # fmt: skip

    def usable(self, answers: Callable[[], bool], seconds: float) -> None:
        """Wait until `answers` holds; fail with the end of the log when the process ends."""
        until(lambda: self._lives() and answers(), f"{self._command[0]}; see {self.log}", seconds)

    def _lives(self) -> bool:
        assert self._process is not None, "it was not started"
        ended = self._process.poll() is not None
        assert not ended, self.log.read_text(encoding="utf-8", errors="replace")[-4_000:]
        return True

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it and its children with a signal, if it runs."""
        if self._process is not None:
            with suppress(ProcessLookupError):  # it ended by itself; its log has said why
                os.killpg(self._process.pid, number)
            self._process.wait(15)
            self._process = None
