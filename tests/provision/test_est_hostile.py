"""Servers and proxies that are not to be trusted, are slow, or answer what no good one answers."""

from __future__ import annotations

import socket
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
from edgenode.provision import est
from edgenode.provision.est import Pair, Refused, Server, Token, Unreachable
from edgenode.provision.identity import Identity
from tests.provision.enrolling import at, enrolled
from tests.support.est_server import TYPE, EstServer, certs_only
from tests.support.outbox import NODE as OUTBOX_NODE
from tests.support.pki import DAY, GARBAGE, Ca, named
from tests.support.ports import free_port
from tests.support.provisioned import TOKEN

NODE = OUTBOX_NODE.hex()
Broken = tuple[int, dict[str, str], bytes]


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
