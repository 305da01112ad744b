"""What a node knows of its EST server, and the token until it is spent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import msgspec

from edgenode import durable
from edgenode.durable import Owner
from edgenode.errors import NodeError
from edgenode.provision.est import Server

NAME: Final = "enrol.json"
MODE: Final = 0o600  # root alone: a token, and a proxy's password


class Enrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose certificate is asked for, where, and with what; `token` is empty once it is spent."""

    node: str
    est: str
    trust: str = ""
    proxy: str = ""
    token: str = ""

    @property
    def server(self) -> Server:
        return Server(self.est, self.trust, self.proxy)

    def with_token(self, token: str) -> Enrolment:
        """Return the same with another token, "" for none."""
        return msgspec.structs.replace(self, token=token)

    def save(self, etc: Path, owns: Owner | None) -> None:
        """Write it durably."""
        data = json.dumps(msgspec.to_builtins(self), indent=1).encode()
        durable.write(etc / NAME, data, MODE, owns)


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
        words = "take the city's node.json once more, with a higher serial"
        raise NodeError(f"{path}: damaged ({exc}); {words}") from exc
