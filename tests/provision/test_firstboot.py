"""The first boot: what a good document comes to, and a later one."""

from __future__ import annotations

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import main
from edgenode.config import load
from edgenode.errors import NodeError
from edgenode.provision.firstboot import firstboot
from edgenode.provision.places import Places
from edgenode.provision.store import enrolment
from tests.support.pki import Ca
from tests.support.powercut import tree
from tests.support.provisioned import (
    NODE,
    NOW,
    SECRETS,
    TOKEN,
    document,
    insert,
    ready,
    status,
)

CA = Ca()


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_document_becomes_a_configuration_that_the_daemon_takes(node: Places) -> None:
    insert(node, document(trust=CA.trust))
    taken = firstboot(node, NOW)
    assert taken.fresh
    config = load(node.etc / "edgenode.toml")
    assert config.node.id == NODE
    assert [sensor.name for sensor in config.sensors] == ["node"]
    broker = config.uplink.broker[0]
    assert str(broker.cert) == "/etc/edgenode/tls/node.pem"
    assert (node.etc / "tls/ca.pem").read_text() == CA.trust
    assert mode(node.etc) == 0o750
    assert mode(node.etc / "edgenode.toml") == 0o640


def test_secrets_stay_where_only_root_reads_them(node: Places) -> None:
    insert(node, document())
    firstboot(node, NOW)
    assert not (node.boot / "node.json").exists()
    for path in node.root.rglob("*"):
        if path.is_file() and any(secret in path.read_text() for secret in SECRETS):
            assert mode(path) == 0o600, path
    assert TOKEN not in (node.etc / "node.json").read_text()
    assert mode(node.etc / "tls/next/node.key") == 0o640


