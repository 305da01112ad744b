"""The first boot of a document that is bad: nothing changes, and it is said everywhere."""

from __future__ import annotations

import json
import os
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edgenode.errors import NodeError, ProvisionError
from edgenode.provision.canonical import pretty
from edgenode.provision.firstboot import firstboot
from edgenode.provision.places import Places
from tests.support.pki import GARBAGE, Ca
from tests.support.powercut import Tree, tree
from tests.support.provisioned import (
    NODE,
    NOW,
    SECRETS,
    document,
    insert,
    lamp,
    public_key,
    ready,
    status,
)

STRANGER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
CA = Ca()


def but_status(left: Tree) -> Tree:
    """Return a tree without what tells of a refusal."""
    told = {"boot/firmware/status.txt", "run", "run/edgenode-provision"}
    return {path: what for path, what in left.items() if path.partition("/refused")[0] not in told}


def tampered(node: Places) -> None:
    data = insert(node, document(serial=8))
    (node.boot / "node.json").write_bytes(data.replace(b"mqtt.city", b"mqtt.evil"))


def of_a_stranger(node: Places) -> None:
    insert(node, document(serial=8), STRANGER)


def unsigned(node: Places) -> None:
    (node.boot / "node.json").write_bytes(pretty(document(serial=8)))


def signed(**changes: Any) -> Callable[[Places], None]:
    def act(node: Places) -> None:
        insert(node, document(**{"serial": 8, **changes}))

    return act


def raw(data: bytes) -> Callable[[Places], None]:
    def act(node: Places) -> None:
        (node.boot / "node.json").write_bytes(data)

    return act


