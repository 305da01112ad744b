"""What the page takes for granted: the city's PKI, broker and receiver, and the sensors."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.support.est_server import EstServer, Rules
from tests.support.mosquitto import Shipped
from tests.support.pki import DAY, Ca, named

NODE = "0a1b2c3d4e5f6071"
TOKEN = "Rk3-aa01"  # noqa: S105 - of tests
SCENARIO = """\
[[instrument]]
kind = "bme280"
sensor = "square"
bus = "i2c1"
temperature = { offset = 11.5 }
humidity = { offset = 62 }
pressure = { offset = 100800 }
"""


class Place(NamedTuple):
    """The directory of the office, and where the city listens."""

    office: Path
    est: EstServer
    broker: Shipped


def pair(ca: Ca, directory: Path, name: str, stem: str, *, server: bool = False) -> None:
    """Write a certificate with its chain, and its key."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    san = x509.SubjectAlternativeName([x509.DNSName(name)]) if server else None
    usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
    made = ca.issue(key.public_key(), named(name), now - DAY, now + DAY, san=san, usage=usage)
    chain = b"".join(one.public_bytes(Encoding.PEM) for one in (made, ca.certificate))
    (directory / f"{stem}.crt").write_bytes(chain)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (directory / f"{stem}.key").write_bytes(pem)


@contextmanager
def place(work: Path) -> Iterator[Place]:
    """Yield the city: EST server, Mosquitto as shipped with certificates, the receiver."""
    ca, office, broker = Ca(), work / "office", work / "broker"
    for directory in (office, broker):
        directory.mkdir()
    (office / "city-ca.pem").write_text(ca.trust)
    (broker / "ca.crt").write_text(ca.trust)
    pair(ca, broker, "localhost", "server", server=True)
    pair(ca, office, "receiver", "receiver")
    with ExitStack() as stack:
        est = stack.enter_context(EstServer(work / "est", ca, Rules({NODE: TOKEN})))
        mosquitto = stack.enter_context(Shipped(broker, {}, certificates=True))
        words = ["cityos", "receive", "--broker", f"localhost:{mosquitto.port}", "--db", "city.db"]
        words += ["--ca", "city-ca.pem", "--cert", "receiver.crt", "--key", "receiver.key"]
        stack.enter_context(running("edgenode", words, office, "ready:"))
        yield Place(office, est, mosquitto)


@contextmanager
def wires(directory: Path) -> Iterator[None]:
    """Virtual instruments at `wires` of a directory, for whoever sees it."""
    scenario = directory / "scenario.toml"
    scenario.write_text(SCENARIO)
    words = ["--socket", "wires", "--truth", "truth", "--scenario", str(scenario)]
    words += ["--control", "command"]
    with running("edgenode.virtual", words, directory, "ready"):
        (directory / "wires").chmod(0o666)
        yield


@contextmanager
def running(module: str, words: list[str], cwd: Path, ready: str) -> Iterator[None]:
    """A process of ours that says when it is ready."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *words],
        cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout
    try:
        assert process.stdout.readline().startswith(ready)
        yield
    finally:
        process.terminate()
        process.wait(15)
        process.stdout.close()