def test_what_lay_on_the_boot_partition_is_overwritten_before_it_is_removed(
    node: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = insert(node, document())
    last: dict[str, bytes] = {}
    real = os.unlink

    def unlink(path: Any, **more: Any) -> None:
        last[os.fspath(path)] = Path(path).read_bytes()
        real(path, **more)

    monkeypatch.setattr(os, "unlink", unlink)
    firstboot(node, NOW)
    found = {path: held for path, held in last.items() if path.startswith(str(node.boot))}
    assert list(found.values()) == [bytes(len(data))]


def test_without_a_network_everything_but_the_certificate_is_there(node: Places) -> None:
    """Nothing here asks a network: the node samples at once, and enrols when it can."""
    insert(node, document())
    firstboot(node, NOW)
    known = enrolment(node.etc)
    assert known is not None
    assert (known.node, known.est, known.token) == (NODE, "https://est.city.example:8443", TOKEN)
    assert known.proxy == "http://user:secret@proxy.example:3128"
    assert not (node.etc / "tls/node.pem").exists()
    assert "as soon as it has a network" in status(node)


def test_a_ready_certificate_is_used(node: Places) -> None:
    enrol = ready(CA)
    insert(node, document(enrol=enrol))
    firstboot(node, NOW)
    assert (node.etc / "tls/node.pem").read_text() == enrol["certificate"]
    assert (node.etc / "tls/node.key").read_text() == enrol["key"]
    assert enrolment(node.etc) is None


def test_a_clock_at_1970_takes_a_ready_certificate_that_begins_later(node: Places) -> None:
    insert(node, document(enrol=ready(CA)))
    firstboot(node, datetime(1970, 1, 1, tzinfo=UTC))
    assert (node.etc / "tls/node.pem").exists()


def test_status_txt_is_for_any_laptop(node: Places) -> None:
    insert(node, document())
    firstboot(node, NOW)
    text = status(node)
    assert text.startswith(f"provisioned as {NODE} (광장)\r\ndocument 7 of 2026-11-26T09:00:00Z")
    assert text.count("\n") == text.count("\r\n")


# --- later documents -----------------------------------------------------------------------------


def test_a_later_document_replaces_the_earlier_and_what_it_has_no_more_is_gone(
    node: Places,
) -> None:
    insert(node, document())
    firstboot(node, NOW)
    insert(node, document(serial=8, ssh_keys=None, network={"ethernet": {"dhcp": True}}))
    firstboot(node, NOW)
    place = node.root / "etc/NetworkManager/system-connections"
    names = [path.name for path in place.iterdir()]
    assert names == ["edgenode-ethernet.nmconnection"]
    assert not (node.root / "home/maintainer/.ssh/authorized_keys").exists()
    assert json.loads((node.etc / "node.json").read_text())["serial"] == 8


def test_a_configuration_that_was_changed_by_hand_is_kept_beside(node: Places) -> None:
    insert(node, document())
    firstboot(node, NOW)
    mine = (node.etc / "edgenode.toml").read_text() + "# mine\n"
    (node.etc / "edgenode.toml").write_text(mine)
    insert(node, document(serial=8))
    firstboot(node, NOW)
    assert (node.etc / "edgenode.toml.before").read_text() == mine


def test_the_same_document_once_more_is_wiped_and_changes_nothing(node: Places) -> None:
    made = document(enrol=ready(CA))
    insert(node, made)
    firstboot(node, NOW)
    before = tree(node.etc)
    insert(node, made)
    assert not firstboot(node, NOW).fresh
    assert tree(node.etc) == before
    assert not (node.boot / "node.json").exists()


def test_a_token_that_is_given_again_with_the_same_document_is_not_used_again(
    node: Places,
) -> None:
    insert(node, document())
    firstboot(node, NOW)
    known = enrolment(node.etc)
    assert known is not None
    known.with_token("").save(node.etc, None)  # it has enrolled since
    insert(node, document())
    assert not firstboot(node, NOW).fresh
    after = enrolment(node.etc)
    assert after is not None
    assert after.token == ""
    assert not (node.boot / "node.json").exists()


def test_a_later_document_with_a_new_token_enrols_while_the_old_certificate_is_in_use(
    node: Places,
) -> None:
    insert(node, document(enrol=ready(CA)))
    firstboot(node, NOW)
    old = (node.etc / "tls/node.pem").read_bytes()
    insert(node, document(serial=8))
    firstboot(node, NOW)
    known = enrolment(node.etc)
    assert known is not None
    assert known.token == TOKEN
    assert (node.etc / "tls/node.pem").read_bytes() == old


def test_a_later_proxy_is_that_of_renewals_too(node: Places) -> None:
    insert(node, document())
    firstboot(node, NOW)
    insert(node, document(serial=8, enrol=None, network={"proxy": "http://other:8080"}))
    firstboot(node, NOW)
    known = enrolment(node.etc)
    assert known is not None
    assert (known.proxy, known.token) == ("http://other:8080", TOKEN)


def test_a_token_that_was_spent_before_the_steps_were_done_is_not_used_again(
    node: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk filled up, the node enrolled meanwhile, and the next start does all steps again."""
    insert(node, document())
    with monkeypatch.context() as patch:
        patch.setattr("edgenode.provision.firstboot.pretty", _full)
        with pytest.raises(NodeError):
            firstboot(node, NOW)
    known = enrolment(node.etc)
    assert known is not None
    known.with_token("").save(node.etc, None)
    assert firstboot(node, NOW).fresh
    after = enrolment(node.etc)
    assert after is not None
    assert after.token == ""
    insert(node, document(serial=8, enrol=document()["enrol"] | {"token": "x" + TOKEN}))
    firstboot(node, NOW)
    last = enrolment(node.etc)
    assert last is not None
    assert last.token == "x" + TOKEN


def _full(*_: object) -> bytes:
    raise OSError(28, "No space left on device")


# --- the verb ------------------------------------------------------------------------------------


def test_the_verb_takes_a_document_for_another_root(
    node: Places, capsys: pytest.CaptureFixture[str]
) -> None:
    insert(node, document())
    words = ["firstboot", "--boot", str(node.boot), "--root", str(node.root)]
    (node.root / "etc/group").write_text(f"edgenode:x:{os.getgid()}:\n")
    assert main(words) == 0
    assert capsys.readouterr().out.startswith(f"provisioned as {NODE}")
    assert main(words) == 0
    assert "no node.json" in capsys.readouterr().out
    (node.boot / "node.json").write_bytes(b"{}")
    assert main(words) == 1
    assert "REFUSED" in capsys.readouterr().err
