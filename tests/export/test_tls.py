"""A platform behind TLS, and a token for it."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.cityos.export.web import Client, Halted, target
from edgenode.errors import ConfigError
from tests.support.certificates import Authority
from tests.support.exporting import Waits
from tests.support.ngsild import UPSERT, Broker, strict_broker


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "ca")


@pytest.fixture
def broker(authority: Authority) -> Iterator[Broker]:
    pair = authority.issue("localhost", "DNS:localhost")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pair.certificate, pair.key)
    with strict_broker(tls) as broker:
        broker.token = "let-me-in"  # noqa: S105 - of a test
        yield broker


ENTITY = {"id": "urn:x:y", "type": "Device", "@context": ["https://city.example/context.jsonld"]}


def ask(broker: Broker, host: str, ca: Path | None, token: Path | None) -> list[str]:
    """Upsert an entity; return what was said where it did not work at once."""
    said: list[str] = []
    where = target(f"https://{host}:{broker.port}", ca, token)
    client = Client(where, Waits(), said.append, tries=1)
    try:
        client.ask("POST", UPSERT, [ENTITY], media="application/ld+json")
    except Halted:
        pass
    finally:
        client.close()
    return said


def test_a_platform_is_believed_by_its_certificate_and_believes_us_by_our_token(
    broker: Broker, authority: Authority, tmp_path: Path
) -> None:
    token = tmp_path / "token"
    token.write_text("let-me-in\n")
    assert ask(broker, "localhost", authority.certificate, token) == []
    assert "urn:x:y" in broker.entities


def test_without_its_authority_name_or_token_nothing_is_sent(
    broker: Broker, authority: Authority
) -> None:
    other = Authority(authority.certificate.parent / "other")
    (unknown,) = ask(broker, "localhost", other.certificate, None)
    (misnamed,) = ask(broker, "127.0.0.1", authority.certificate, None)
    (stranger,) = ask(broker, "localhost", authority.certificate, None)
    assert "CERTIFICATE_VERIFY_FAILED" in unknown
    assert "CERTIFICATE_VERIFY_FAILED" in misnamed
    assert "401" in stranger
    assert broker.entities == {}


def test_an_authority_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--ca"):
        Client(target("https://x.example", tmp_path / "none"), Waits(), lambda _: None)
