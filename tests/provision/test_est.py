"""EST (RFC 7030) against a strict server over real TLS; OpenSSL says whether the rest is right."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from edgenode.provision import certificates, est
from edgenode.provision.est import Pair, Pending, Refused, Server, Token, Unreachable
from edgenode.provision.identity import Identity
from tests.provision.enrolling import at, enrolled
from tests.support.connect_proxy import ConnectProxy
from tests.support.est_server import EstServer
from tests.support.outbox import NODE as OUTBOX_NODE
from tests.support.provisioned import TOKEN

NODE = OUTBOX_NODE.hex()


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
