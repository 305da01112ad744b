"""`edgenode certificate`, and a renewal under a running uplink."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from edgenode.cli import main
from edgenode.provision.renew import attempt
from edgenode.provision.store import Store, enrolment
from edgenode.uplink import Broker
from edgenode.uplink import replaced as replaced_room
from tests.support.city import City
from tests.support.est_server import EstServer
from tests.support.mosquitto import Mosquitto
from tests.support.outbox import NODE as OUTBOX_NODE
from tests.support.pki import DAY, named
from tests.support.ports import free_port, until
from tests.support.provisioned import TOKEN
from tests.uplink.rig import Node

NODE = OUTBOX_NODE.hex()
NOW = datetime.now(UTC)


def leaf(store: Store) -> x509.Certificate:
    return store.identity.chain()[0]


def verb(store: Store, *words: str) -> int:
    return main(["certificate", "--etc", str(store.etc), *words])


def test_the_verb_tells_what_there_is(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb(store) == 1
    told = capsys.readouterr().out
    assert "no certificate yet" in told
    assert "enrolment with the one-time token" in told
    assert verb(store, "renew") == 0
    capsys.readouterr()
    assert verb(store) == 0
    told = capsys.readouterr().out
    assert f"subject   CN={NODE}" in told
    assert "issuer    CN=City PKI issuing" in told
    assert "edgenode-renew.timer renews it" in told
    assert verb(store, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["next"] == "renew"
    assert found["left_s"] > 80 * 86_400
    assert TOKEN not in json.dumps(found)


def test_the_way_back_is_a_new_token(
    store: Store, server: EstServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.rules.begin = -100 * DAY  # of a certificate that is over
    key = store.identity
    store.settled()
    old = server.ca.issue(key.next_key().public_key(), named(NODE), NOW - 100 * DAY, NOW - DAY)
    key.bring([old, server.ca.certificate])
    known = enrolment(store.etc)
    assert known is not None
    store.settled()
    assert verb(store) == 1
    assert "ENDED" in capsys.readouterr().out
    assert verb(store, "renew") == 1
    assert "enrol --token-file" in capsys.readouterr().err
    server.rules.begin = -DAY
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert verb(store, "enrol", "--token-file", str(file)) == 0
    assert not file.exists()
    assert verb(store) == 0


def test_a_token_that_is_no_file_is_read_and_left_alone(store: Store, tmp_path: Path) -> None:
    (tmp_path / "held").write_text(TOKEN)
    (tmp_path / "stdin").symlink_to(tmp_path / "held")  # as /dev/stdin is one
    assert verb(store, "enrol", "--token-file", str(tmp_path / "stdin")) == 0
    assert (tmp_path / "stdin").is_symlink()


def test_a_disk_that_cannot_be_written_is_told_in_a_sentence(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    assert verb(store, "renew") == 1
    assert "No space left on device" in capsys.readouterr().err


def test_a_token_file_without_a_token_is_refused(store: Store, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    assert verb(store, "enrol", "--token-file", str(tmp_path / "empty")) == 1
    assert verb(store, "enrol", "--token-file", str(tmp_path / "none")) == 1


# --- under a running uplink ----------------------------------------------------------------------


def test_a_renewal_is_used_by_a_running_uplink_without_a_restart(
    store: Store, server: EstServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto wants certificates of the city's PKI, and knows nodes by their names."""
    monkeypatch.setattr(replaced_room, "LOOK_MS", 50)
    attempt(store, NOW)
    ca = tmp_path / "root.pem"
    ca.write_text(server.ca.trust)
    inside = free_port()
    own = tmp_path / "est/est-server.pem"
    broker = Mosquitto(
        tmp_path / "broker",
        [
            f"cafile {ca}", f"certfile {own}", f"keyfile {own}", "require_certificate true",
            "use_identity_as_username true", f"listener {inside} 127.0.0.1",
        ],
    )  # fmt: skip
    broker.inside = inside
    certificate, key = store.identity.files
    mutual = Broker("localhost", broker.port, ca=ca, cert=certificate, key=key)
    with broker, City(inside), Node([mutual]) as node:
        node.box.seal(3)
        node.delivered()
        first = leaf(store)
        assert node.uplink.stats().connections == 1
        attempt(store, NOW, early=True)
        until(lambda: node.uplink.stats().connections == 2, "a session under the new certificate")
        node.box.seal(3)
        node.delivered()
        assert leaf(store).public_bytes(Encoding.DER) != first.public_bytes(Encoding.DER)
        assert node.uplink.stats().last_error == ""
        assert broker.log.read_text().count(f"u'{NODE}'") == 2
