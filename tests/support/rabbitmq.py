"""A RabbitMQ with its MQTT plug-in on the loopback: deploy/rabbitmq in a directory of its own."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.support.certificates import Authority
from tests.support.nats import EXAMPLE, replaced
from tests.support.ports import answers, free_port, until
from tests.support.process import Process, program

ROOT = Path(__file__).resolve().parents[2] / "deploy" / "rabbitmq"
START_S = 60.0


class RabbitMQ:
    """One node of it, with a port mapper (epmd) of its own; `port` is that of MQTT over TLS.

    Neither of the two is shared with a RabbitMQ of this machine, and nothing listens beyond the
    loopback.
    """

    def __init__(self, directory: Path, authority: Authority, users: Mapping[str, str]) -> None:
        self.port = free_port()
        self._directory = directory
        directory.mkdir(parents=True, exist_ok=True)
        definitions = directory / "definitions.json"
        definitions.write_text(json.dumps(_definitions(users)), encoding="utf-8")
        self._write_config(authority, definitions)
        mapper = str(free_port())
        env = {
            "HOME": str(directory),  # where Erlang keeps its cookie
            "RABBITMQ_NODENAME": f"edgenode{os.getpid()}@localhost",
            "RABBITMQ_MNESIA_BASE": str(directory / "mnesia"),
            "RABBITMQ_LOG_BASE": str(directory),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_CONFIG_FILE": str(directory / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(ROOT / "rabbitmq-env.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(ROOT / "enabled_plugins"),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "ERL_EPMD_PORT": mapper,
        }
        wrapper = Path(program("rabbitmq-server", "rabbitmq-server"))
        # Debian's wrapper wants to be root and becomes the user of the system's own node.
        script = next(Path("/usr/lib/rabbitmq/lib").glob("*/sbin/rabbitmq-server"), wrapper)
        self._mapper = Process(
            [program("epmd", "erlang-base"), "-port", mapper, "-address", "127.0.0.1"],
            directory / "epmd.log",
        )
        self._server = Process([str(script)], directory / "rabbitmq.log", env)

    def _write_config(self, authority: Authority, definitions: Path) -> None:
        server = authority.issue("rabbitmq", "DNS:localhost")
        changes = {
            "0.0.0.0:8883": f"127.0.0.1:{self.port}",
            "/etc/rabbitmq/edgenode/ca.crt": str(authority.certificate),
            "/etc/rabbitmq/edgenode/server.crt": str(server.certificate),
            "/etc/rabbitmq/edgenode/server.key": str(server.key),
        }
        text = replaced((ROOT / "rabbitmq.conf").read_text(encoding="utf-8"), changes)
        path = self._directory / "rabbitmq.conf"
        path.write_text(f"{text}load_definitions = {definitions}\n", encoding="utf-8")

    def __enter__(self) -> Self:
        self._mapper.start()
        self._server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.end(signal.SIGKILL)  # its goodbye takes seconds
        self._mapper.end(signal.SIGKILL)

    def usable(self) -> None:
        """Wait until it takes connections."""
        self._server.usable(lambda: answers(self.port), START_S)

    def kill(self) -> None:
        """Lose it with all it had not written."""
        self._server.end(signal.SIGKILL)
        until(lambda: not answers(self.port), "the end of a process that the shell started")

    def start(self) -> None:
        """Start it again on what its disk holds, and return at once."""
        self._server.start()


def _definitions(users: Mapping[str, str]) -> dict[str, Any]:
    """Return definitions.json with the entries of its example for every node of `users`."""
    text = (ROOT / "definitions.json").read_text(encoding="utf-8")
    made: dict[str, Any] = json.loads(text)
    for kind, key in (("users", "name"), ("permissions", "user"), ("topic_permissions", "user")):
        (city,) = (entry for entry in made[kind] if entry[key] == "receiver")
        (example,) = (entry for entry in made[kind] if entry[key] == EXAMPLE)
        nodes = [
            json.loads(json.dumps(example).replace(EXAMPLE, user))
            for user in users
            if user != "receiver"
        ]
        made[kind] = [city, *nodes]
    for user in made["users"]:
        user["password_hash"] = _hash(users[user["name"]])
    return made


def _hash(password: str) -> str:
    """Return RabbitMQ's salted SHA-256 of a password (its guide "Passwords")."""
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()
