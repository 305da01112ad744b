"""EST (RFC 7030) against a strict server over real TLS; OpenSSL says whether the rest is right."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from base64 import encodebytes
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from edgenode.errors import CityError, NodeError
from edgenode.provision import certificates, est
from edgenode.provision.est import Pair, Pending, Refused, Server, Token, Unreachable
from edgenode.provision.identity import Identity
from tests.support.connect_proxy import ConnectProxy
from tests.support.est_server import TYPE, EstServer, certs_only
from tests.support.outbox import NODE as OUTBOX_NODE
from tests.support.pki import DAY, GARBAGE, Ca, named
from tests.support.ports import free_port
from tests.support.provisioned import TOKEN

NODE = OUTBOX_NODE.hex()
Broken = tuple[int, dict[str, str], bytes]


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    made = Identity(tmp_path / "tls", None)
    made.settle()
    return made


def at(server: EstServer) -> Server:
    return Server(server.url, server.ca.trust)


def enrolled(server: EstServer, identity: Identity) -> list[x509.Certificate]:
    key = identity.next_key()
    request = certificates.request(key, NODE)
    found = est.simpleenroll(at(server), request, Token(NODE, TOKEN))
    anchors = x509.load_pem_x509_certificates(server.ca.trust.encode())
    chain = certificates.accepted(found, key, NODE, anchors, datetime.now(UTC))
    identity.bring(chain)
    identity.settle()
    return chain


def openssl(*words: str, data: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["openssl", *words], input=data, capture_output=True, check=False)


def test_a_node_enrols_and_openssl_verifies_its_certificate(
    server: EstServer, identity: Identity, tmp_path: Path
) -> None:
    enrolled(server, identity)
    root, pem = tmp_path / "root.pem", str(identity.files[0])
    root.write_text(server.ca.trust)
    done = openssl("verify", "-purpose", "sslclient", "-CAfile", str(root), "-untrusted", pem, pem)
    assert done.returncode == 0, done.stderr
    public = openssl("pkey", "-in", str(identity.files[1]), "-pubout").stdout
    assert public == openssl("x509", "-in", pem, "-noout", "-pubkey").stdout
    assert server.log == [("simpleenroll", 200)]


def test_openssl_verifies_the_request(identity: Identity) -> None:
    request = certificates.request(identity.next_key(), NODE)
    words = ["req", "-inform", "DER", "-verify", "-noout", "-subject", "-nameopt", "RFC2253"]
    done = openssl(*words, data=request)
    assert b"verify OK" in done.stdout + done.stderr
    assert f"subject=CN={NODE}" in done.stdout.decode().replace(" ", "")


def test_the_ca_certificates_come_over_verified_tls(server: EstServer) -> None:
    assert set(est.cacerts(at(server))) == {server.ca.certificate, server.ca.root}


def test_a_certificate_is_renewed_by_the_one_before_with_a_new_key(
    server: EstServer, identity: Identity
) -> None:
    server.rules.organisation, server.rules.san = "City of Seoul", True
    first = enrolled(server, identity)[0]
    key = identity.next_key()
    request = certificates.request(key, NODE, first)
    found = est.simplereenroll(at(server), request, Pair(*identity.files))
    second = certificates.accepted(found, key, NODE, [server.ca.root], datetime.now(UTC))[0]
    assert second.subject == first.subject
    assert second.public_key() != first.public_key()
    assert server.log[-1] == ("simplereenroll", 200)


def test_a_label_in_the_address_is_part_of_the_path(server: EstServer) -> None:
    labelled = Server(f"{server.url}/.well-known/est/nodes", server.ca.trust)
    with pytest.raises(Refused, match=r"HTTP 404.*/\.well-known/est/nodes/cacerts"):
        est.cacerts(labelled)


def test_a_token_holds_once(server: EstServer, identity: Identity) -> None:
    enrolled(server, identity)
    with pytest.raises(Refused, match=r"used before.*enrol --token-file") as caught:
        enrolled(server, identity)
    assert TOKEN not in str(caught.value)


def test_a_wrong_token_is_refused_and_shown_nowhere(server: EstServer, identity: Identity) -> None:
    request = certificates.request(identity.next_key(), NODE)
    with pytest.raises(Refused, match="HTTP 401") as caught:
        est.simpleenroll(at(server), request, Token(NODE, "mistyped"))
    assert "mistyped" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [("60", 60), ("9" * 5000, 86_400), ("0", 1), ("", 300), ("soon", 300), ("-5", 300)],
)
def test_a_request_that_waits_for_approval_is_sent_again_later(
    server: EstServer, identity: Identity, header: str, wait_s: int
) -> None:
    server.rules.approve_after, server.rules.retry_after = 1, header
    request = certificates.request(identity.next_key(), NODE)
    with pytest.raises(Pending) as caught:
        est.simpleenroll(at(server), request, Token(NODE, TOKEN))
    assert caught.value.wait_s == wait_s
    with pytest.raises(Unreachable, match="before Retry-After"):
        est.simpleenroll(at(server), request, Token(NODE, TOKEN))
    server.rules.clock = lambda: 1e12
    assert est.simpleenroll(at(server), request, Token(NODE, TOKEN))


def test_retry_after_may_be_a_date(server: EstServer, identity: Identity) -> None:
    server.rules.approve_after = 1
    server.rules.retry_after = (
        f"{datetime.now(UTC) + timedelta(seconds=600):%a, %d %b %Y %H:%M:%S GMT}"
    )
    request = certificates.request(identity.next_key(), NODE)
    with pytest.raises(Pending) as caught:
        est.simpleenroll(at(server), request, Token(NODE, TOKEN))
    assert 580 <= caught.value.wait_s <= 600


def test_a_request_that_waits_is_the_same_to_the_byte_when_it_comes_again(
    identity: Identity,
) -> None:
    key = identity.next_key()
    first = identity.next_request(certificates.request(key, NODE))
    assert identity.next_request(certificates.request(key, NODE)) == first
    other = certificates.request(key, "ffffffff")
    assert identity.next_request(other) == other


def test_a_proxy_carries_tls_and_sees_neither_token_nor_certificate(
    server: EstServer, identity: Identity
) -> None:
    with ConnectProxy() as proxy:
        through = Server(server.url, server.ca.trust, f"http://user:p%40ss@127.0.0.1:{proxy.port}")
        request = certificates.request(identity.next_key(), NODE)
        assert est.simpleenroll(through, request, Token(NODE, TOKEN))
        assert proxy.asked[0].startswith(f"CONNECT localhost:{server.port} HTTP/1.")
        assert "Authorization: Basic" in proxy.asked[0]
        nobody = Server(server.url, server.ca.trust, f"http://127.0.0.1:{proxy.port}")
        with pytest.raises(Unreachable, match="407"):
            est.cacerts(nobody)


# --- servers that are not to be trusted ----------------------------------------------------------


def test_a_server_of_a_stranger_is_not_told_the_token(server: EstServer) -> None:
    with pytest.raises(Unreachable, match=r"enrol.trust"):
        est.simpleenroll(Server(server.url, Ca().trust), b"", Token(NODE, TOKEN))
    assert server.log == []


def test_a_server_of_another_name_is_not_told_the_token(server: EstServer) -> None:
    elsewhere = Server(f"https://127.0.0.1:{server.port}", server.ca.trust)
    with pytest.raises(Unreachable, match=r"127.0.0.1"):
        est.simpleenroll(elsewhere, b"", Token(NODE, TOKEN))
    assert server.log == []


def test_no_network_is_no_refusal() -> None:
    with pytest.raises(Unreachable, match="refused"):
        est.cacerts(Server(f"https://localhost:{free_port()}"))


@pytest.mark.parametrize("more", [{}, {"Connection": "close"}])
def test_who_drips_is_cut_off(
    server: EstServer, identity: Identity, monkeypatch: pytest.MonkeyPatch, more: dict[str, str]
) -> None:
    monkeypatch.setattr(est, "WHOLE_S", 0.2)
    server.rules.broken = lambda _: (200, {**TYPE, "Content-Length": "1000", **more}, b"drip")
    server.rules.linger_s = 2.0
    began = time.monotonic()
    with pytest.raises(CityError):
        enrolled(server, identity)
    assert time.monotonic() - began < 1.5


def test_who_drips_before_tls_is_there_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(est, "WHOLE_S", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        with pytest.raises(Unreachable):
            est.cacerts(Server(f"https://localhost:{silent.getsockname()[1]}"))
    assert time.monotonic() - began < 1.5


def test_a_server_that_repeats_the_token_does_not_bring_it_into_the_journal(
    server: EstServer, identity: Identity
) -> None:
    server.rules.broken = lambda _: (400, PLAIN, f"{NODE}:{TOKEN} is wrong".encode())
    with pytest.raises(Refused, match="is wrong") as caught:
        enrolled(server, identity)
    assert TOKEN not in str(caught.value)


def test_what_a_proxy_says_is_shown_as_text_and_cut_short() -> None:
    with socket.create_server(("127.0.0.1", 0)) as proxy:
        answer = b"HTTP/1.1 407 \x1b[2J" + b"x" * 9000 + b"\r\n\r\n"

        def once() -> None:
            link = proxy.accept()[0]
            with link:
                link.recv(4096)
                link.sendall(answer)

        thread = threading.Thread(target=once)
        thread.start()
        with pytest.raises(Unreachable) as caught:
            est.cacerts(
                Server("https://est.example", proxy=f"http://127.0.0.1:{proxy.getsockname()[1]}")
            )
        thread.join(5)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def reissued(**other: Any) -> Callable[[x509.Certificate, Ca], Broken]:
    """Answer with a certificate that differs in something from the right one."""

    def answer(made: x509.Certificate, ca: Ca) -> Broken:
        issuer, public = other.get("ca", ca), other.get("public", made.public_key())
        begin, end = other.get("life", (made.not_valid_before_utc, made.not_valid_after_utc))
        more = {name: other[name] for name in ("usage", "constraints") if name in other}
        subject = other.get("subject", made.subject)
        wrong = issuer.issue(public, subject, begin, end, **more)
        return 200, TYPE, certs_only([wrong, issuer.certificate])

    return answer


def instead(
    status: int, headers: dict[str, str], body: bytes
) -> Callable[[x509.Certificate, Ca], Broken]:
    """Answer something else altogether."""
    return lambda _made, _ca: (status, headers, body)


NOW = datetime.now(UTC)
PLAIN = {"Content-Type": "text/plain"}
STRANGER = ec.generate_private_key(ec.SECP256R1()).public_key()
WRONG = {
    "the key of somebody else": (reissued(public=STRANGER), "none of them for the key"),
    "another node": (reissued(subject=named("ffffffff")), f"not of {NODE}"),
    "a foreign CA": (reissued(ca=Ca("Foreign")), "Foreign root.*not trusted"),
    "one that is over": (reissued(life=(NOW - 9 * DAY, NOW - DAY)), "it ended"),
    "one for servers": (reissued(usage=ExtendedKeyUsageOID.SERVER_AUTH), "not allow clients"),
    "that of a CA": (instead(200, TYPE, certs_only([Ca().root])), "none of them"),
    "an empty message": (instead(200, TYPE, b""), "sent no certificates"),
    "no PKCS #7": (instead(200, TYPE, encodebytes(b"0\x03abc")), "sent no certificates"),
    "no base64": (instead(200, TYPE, b"\xff\xfe!!"), "not in base64"),
    "a web page": (instead(200, {"Content-Type": "text/html"}, b"<p>"), "text/html, not appl"),
    "no type": (instead(200, {}, certs_only([Ca().root])), "of no type"),
    "too much": (instead(200, TYPE, b"A" * 300_000), "longer than"),
    "a redirect": (instead(302, {"Location": "https://x/"}, b""), "not followed"),
    "an error of its own": (instead(503, PLAIN, b"busy"), "HTTP 503.*busy"),
    "one that nobody can read": (reissued(constraints=GARBAGE), "sent no certificates"),
    "words that a terminal obeys": (instead(500, PLAIN, b"\x1b[2Jgone"), r"\?\[2Jgone"),
}


@pytest.mark.parametrize("what", WRONG)
def test_an_answer_that_is_not_right_is_not_used(
    server: EstServer, identity: Identity, ca: Ca, what: str
) -> None:
    answer, words = WRONG[what]
    server.rules.broken = lambda made: answer(made, ca)
    with pytest.raises(CityError, match=words):
        enrolled(server, identity)
    assert identity.chain() == []


def test_a_certificate_that_begins_soon_is_taken(server: EstServer, identity: Identity) -> None:
    server.rules.begin = timedelta(hours=2)  # the clock of the node is behind
    assert enrolled(server, identity)


def test_a_key_file_that_is_none_is_named(server: EstServer, tmp_path: Path) -> None:
    bad = tmp_path / "bad.pem"
    bad.write_text("nothing")
    with pytest.raises(NodeError, match=str(bad)):
        est.simplereenroll(at(server), b"", Pair(bad, bad))
