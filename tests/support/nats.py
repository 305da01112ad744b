"""Three NATS servers with JetStream on the loopback: deploy/nats, each on ports of its own."""

from __future__ import annotations

import json
import signal
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from tests.support.certificates import Authority
from tests.support.ports import free_port
from tests.support.process import Process, program

ROOT = Path(__file__).resolve().parents[2] / "deploy" / "nats"
EXAMPLE = "0a1b2c3d4e5f6071"  # the node of users.conf
PASSWORD = "$2a$11$PASSWORD"  # noqa: S105 - what nobody's is
START_S = 30.0


class Nats:
    """A cluster of `count` servers; `ports` are those of MQTT over TLS."""

    def __init__(
        self, directory: Path, authority: Authority, users: Mapping[str, str], count: int = 3
    ) -> None:
        program("nats-server", "nats-server")
        self.ports = [free_port() for _ in range(count)]
        self._monitors = [free_port() for _ in range(count)]
        self._routes = [free_port() for _ in range(count)]
        server = authority.issue("nats", "DNS:localhost,IP:127.0.0.1")
        self._files = {
            "ca.crt": authority.certificate, "server.crt": server.certificate,
            "server.key": server.key,
        }  # fmt: skip
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "users.conf").write_text(_users(users), encoding="utf-8")
        self._servers = [self._server(directory, place) for place in range(count)]

    def _server(self, directory: Path, place: int) -> Process:
        """Change in the shipped file what differs between servers, and nothing else."""
        name = f"city-{place + 1}"
        changes = {
            "server_name: city-1": f"server_name: {name}",
            "127.0.0.1:4222": f"127.0.0.1:{free_port()}",
            "/var/lib/nats": str(directory / name),
            "0.0.0.0:6222": f"127.0.0.1:{self._routes[place]}",
            "0.0.0.0:8883": f"127.0.0.1:{self.ports[place]}",
            **{f"/etc/nats/edgenode/{file}": str(path) for file, path in self._files.items()},
            **{f"city-{n}.example.org:6222": f"localhost:{port}"
               for n, port in enumerate(self._routes, 1)},
        }  # fmt: skip
        text = replaced((ROOT / "edgenode.conf").read_text(encoding="utf-8"), changes)
        path = directory / f"{name}.conf"
        path.write_text(f"http: 127.0.0.1:{self._monitors[place]}\n{text}", encoding="utf-8")
        command = [program("nats-server", "nats-server"), "-c", str(path)]
        return Process(command, directory / f"{name}.log")

    def __enter__(self) -> Self:
        for server in self._servers:
            server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        for server in self._servers:
            server.end(signal.SIGKILL)  # its goodbye takes seconds

    def usable(self, places: Sequence[int] | None = None) -> None:
        """Wait until the servers know a leader of JetStream's own group and take connections."""
        for place in range(len(self._servers)) if places is None else places:
            self._servers[place].usable(lambda place=place: self._well(place), START_S)  # type: ignore[misc]

    def _well(self, place: int) -> bool:
        url = f"http://127.0.0.1:{self._monitors[place]}/healthz"
        try:
            with urllib.request.urlopen(url, timeout=1) as answer:
                return bool(json.load(answer)["status"] == "ok")
        except (OSError, ValueError):
            return False

    def kill(self, place: int) -> None:
        """Lose one server with all it had not written."""
        self._servers[place].end(signal.SIGKILL)

    def start(self, place: int) -> None:
        """Start one again on what its disk holds; it joins the others by itself."""
        self._servers[place].start()


def replaced(text: str, changes: Mapping[str, str]) -> str:
    """Return `text` with every change made; fail when one has nothing to change."""
    for old, new in changes.items():
        assert old in text, f"{old} is not in the shipped file"
        text = text.replace(old, new)
    return text


def _users(users: Mapping[str, str]) -> str:
    """Return users.conf with the block and line of its example for every node of `users`."""
    text = (ROOT / "users.conf").read_text(encoding="utf-8")
    start = text.index(f"  NODE_{EXAMPLE}")
    end = text.index("\n\n", start)
    block = text[start:end]
    line = next(row for row in text.splitlines() if row.lstrip().startswith(f'{{user: "{EXAMPLE}"'))
    receiver = next(row for row in text.splitlines() if '{user: "receiver"' in row)
    nodes = [user for user in users if user != "receiver"]
    blocks = "\n".join(block.replace(EXAMPLE, node) for node in nodes)
    lines = "\n".join(line.replace(EXAMPLE, node).replace(PASSWORD, users[node]) for node in nodes)
    return replaced(
        text,
        {receiver: receiver.replace(PASSWORD, users["receiver"]), line: lines, block: blocks},
    )
