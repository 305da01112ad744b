"""The node's key, made here and never leaving, and its certificate: exchanged in one step.

Below the directory `tls` each pair has a directory of its own, 0001, 0002 …; `current` leads to
the newest, `node.key` and `node.pem` lead through it. The one before it stays until the next, for
who has opened one of the two files just before the exchange. `next` is the pair in the making.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from edgenode import durable
from edgenode.durable import Owner
from edgenode.errors import NodeError
from edgenode.provision.certificates import certificates, node_key

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

KEY, CERTIFICATE, REQUEST = "node.key", "node.pem", "node.csr"
CURRENT, NEXT = "current", "next"
NUMBER: Final = re.compile(r"^[0-9]{4,9}$")
ROOM: Final = 64 << 10  # bytes that a certificate and its chain may need
KEY_MODE: Final = 0o640  # root and the daemon's group
DIRECTORY_MODE: Final = 0o750


class Identity:
    """Works below one directory; raises OSError of the disk, NodeError where a file is no key."""

    def __init__(self, tls: Path, owns: Owner | None) -> None:
        self._tls = tls
        self._owns = owns

    def settle(self) -> None:
        """Have the directory, and the newest whole pair in use; finishes what was cut off."""
        durable.directory(self._tls, DIRECTORY_MODE, self._owns)
        numbers = self._numbers()
        if self.brought:
            newest = (numbers[-1] if numbers else 0) + 1
            durable.rename(self._tls / NEXT, self._tls / f"{newest:04d}")
            numbers.append(newest)
        if numbers:
            durable.link(self._tls / CURRENT, f"{numbers[-1]:04d}")
            for name in (KEY, CERTIFICATE):
                durable.link(self._tls / name, f"{CURRENT}/{name}")
        for number in numbers[:-2]:
            self._forget(self._tls / f"{number:04d}")

    def next_key(self) -> EllipticCurvePrivateKey:
        """Return the key that the next certificate is for; made here (EC P-256) if there is none.

        It is durable before it is returned, so that a request which was cut off is repeated with
        the same key.
        """
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - only where used
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
            Encoding,
            NoEncryption,
            PrivateFormat,
        )

        path = self._tls / NEXT / KEY
        if path.exists():
            return key_from(path)
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        self._prepare(pem)
        return key

    def next_request(self, fresh: bytes) -> bytes:
        """Return what was asked for before, if it says the same as `fresh` (PKCS #10, DER).

        RFC 7030, 4.2.3, wants a request that waits for approval to be sent once more as it was,
        and a signature of ECDSA is another one each time.
        """
        from cryptography.x509 import load_der_x509_csr  # noqa: PLC0415 - the same

        path = self._tls / NEXT / REQUEST
        try:
            kept = path.read_bytes()
            asked = load_der_x509_csr(kept).tbs_certrequest_bytes
        except (FileNotFoundError, ValueError):  # none, or one that was damaged
            asked = b""
        if asked == load_der_x509_csr(fresh).tbs_certrequest_bytes:
            return kept
        durable.write(path, fresh, KEY_MODE, self._owns)
        return fresh

    def reserve(self) -> None:
        """Raise OSError where a certificate would not fit: asked before a token is spent on it."""
        durable.reserve(self._tls / NEXT, ROOM)

    def bring(self, chain: list[Certificate], key: bytes | None = None) -> None:
        """Put a certificate, its chain behind it, beside its key, which is `key` (PEM) or next_key.

        `settle` brings the pair into use.
        """
        from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
            Encoding,
        )

        if key is not None:
            self._prepare(key)
        pem = b"".join(one.public_bytes(Encoding.PEM) for one in chain)
        durable.write(self._tls / NEXT / CERTIFICATE, pem, KEY_MODE, self._owns)

    @property
    def brought(self) -> bool:
        """Whether a certificate has come that is not in use yet."""
        return (self._tls / NEXT / CERTIFICATE).exists()

    def chain(self) -> list[Certificate]:
        """Return the certificate in use and its chain, none where there is none yet."""
        path = self._tls / CERTIFICATE
        try:
            return certificates(path.read_bytes())
        except FileNotFoundError:
            return []
        except ValueError as exc:
            raise NodeError(f"{path}: no certificate in PEM; {AGAIN}") from exc

    @property
    def files(self) -> tuple[Path, Path]:
        """The certificate in use and its key."""
        return self._tls / CERTIFICATE, self._tls / KEY

    def _prepare(self, pem: bytes) -> None:
        """Have `next` with this key."""
        durable.directory(self._tls / NEXT, DIRECTORY_MODE, self._owns)
        durable.write(self._tls / NEXT / KEY, pem, KEY_MODE, self._owns)

    def _numbers(self) -> list[int]:
        return sorted(int(one.name) for one in self._tls.iterdir() if NUMBER.match(one.name))

    def _forget(self, pair: Path) -> None:
        for path in pair.iterdir():
            durable.wipe(path) if path.name == KEY else durable.remove(path)
        os.rmdir(pair)  # noqa: PTH106 - as in durable.py
        durable.sync(self._tls)


AGAIN: Final = "edgenode certificate enrol --token-file FILE makes a new one"


def key_from(path: Path) -> EllipticCurvePrivateKey:
    """Return the key of a file in PEM; raises NodeError, OSError."""
    try:
        return node_key(path.read_bytes())
    except ValueError as exc:
        raise NodeError(f"{path}: {exc}; {AGAIN}") from exc
