"""Settings of the machine that a document brings: in their places at each start, nowhere else."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

import pytest

from edgenode.provision.firstboot import firstboot
from edgenode.provision.places import Places
from tests.support.powercut import tree
from tests.support.provisioned import NODE, NOW, document, insert, machine, status


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_maintainer_logs_in_with_the_keys_of_the_document(node: Places) -> None:
    insert(node, document())
    firstboot(node, NOW)
    keys = node.root / "home/maintainer/.ssh/authorized_keys"
    assert keys.read_text() == f"{document()['ssh_keys'][0]}\n"
    assert (mode(keys.parent), mode(keys)) == (0o700, 0o600)
    assert (node.root / "etc/hostname").read_text() == f"edgenode-{NODE}\n"


def test_a_machine_without_that_user_says_so_and_takes_the_rest(node: Places) -> None:
    (node.root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    insert(node, document(ssh_keys=document()["ssh_keys"], network=None))
    if os.geteuid() != 0:  # root of that passwd is not who runs this
        (node.root / "etc/passwd").write_text(
            f"root:x:{os.getuid()}:{os.getgid()}::/root:/bin/sh\n"
        )
    firstboot(node, NOW)
    assert "no such user on this machine; adduser maintainer" in status(node)
    assert "provisioned as" in status(node)


@pytest.mark.root
@pytest.mark.parametrize("what", ["link", "file", "own"])
def test_a_maintainer_cannot_lead_root_to_a_file_of_somebody_else(what: str) -> None:
    with tempfile.TemporaryDirectory() as directory:
        node = machine(Path(directory) / "node")
        Path(directory).chmod(0o755)
        passwd = node.root / "etc/passwd"
        passwd.write_text(passwd.read_text().replace("maintainer:x:0:0", "maintainer:x:1234:1234"))
        home, other = node.root / "home/maintainer", node.root / "root/.ssh"
        os.chown(home, 1234, 1234)
        other.mkdir(parents=True, mode=0o700)
        (other / "authorized_keys").write_text("of root")
        if what == "link":
            (home / ".ssh").symlink_to(other)
        elif what == "file":
            (home / ".ssh").write_text("")
        insert(node, document())
        firstboot(node, NOW)
        assert (other / "authorized_keys").read_text() == "of root"
        assert list(other.iterdir()) == [other / "authorized_keys"]
        assert ("was left as it is" in status(node)) == (what != "own")
        if what == "own":
            found = (home / ".ssh/authorized_keys").stat()
            assert (found.st_uid, found.st_gid, mode(home / ".ssh")) == (1234, 1234, 0o700)
        assert not (node.boot / "node.json").exists()


def test_settings_are_put_in_place_at_each_start(node: Places) -> None:
    """A root file system in memory has forgotten them."""
    insert(node, document())
    firstboot(node, NOW)
    place = node.root / "etc/NetworkManager/system-connections"
    wanted = tree(place)
    for path in place.iterdir():
        path.unlink()
    (node.root / "etc/hostname").unlink()
    assert not firstboot(node, NOW).fresh
    assert tree(place) == wanted
    assert (node.root / "etc/hostname").exists()
