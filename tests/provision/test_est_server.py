"""The EST server of the tests refuses what RFC 7030 forbids: a client that passes is right."""

from __future__ import annotations

import subprocess
from base64 import b64encode, encodebytes
from datetime import UTC, datetime
from http.client import HTTPSConnection
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding

from edgenode.provision import est
from edgenode.provision.est import Pair, Server, Unreachable
from edgenode.provision.identity import Identity
from tests.support.est_server import EstServer
from tests.support.outbox import NODE as OUTBOX_NODE
from tests.support.pki import DAY, named
from tests.support.provisioned import TOKEN

NODE = OUTBOX_NODE.hex()
NOW = datetime.now(UTC)


def shown(server: EstServer, tmp_path: Path, life: tuple[datetime, datetime]) -> Pair:
    """Return a certificate of the node, with an alternative name, and its key."""
    identity = Identity(tmp_path / "tls", None)
    identity.settle()
    san = x509.SubjectAlternativeName([x509.DNSName("node.example")])
    key = identity.next_key()
    made = server.ca.issue(key.public_key(), named(NODE), *life, san=san)
    identity.bring([made, server.ca.certificate])
    identity.settle()
    return Pair(*identity.files)


def asked(server: EstServer, *, method: str = "POST", operation: str = "simpleenroll",
          body: bytes | None = None, headers: dict[str, str | None] | None = None,
          pair: Pair | None = None) -> tuple[int, str]:  # fmt: skip
    """Send one request; a header of None is left out."""
    connection = HTTPSConnection(
        "localhost",
        server.port,
        timeout=5,
        context=est.context(Server(server.url, server.ca.trust), pair),
    )
    basic = b64encode(f"{NODE}:{TOKEN}".encode()).decode()
    usual: dict[str, str | None] = {
        "Content-Type": "application/pkcs10",
        "Authorization": None if pair else f"Basic {basic}",
        **(headers or {}),
    }
    connection.putrequest(method, f"/.well-known/est/{operation}", skip_host="Host" in usual)
    content = RIGHT if body is None else body
    for name, value in {"Content-Length": str(len(content)), **usual}.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders(content)
    answer = connection.getresponse()
    text = answer.read().decode("utf-8", "replace")
    connection.close()
    return answer.status, text


def csr(key: Any, name: str = NODE) -> bytes:
    made = x509.CertificateSigningRequestBuilder().subject_name(named(name))
    return made.sign(key, SHA256()).public_bytes(Encoding.DER)


KEY = ec.generate_private_key(ec.SECP256R1())
RIGHT = encodebytes(csr(KEY))
FLIPPED = bytearray(csr(KEY))
FLIPPED[-1] ^= 1
REFUSALS: dict[str, tuple[dict[str, Any], int, str]] = {
    "another path": ({"operation": "enroll"}, 404, "RFC 7030 §3.2.2"),
    "GET": ({"method": "GET"}, 405, "RFC 7030 §4.2"),
    "PUT": ({"method": "PUT"}, 405, "RFC 7030 §4.2"),
    "cacerts by POST": ({"operation": "cacerts"}, 405, "RFC 7030 §4.1.2"),
    "no Host": ({"headers": {"Host": None}}, 400, "RFC 9112 §3.2"),
    "nobody": ({"headers": {"Authorization": None}}, 401, "RFC 7030 §3.2.3"),
    "Digest": ({"headers": {"Authorization": "Digest x"}}, 401, "RFC 7030 §3.2.3"),
    "no base64 in Basic": ({"headers": {"Authorization": "Basic !"}}, 401, "RFC 7617 §2"),
    "wrong token": (
        {"headers": {"Authorization": f"Basic {b64encode(b'x:y').decode()}"}},
        401,
        "RFC 7030 §3.2.3",
    ),
    "no length": ({"headers": {"Content-Length": None}}, 411, "RFC 9110 §8.6"),
    "too long": ({"headers": {"Content-Length": "9999999"}}, 413, "RFC 9110 §15.5.14"),
    "another type": ({"headers": {"Content-Type": "text/plain"}}, 415, "RFC 7030 §4.2.1"),
    "no type": ({"headers": {"Content-Type": None}}, 415, "RFC 7030 §4.2.1"),
    "no base64": ({"body": csr(KEY)}, 400, "RFC 8951 §3"),
    "nothing": ({"body": b""}, 400, "RFC 7030 §4.2.1"),
    "no PKCS #10": ({"body": encodebytes(b"hello")}, 400, "RFC 2986 §4"),
    "a false signature": ({"body": encodebytes(bytes(FLIPPED))}, 400, "RFC 7030 §3.4"),
    "a key of RSA": (
        {"body": encodebytes(csr(rsa.generate_private_key(65_537, 2048)))},
        400,
        "RFC 7030 §4.2.1",
    ),
    "somebody else's name": ({"body": encodebytes(csr(KEY, "ffff"))}, 403, "RFC 7030 §3.7"),
    "renewal by nobody": ({"operation": "simplereenroll"}, 403, "RFC 7030 §3.3.2"),
}


@pytest.mark.parametrize("what", REFUSALS)
def test_the_server_refuses_and_cites_why(server: EstServer, what: str) -> None:
    given, status, section = REFUSALS[what]
    got, text = asked(server, **given)
    assert (got, section in text) == (status, True), text
    assert server.issued == []


def test_the_server_grants_what_is_right(server: EstServer) -> None:
    assert asked(server)[0] == 200


def test_another_request_while_one_waits_is_refused(server: EstServer) -> None:
    server.rules.approve_after = 1
    assert asked(server)[0] == 202
    got, text = asked(server, body=encodebytes(csr(KEY)))
    assert (got, "RFC 7030 §4.2.3" in text) == (400, True)


@pytest.mark.parametrize("changed", ["subject", "alternative name"])
def test_a_renewal_under_another_name_is_refused(
    server: EstServer, tmp_path: Path, changed: str
) -> None:
    pair = shown(server, tmp_path, (NOW - DAY, NOW + DAY))
    body = encodebytes(csr(KEY, "ffff" if changed == "subject" else NODE))
    got, text = asked(server, operation="simplereenroll", body=body, pair=pair)
    assert (got, "RFC 7030 §4.2.2" in text) == (400, True)


def test_a_renewal_with_a_certificate_that_is_over_does_not_get_through(
    server: EstServer, tmp_path: Path
) -> None:
    pair = shown(server, tmp_path, (NOW - 9 * DAY, NOW - DAY))
    with pytest.raises(Unreachable):
        est.simplereenroll(Server(server.url, server.ca.trust), csr(KEY), pair)
    assert server.issued == []


def test_the_server_speaks_no_tls_before_1_2(server: EstServer) -> None:
    words = ["s_client", "-connect", f"localhost:{server.port}", "-tls1_1"]
    words = ["openssl", *words, "-cipher", "ALL@SECLEVEL=0"]
    done = subprocess.run(words, input=b"", capture_output=True, check=False)
    assert done.returncode != 0
    assert b"alert protocol version" in done.stderr or b"no protocols" in done.stderr
