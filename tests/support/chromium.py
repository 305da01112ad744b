"""A real Chromium without a window, asked over its own pipe (Chrome DevTools Protocol)."""

from __future__ import annotations

import base64
import fcntl
import json
import os
import select
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import Any, Self

PATIENCE_S = 30
FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
    "--disable-background-networking", "--disable-sync", "--disable-extensions", "--mute-audio",
    "--remote-debugging-pipe",
)  # fmt: skip


class Chromium:
    """One browser with one page; what the page says on its console is in `said`."""

    def __init__(self) -> None:
        found = shutil.which("chromium")
        assert found, "chromium is missing: apt install chromium"
        self._profile = tempfile.mkdtemp(prefix="edgenode-chromium-")
        there, self._to = (_high(fd) for fd in os.pipe())
        self._from, back = (_high(fd) for fd in os.pipe())
        null = os.open(os.devnull, os.O_RDWR)
        self._pid = os.posix_spawn(
            found, ["chromium", *FLAGS, f"--user-data-dir={self._profile}", "about:blank"],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_DUP2, there, 3), (os.POSIX_SPAWN_DUP2, back, 4),
                *((os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)),
            ],
            setpgroup=0,
        )  # fmt: skip
        for fd in (there, back, null):
            os.close(fd)
        self._buffer = b""
        self._asked = 0
        self._session: str | None = None
        self.said: list[str] = []
        self.loaded: list[str] = []  # addresses that were asked for
        self._events: list[str] = []

    def __enter__(self) -> Self:
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self.ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(self, *exc: object) -> None:
        os.killpg(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)
        os.close(self._to)
        os.close(self._from)
        shutil.rmtree(self._profile, ignore_errors=True)

    def open(self, page: Path) -> None:
        """Show a file, and return when it is loaded."""
        self._events.clear()
        self.ask("Page.navigate", url=page.absolute().as_uri())
        while "Page.loadEventFired" not in self._events:
            self._read()

    def shape(self, width: int, *, scheme: str = "light") -> None:
        """Show the page so wide, to somebody who likes it light or dark."""
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
            mobile=False,
        )  # fmt: skip
        wish = {"name": "prefers-color-scheme", "value": scheme}
        self.ask("Emulation.setEmulatedMedia", features=[wish])

    def evaluate(self, script: str) -> Any:
        """Return what an expression is in the page."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def pdf(self) -> bytes:
        """Print the page."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=True)["data"])

    def ask(self, method: str, **given: Any) -> dict[str, Any]:
        """Send one command and return its answer."""
        self._asked += 1
        message = {"id": self._asked, "method": method, "params": given}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == self._asked:
                assert "error" not in answer, answer
                return dict(answer["result"])

    def _read(self) -> dict[str, Any]:
        end = time.monotonic() + PATIENCE_S
        while b"\0" not in self._buffer:
            ready = select.select([self._from], [], [], max(0.0, end - time.monotonic()))[0]
            assert ready, "chromium does not answer"
            part = os.read(self._from, 1 << 16)
            assert part, "chromium ended"
            self._buffer += part
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, told: dict[str, Any]) -> None:
        self._events.append(event)
        if event in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded"}:
            self.said.append(json.dumps(told))
        if event == "Network.requestWillBeSent":
            self.loaded.append(told["request"]["url"])


def _high(fd: int) -> int:
    """Move a descriptor out of the way of those that the browser wants."""
    moved = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(fd)
    return moved
