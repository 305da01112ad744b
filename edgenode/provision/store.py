"""What proves who a node is, below /etc/edgenode: its pair, and what gets it the next one."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from edgenode import durable
from edgenode.durable import Owner
from edgenode.errors import NodeError
from edgenode.provision.est import Server
from edgenode.provision.identity import Identity

NAME: Final = "enrol.json"
MODE: Final = 0o600  # root alone: a token, and a proxy's password


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose certificate is asked for, where, and with what; `token` is empty once it is spent."""

    node: str
    est: str
    trust: str = ""
    proxy: str = ""
    token: str = ""
    spent: str = ""  # SHA-256 of the last token that was, so that no old document brings it back

    @property
    def server(self) -> Server:
        return Server(self.est, self.trust, self.proxy)

    def with_token(self, token: str) -> Enrolment:
        """Return the same with another token; with "" that which it has is spent."""
        spent = _digest(self.token) if self.token and not token else self.spent
        return msgspec.structs.replace(self, token=token, spent=spent)

    def after(self, known: Enrolment | None) -> Enrolment:
        """Return the same for a node that knows another already, whose token may be spent."""
        if known is None:
            return self
        token = "" if self.token and _digest(self.token) == known.spent else self.token
        return msgspec.structs.replace(self, token=token, spent=known.spent)

    def through(self, proxy: str) -> Enrolment:
        """Return the same by another proxy."""
        return msgspec.structs.replace(self, proxy=proxy)

    def save(self, etc: Path, owns: Owner | None) -> None:
        """Write it durably."""
        data = json.dumps(msgspec.to_builtins(self), indent=1).encode()
        durable.write(etc / NAME, data, MODE, owns)


class Store(NamedTuple):
    """Where a node keeps what proves who it is: /etc/edgenode, and who owns the files."""

    etc: Path
    secret: Owner | None = None  # root alone
    shared: Owner | None = None  # root and the daemon's group

    @property
    def identity(self) -> Identity:
        return Identity(self.etc / "tls", self.shared)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Let nobody else change the pair meanwhile; waits for who does (flock(2))."""
        descriptor = os.open(self.etc, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def settled(self) -> Enrolment | None:
        """Finish what was cut off; return what is known of the EST server.

        A certificate that has come has spent the token: that is forgotten before the pair is used.
        """
        known = enrolment(self.etc)
        if self.identity.brought and known is not None and known.token:
            known = known.with_token("")
            known.save(self.etc, self.secret)
        self.identity.settle()
        return known


def store_at(etc: Path) -> Store:
    """Return the store of certificates in a directory such as /etc/edgenode; raises NodeError.

    The group of the directory is that of the daemon.
    """
    try:
        found = etc.stat()
    except OSError as exc:
        words = "is the package installed, and the node provisioned?"
        raise NodeError(f"{etc}: {exc.strerror}; {words}") from exc
    if os.geteuid() != 0:
        return Store(etc)
    return Store(etc, Owner(0, 0), Owner(0, found.st_gid))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def enrolment(etc: Path) -> Enrolment | None:
    """Return what stands there, None where there is no EST server; raises NodeError."""
    path = etc / NAME
    try:
        return msgspec.json.decode(path.read_bytes(), type=Enrolment)
    except FileNotFoundError:
        return None
    except OSError as exc:
        raise NodeError(f"{path}: {exc.strerror}; sudo edgenode certificate …") from exc
    except (msgspec.MsgspecError, UnicodeDecodeError) as exc:
        words = "remove it, and take the city's node.json once more, with a higher serial"
        raise NodeError(f"{path}: damaged ({exc}); {words}") from exc
