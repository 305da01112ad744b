"""The first boot, cut at every call that changes a file system, and run again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from edgenode.provision import plan
from edgenode.provision.configuration import render
from edgenode.provision.document import read, stored
from edgenode.provision.firstboot import firstboot
from tests.support.pki import Ca
from tests.support.powercut import Disk, restored, tree
from tests.support.provisioned import BOOT, NOW, document, insert, machine, places, ready

Scene = Callable[[Path], None]
CA = Ca()
READY = ready(CA)
NEXT = ready(CA)
LATER = document(
    serial=8,
    site={"name": "another square"},
    network={"wifi": [{"ssid": "other", "psk": "battery staple"}]},
    enrol=NEXT,
    ssh_keys=None,
)


@pytest.fixture(autouse=True)
def one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """A node makes the same key each time here, so that two nodes can be compared."""
    key = ec.generate_private_key(ec.SECP256R1())
    monkeypatch.setattr(ec, "generate_private_key", lambda _: key)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """What does not touch the disk is computed once: reading and rendering a document."""
    monkeypatch.setattr(plan, "read", _once(read))
    monkeypatch.setattr(plan, "render", _once(render))


def _once(pure: Callable[..., Any]) -> Callable[..., Any]:
    found: dict[str, Any] = {}

    def call(what: Any, *more: Any) -> Any:
        key = repr(what)
        if key not in found:
            found[key] = pure(what, *more)
        return found[key]

    return call


def by_est(root: Path) -> None:
    insert(machine(root), document())


def once_more(root: Path) -> None:
    """A node that has one document, and by hand a change in its configuration, gets a later one."""
    where = machine(root)
    insert(where, document(enrol=READY))
    firstboot(where, NOW)
    with (where.etc / "edgenode.toml").open("a") as file:
        file.write("# by hand\n")
    insert(where, LATER)


SCENES = {"by EST": by_est, "a later one": once_more}


def run(root: Path, *, honest: bool = True) -> Disk:
    """Run without a cut; the disk knows what each would have left."""
    disk = Disk(root, honest=honest)
    with disk.watched():
        firstboot(places(root), NOW)
    return disk


def sound(root: Path) -> None:
    """Whatever survives: the document is there, or it was taken; each file is a whole one."""
    etc = root / "etc/edgenode"
    taken = etc / "node.json"
    wanted = root / BOOT / "node.json"
    serial = stored(taken.read_bytes()).serial if taken.exists() else 0
    if wanted.exists():
        assert json.loads(wanted.read_bytes())["serial"] >= serial
    else:
        assert serial in {7, 8}
    if (etc / "tls/current").is_symlink():
        pair = (etc / "tls/node.pem").exists(), (etc / "tls/node.key").exists()
        assert (etc / "tls/current/node.pem").exists()
        assert (etc / "tls/current/node.key").exists()
        assert not taken.exists() or serial == 8 or all(pair)


@pytest.mark.parametrize("scene", SCENES)
@pytest.mark.parametrize("survives", ["what was flushed", "all"])
def test_a_cut_at_any_call_is_repaired_by_the_next_start(
    tmp_path: Path, scene: str, survives: str
) -> None:
    SCENES[scene](tmp_path / "node")
    disk = run(tmp_path / "node")
    wanted = tree(tmp_path / "node")
    lefts = disk.all if survives == "all" else disk.flushed
    assert disk.calls > 100
    assert len(lefts) > 15
    for number, left in enumerate(lefts):
        root = restored(left, tmp_path / f"{number}")
        sound(root)
        firstboot(places(root), NOW)
        assert tree(root) == wanted, f"cut {number} of {len(lefts)}"


def test_a_cut_while_a_cut_is_repaired_is_repaired_too(tmp_path: Path) -> None:
    once_more(tmp_path / "node")
    lefts = run(tmp_path / "node").flushed
    wanted = tree(tmp_path / "node")
    for number, left in enumerate(lefts[3::8]):
        again = run(restored(left, tmp_path / f"{number}")).flushed
        for second, left_again in enumerate(again):
            root = restored(left_again, tmp_path / f"{number}-{second}")
            firstboot(places(root), NOW)
            assert tree(root) == wanted


def test_the_disk_of_these_tests_forgets_what_nobody_flushed(tmp_path: Path) -> None:
    """The control: where fsync does nothing, all of the work is gone."""
    by_est(tmp_path / "node")
    left = run(tmp_path / "node", honest=False).flushed[-1]
    assert "etc/edgenode" not in left
    assert f"{BOOT}/node.json" in left
