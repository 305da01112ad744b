"""The city that a node in the machine talks to: PKI with EST, broker, receiver, and a time server.

All of it listens on this machine's loopback, which QEMU shows to the guest as 10.0.2.2.
"""

from __future__ import annotations

import json
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.est_server import EstServer, Rules
from tests.support.mosquitto import ACL, Shipped
from tests.support.pki import DAY, Ca, named

HOST = "10.0.2.2"  # QEMU's user network: the host
NTP_EPOCH_S = 2_208_988_800  # from 1900 to 1970, RFC 5905, A.4


def pair(ca: Ca, name: str, directory: Path, *, server: bool) -> tuple[Path, Path]:
    """Issue a certificate and key in PEM; that of a server is for the loopback, seen from both."""
    key = ec.generate_private_key(ec.SECP256R1())
    san = x509.SubjectAlternativeName(
        [x509.DNSName("localhost"), *(x509.IPAddress(IPv4Address(a)) for a in ("127.0.0.1", HOST))]
    )
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    now = datetime.now(UTC)
    made = ca.issue(
        key.public_key(),
        named(name),
        now - DAY,
        now + DAY,
        san=san if server else None,
        usage=usage,
    )
    chain, secret = directory / f"{name}.crt", directory / f"{name}.key"
    chain.write_bytes(made.public_bytes(Encoding.PEM) + ca.certificate.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return chain, secret


class Est(EstServer):
    """The EST server of the other tests, under the address that the guest knows."""

    def _context(self, directory: Path) -> ssl.SSLContext:
        directory.mkdir(parents=True, exist_ok=True)
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(*pair(self.ca, "est", directory, server=True))
        made.load_verify_locations(cadata=self.ca.trust)
        made.verify_mode = ssl.CERT_OPTIONAL
        return made

    @property
    def url(self) -> str:
        return f"https://{HOST}:{self.port}"


class TimeServer:
    """Answers NTP (RFC 5905, section 7.3) on port 123 of the loopback with this machine's time."""

    def __init__(self) -> None:
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 123))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                asked, who = self._socket.recvfrom(512)
                now = self._stamp()
                if len(asked) >= 48:
                    # Leap 0, version of the question, mode 4 (server), stratum 1, poll 6, 2^-20 s.
                    head = struct.pack(
                        "!BBbb II4s", (asked[0] & 0x38) | 4, 1, 6, -20, 0, 0, b"TEST"
                    )
                    self._socket.sendto(head + now + asked[40:48] + now + self._stamp(), who)
                    self.asked += 1
            except OSError:
                return

    @staticmethod
    def _stamp() -> bytes:
        now = time.time() + NTP_EPOCH_S
        return struct.pack("!II", int(now), int(now % 1 * (1 << 32)))


class City:
    """Broker with mutual TLS, receiver with a database, EST server, time server."""

    def __init__(self, directory: Path, node: str, token: str) -> None:
        directory.mkdir()
        self.directory, self.node = directory, node
        self.ca = Ca()
        self.trust = directory / "ca.crt"
        self.trust.write_text(self.ca.trust)
        self.database = directory / "city.sqlite"
        pair(self.ca, "server", directory, server=True)
        pair(self.ca, "receiver", directory, server=False)
        (directory / "acl").write_text(ACL.read_text())
        self.broker = Shipped(directory, {}, certificates=True)
        self.est = Est(directory / "est", self.ca, Rules(tokens={node: token}))
        self.clock = TimeServer()
        self._receiver: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.broker.start()
        self.est.__enter__()
        self.clock.__enter__()
        self.receive()
        return self

    def __exit__(self, *exc: object) -> None:
        self.deaf()
        self.est.__exit__(*exc)
        self.clock.__exit__(*exc)
        self.broker.stop()

    def receive(self) -> None:
        """Start the receiver."""
        words = ["receive", "--broker", f"localhost:{self.broker.port}", "--ca", str(self.trust)]
        for option in ("cert", "key"):
            suffix = "crt" if option == "cert" else "key"
            words += [f"--{option}", str(self.directory / f"receiver.{suffix}")]
        log = (self.directory / "receiver.log").open("ab")
        self._receiver = subprocess.Popen(
            self._edgenode(*words, "--db", str(self.database)), stdout=log, stderr=log
        )

    def deaf(self) -> None:
        """Stop the receiver."""
        if self._receiver is not None:
            self._receiver.terminate()
            self._receiver.wait(30)
            self._receiver = None

    def audit(self) -> dict[str, Any]:
        """Return what the city has of the node, and what it misses; empty before the first word."""
        done = subprocess.run(
            self._edgenode("audit", "--json", "--node", self.node, "--db", str(self.database)),
            check=False, capture_output=True, text=True,
        )  # fmt: skip
        rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
        return rows[0] if rows else {}

    @staticmethod
    def _edgenode(*words: str) -> list[str]:
        return [sys.executable, "-m", "edgenode", "cityos", *words]