BAD: dict[str, tuple[Callable[[Places], None], str]] = {
    "changed after it was signed": (tampered, "it was changed after key"),
    "signed by a stranger": (of_a_stranger, "signature: made by key"),
    "signed by nobody": (unsigned, "nobody vouches"),
    "of a lower serial": (signed(serial=6), "a serial above that, not 6"),
    "of the same serial, and another": (signed(serial=7, brokers=[{"host": "x"}]), "not 7"),
    "cut off": (raw(b'{"version": 1, '), "not JSON"),
    "empty": (raw(b""), "not JSON"),
    "zeros": (raw(bytes(4096)), "not JSON"),
    "too long": (raw(b"[" * 300_000), "longer than"),
    "with a driver that nobody knows": (
        signed(sensors=[{"name": "a", "driver": "bme2800", "bus": "self", "every_s": 1}]),
        "sensors[0].driver",
    ),
    "with an unknown member": (signed(netwrok={}), "netwrok"),
    "with a certificate that is over": (signed(enrol=ready(CA, days=-1)), "it ended"),
    "with a certificate of another node": (signed(enrol=ready(CA, node="ffffffff")), "ffffffff"),
    "with a certificate that nobody can read": (
        signed(enrol=ready(CA, constraints=GARBAGE)),
        "enrol.certificate: holds something that is no certificate",
    ),
    "of another node": (signed(node={"id": "ffffffff"}), f"node.id: this node is {NODE}"),
    "with somebody else's key": (
        signed(enrol=ready(CA) | {"key": ready(CA)["key"]}),
        "does not belong",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_a_document_that_is_bad_changes_nothing_and_is_refused_everywhere(
    node: Places, what: str
) -> None:
    insert(node, document(enrol=ready(CA)))
    firstboot(node, NOW)
    flashes = lamp(node)
    act, words = BAD[what]
    act(node)
    before = but_status(tree(node.root))
    with pytest.raises(ProvisionError) as caught:
        firstboot(node, NOW)
    after = but_status(tree(node.root))
    for path in ("trigger", "delay_on", "delay_off"):
        before.pop(f"sys/class/leds/ACT/{path}", None)
        after.pop(f"sys/class/leds/ACT/{path}", None)
    assert after == before
    assert words in str(caught.value)
    assert status(node).startswith("REFUSED: node.json was not taken; nothing was changed.\r\n- ")
    assert words in status(node)
    told = json.loads((node.run / "refused.json").read_text())
    assert told["problems"] == caught.value.problems
    assert (flashes / "trigger").read_text() == "timer"
    rhythm = [(flashes / name).read_text() for name in ("delay_on", "delay_off")]
    assert rhythm == ["1000", "1000"], "unlike the heartbeat that a board shows by itself"
    assert not any(secret in status(node) for secret in SECRETS)


def test_every_mistake_is_told_at_once(node: Places) -> None:
    insert(node, document(brokers=[{"host": ""}], network={"ntp": [7]}, spoool={}))
    with pytest.raises(ProvisionError) as caught:
        firstboot(node, NOW)
    assert len(caught.value.problems) >= 3
    assert all(problem in status(node) for problem in caught.value.problems)


def test_a_node_that_trusts_nobody_asks_for_the_citys_key(node: Places) -> None:
    insert(node, document())
    (node.boot / "city.pub").unlink()
    with pytest.raises(ProvisionError, match=r"copy the city's \.pub there"):
        firstboot(node, NOW)


def test_a_key_on_the_boot_partition_is_trusted_once_and_never_again(node: Places) -> None:
    insert(node, document())
    firstboot(node, NOW)
    insert(node, document(serial=8), STRANGER)  # brings its own city.pub
    with pytest.raises(ProvisionError, match="made by key"):
        firstboot(node, NOW)


@pytest.mark.parametrize("name", ["node.json", "city.pub"])
@pytest.mark.parametrize("kind", ["link", "pipe", "directory"])
def test_what_is_no_file_is_refused_and_neither_followed_nor_waited_for(
    node: Places, tmp_path: Path, name: str, kind: str
) -> None:
    insert(node, document())
    path = node.boot / name
    path.rename(tmp_path / "held")
    if kind == "link":
        path.symlink_to(tmp_path / "held")
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()
        (path / "city.pub").write_bytes(public_key())
    with pytest.raises(ProvisionError, match=f"{name}: cannot be read"):
        firstboot(node, NOW)
    assert not (node.etc / "node.json").exists()


def test_everybody_may_read_that_a_document_was_refused(node: Places) -> None:
    raw(b"{}")(node)
    before = os.umask(0o077)  # that of the unit
    try:
        with pytest.raises(ProvisionError):
            firstboot(node, NOW)
    finally:
        os.umask(before)
    assert stat.S_IMODE(node.run.stat().st_mode) == 0o755
    assert stat.S_IMODE((node.run / "refused.json").stat().st_mode) == 0o644


def test_a_corrected_document_takes_the_refusal_back(node: Places) -> None:
    flashes = lamp(node)
    raw(b"{}")(node)
    (node.boot / "city.pub").write_bytes(public_key())
    with pytest.raises(ProvisionError):
        firstboot(node, NOW)
    (flashes / "trigger").write_text("none mmc0 [timer] heartbeat")  # as the kernel shows it
    insert(node, document())
    firstboot(node, NOW)
    assert (flashes / "trigger").read_text() == "mmc0"
    assert not (node.run / "refused.json").exists()
    assert "provisioned as" in status(node)


def test_a_document_that_was_taken_away_takes_the_refusal_back(node: Places) -> None:
    raw(b"{}")(node)
    with pytest.raises(ProvisionError):
        firstboot(node, NOW)
    (node.boot / "node.json").unlink()
    firstboot(node, NOW)
    assert not (node.run / "refused.json").exists()
    assert not (node.boot / "status.txt").exists()


def test_what_is_wiped_is_overwritten_piece_by_piece_and_no_more_than_could_be_ours(
    node: Places,
) -> None:
    """Whoever had the card may have left a file of gigabytes under the name of a wipe."""
    with (node.boot / ".edgenode-wipe").open("wb") as file:
        file.truncate(8 << 30)
    tracemalloc.start()
    try:
        firstboot(node, NOW)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    assert not (node.boot / ".edgenode-wipe").exists()


def test_a_full_disk_is_no_fault_of_the_document_and_the_next_start_tries_again(
    node: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(node, document())
    real = os.replace

    def full(source: Any, to: Any, **more: Any) -> None:
        if str(to).endswith("edgenode.toml"):
            raise OSError(28, "No space left on device")
        real(source, to, **more)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(NodeError, match="No space left"):
            firstboot(node, NOW)
    assert status(node).startswith("NOT FINISHED")
    assert (node.boot / "node.json").exists()
    assert firstboot(node, NOW).fresh
    assert status(node).startswith("provisioned as")


def test_a_boot_partition_that_takes_no_writes_does_not_undo_what_was_taken(
    node: Places, monkeypatch: pytest.MonkeyPatch
) -> None:
    insert(node, document())
    real = os.open

    def read_only(path: Any, flags: int, *more: Any, **named: Any) -> int:
        writes = flags & os.O_CREAT or (flags & os.O_WRONLY and Path(path).exists())
        if writes and str(path).startswith(str(node.boot)):
            raise OSError(30, "Read-only file system", path)
        return real(path, flags, *more, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", read_only)
        with pytest.raises(NodeError, match="Read-only file system"):
            firstboot(node, NOW)
    assert (node.etc / "edgenode.toml").exists()
    assert "NOT FINISHED" in (node.run / "refused.json").read_text()
    assert not firstboot(node, NOW).fresh  # writable again: the same document is wiped
    assert not (node.boot / "node.json").exists()


def test_a_board_without_a_lamp_refuses_all_the_same(node: Places) -> None:
    raw(b"{}")(node)
    with pytest.raises(ProvisionError):
        firstboot(node, NOW)
    assert "REFUSED" in status(node)


def test_no_document_is_no_news(node: Places) -> None:
    assert firstboot(node, NOW).lines == ()
    assert not (node.boot / "status.txt").exists()
