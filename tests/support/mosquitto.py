"""A real Mosquitto on a free port of the loopback, with a configuration written for it."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support.ports import free_port, until

ROOT = Path(__file__).resolve().parents[2]
ACL = ROOT / "deploy" / "mosquitto" / "acl"
CONFIGURATION = ROOT / "deploy" / "mosquitto" / "edgenode.conf"


def find(name: str) -> str:
    """Return the path of a program of Mosquitto; fail naming its package when it is missing."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    assert found is not None, f"{name} is missing: apt install mosquitto"
    return found


class Mosquitto:
    """One broker; started by `start`, and again after `stop` or `kill` on the same port.

    `lines` are added to its configuration, which may open a second listener, `inside`; without
    `acl` everybody may do everything.
    """

    def __init__(
        self,
        directory: Path,
        lines: Sequence[str] = (),
        *,
        acl: bool = False,
        users: Mapping[str, str] | None = None,
        verbose: bool = True,
    ) -> None:
        self.port = self.inside = free_port()
        self._words = ["-v"] if verbose else []
        self.directory = directory
        self._process: subprocess.Popen[bytes] | None = None
        directory.mkdir(parents=True, exist_ok=True)
        text = [f"listener {self.port} 127.0.0.1", "persistence false", *lines]
        if acl:
            # Mosquitto reads its files with the rights of its own user.
            copy = directory / "acl"
            copy.write_text(ACL.read_text(encoding="utf-8"), encoding="utf-8")
            text.append(f"acl_file {copy}")
        for user, password in (users or {}).items():
            self._add_user(user, password)
        if users:
            text.append(f"password_file {directory / 'passwords'}")
        if not any("allow_anonymous" in line for line in text):
            text.append(f"allow_anonymous {'false' if users else 'true'}")
        if os.geteuid() == 0:
            text.append("user root")
        self._config = directory / "mosquitto.conf"
        self._config.write_text("\n".join(text) + "\n", encoding="utf-8")
        self.log = directory / "mosquitto.log"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self.stop()

    def _add_user(self, user: str, password: str) -> None:
        path = self.directory / "passwords"
        path.touch(mode=0o600)
        subprocess.run(
            [find("mosquitto_passwd"), "-b", str(path), user, password],
            check=True, capture_output=True,
        )  # fmt: skip

    def start(self) -> None:
        """Start, and return when connections are taken."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [find("mosquitto"), *self._words, "-c", str(self._config)],
                stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        until(self._answers, f"mosquitto on port {self.port}; see {self.log}")

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.log.read_text(encoding="utf-8")
        try:
            for port in {self.port, self.inside}:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End it in good order, if it runs."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Lose it with all it had not written."""
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(10)
            self._process = None


class Shipped(Mosquitto):
    """Runs deploy/mosquitto/edgenode.conf, its files in `directory`, on a free port.

    With `certificates` its lines for nodes that show one are uncommented.
    """

    def __init__(
        self, directory: Path, users: Mapping[str, str], *, certificates: bool = False
    ) -> None:
        super().__init__(directory, acl=True, users=users)
        text = CONFIGURATION.read_text(encoding="utf-8")
        if certificates:
            for line in ("require_certificate true", "use_identity_as_username true"):
                assert f"#{line}\n" in text
                text = text.replace(f"#{line}\n", f"{line}\n")
            (directory / "passwords").touch(mode=0o600)
        assert "listener 8883\n" in text
        text = text.replace("listener 8883\n", f"listener {self.port} 127.0.0.1\n")
        text = text.replace("/etc/mosquitto/edgenode", str(directory))
        owner = "user root\n" if os.geteuid() == 0 else ""
        keep = f"persistence true\npersistence_location {directory}/\n"  # Debian's own lines
        self._config.write_text(text + keep + owner, encoding="utf-8")
