"""The data partition: grown, checked, filled and bound by the first start, cut wherever it may be.

Growing a mounted ext4 needs CAP_SYS_RESOURCE, which containers withhold: here resize2fs is asked
and does nothing, and the machine of claims.py shows that it grows.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.image import disk
from deploy.image.recipe import HERE, PARTS
from deploy.image.slots import ext4
from tests.support.ports import until

SCRIPTS = HERE / "tree/usr/lib/edgenode-image"
CARD_MIB = 1536
# One of each kind; the others go the same way.
PLACES = ("/etc/edgenode", "/etc/ssh/keys", "/etc/machine-id", "/var/lib/systemd/random-seed")
# What the scripts call to change something; each call is a moment at which the power may fail.
PROGRAMS = (
    "e2fsck", "mount", "resize2fs", "sfdisk", "partx", "sync", "cp", "mv", "ssh-keygen",
)  # fmt: skip
REAL = f"{os.environ['PATH']}:/usr/sbin:/sbin"
SHIM = """\
#!/bin/sh
PATH={path}
read -r count <{count}
count=$((count + 1))
echo "$count" >{count}
[ "$count" != "$CUT" ] || kill -9 0
exec {name} "$@"
"""
ASKED = """\
#!/bin/sh
grep -q " $1 .*/data " /proc/self/mountinfo || grep -q "/data .* $1 " /proc/self/mountinfo || exit 1
echo "$1" >{asked}
"""

pytestmark = pytest.mark.root


def _taken(row: str) -> bool:
    return row.startswith("# What") or row.rsplit(maxsplit=1)[-1] in PLACES


class Start:
    """A card on a loop device, and starts with it, each in a mount namespace of its own."""

    def __init__(self, work: Path) -> None:
        self.work = work
        self.root = work / "root"
        self.shims = work / "shims"
        self.shims.mkdir()
        for name in PROGRAMS:
            assert shutil.which(name, path=REAL), f"{name} is missing"
            shim = self.shims / name
            shim.write_text(SHIM.format(count=work / "count", path=REAL, name=name))
            shim.chmod(0o755)
        (self.shims / "resize2fs").write_text(ASKED.format(asked=work / "asked"))
        self.path = f"{self.shims}:{REAL}"
        self.device = ""
        self.scripts = work / "scripts"
        shutil.copytree(SCRIPTS, self.scripts)
        rows = [row for row in (SCRIPTS / "state").read_text().splitlines() if _taken(row)]
        assert len(rows) == 1 + len(PLACES)
        (self.scripts / "state").write_text("\n".join(rows) + "\n")

    def blank(self) -> None:
        """A fresh card and a fresh root."""
        shutil.rmtree(self.root, ignore_errors=True)
        for name in ("data", "run", "etc/edgenode", "etc/ssh/keys", "var/lib/systemd"):
            (self.root / name).mkdir(parents=True)
        (self.root / "etc/edgenode/shipped").write_text("by the image")
        (self.root / "etc/machine-id").touch()
        (self.root / "var/lib/systemd/random-seed").touch()

    def insert(self, card: Path) -> None:
        done = subprocess.run(
            ["losetup", "--find", "--show", str(card)], check=True, capture_output=True, text=True
        )
        self.device = done.stdout.strip()
        self._see()

    def _see(self) -> None:
        subprocess.run(["partx", "--add", self.device], check=True, capture_output=True)

    def remove(self) -> None:
        """Take the card out; the mounts of a start that was killed end a moment after it."""
        forget = ["partx", "--delete", self.device]
        until(
            lambda: subprocess.run(forget, check=False, capture_output=True).returncode == 0,
            f"nobody holds {self.device}",
        )
        subprocess.run(["losetup", "--detach", self.device], check=True)

    def run(self, cut: int = 0, look: str = "true") -> tuple[int, str]:
        """Start once; `cut` is the number of the call before which the power fails."""
        (self.work / "count").write_text("0")
        shutil.rmtree(self.root / "run/edgenode-image", ignore_errors=True)
        script = (
            f"{self.scripts}/prepare {self.device} {self.device}p7; echo $?; PATH={REAL}; {look}"
        )
        with subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", script],
            stdout=subprocess.PIPE, text=True, start_new_session=True,
            env={
                "PATH": REAL, "EDGENODE_PATH": self.path, "EDGENODE_ROOT": str(self.root),
                "CUT": str(cut),
            },
        ) as process:  # fmt: skip
            try:
                said, _ = process.communicate(timeout=30)
            finally:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, said

    @property
    def calls(self) -> int:
        return int((self.work / "count").read_text())


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("image")
    data = next(part for part in PARTS if part.name == "data")
    ext4(data, work / "data", 1_700_000_000)
    disk.assemble({"data": work / "data"}, work / "card")
    os.truncate(work / "card", CARD_MIB << 20)
    return work / "card"


@pytest.fixture
def start(tmp_path: Path, image: Path) -> Iterator[Start]:
    made = Start(tmp_path)
    made.blank()
    card = tmp_path / "card"
    subprocess.run(["cp", "--sparse=always", image, card], check=True)
    made.insert(card)
    yield made
    made.remove()


def _seen(start: Start) -> list[str]:
    """What a whole start leaves: its exit code, names, contents, what is bound."""
    root = start.root
    look = (
        f"cd {root}/data && find . -path ./lost+found -prune -o "
        f"-printf '%P %y %m %u\\n' | sort; cat {root}/etc/machine-id; "
        f"ssh-keygen -l -f {root}/etc/ssh/keys/ssh_host_ed25519_key; "
        f"cat {root}/etc/edgenode/shipped; echo; cat {root}/run/edgenode-image/failed"
    )
    code, said = start.run(look=look)
    del code
    return said.splitlines()


def test_a_first_start_gives_the_rest_of_the_card_to_the_data_partition(start: Start) -> None:
    assert _seen(start)[0] == "0"
    table = subprocess.run(
        ["sfdisk", "--dump", start.device], check=True, capture_output=True, text=True
    ).stdout
    assert "label-id: 0xed9e0001" in table
    start_at, size = re.findall(r"p7 : start= *(\d+), size= *(\d+)", table)[0]
    assert int(start_at) + int(size) == CARD_MIB << 11
    assert (start.work / "asked").read_text().strip() == f"{start.device}p7"
    seen_by_kernel = Path(f"/sys/class/block/{Path(start.device).name}p7/size").read_text()
    assert int(seen_by_kernel) == int(size)


def test_a_grown_card_keeps_its_table(start: Start) -> None:
    _seen(start)
    before = _table(start)
    _seen(start)
    assert _table(start) == before


def _table(start: Start) -> bytes:
    with Path(start.device).open("rb") as card:
        return card.read(disk.ALIGNMENT)


def test_what_was_made_once_is_the_same_after_the_next_start(start: Start) -> None:
    first = _seen(start)
    assert len(next(row for row in first if len(row) == 32 and int(row, 16))) == 32  # machine id
    assert any("ED25519" in row for row in first)
    assert "by the image" in first
    assert _seen(start) == first


def test_a_power_cut_at_any_moment_of_the_first_start_is_repaired_by_the_next(
    start: Start, image: Path, tmp_path: Path
) -> None:
    whole = _shape(_seen(start))
    calls = start.calls
    assert calls > 15
    for cut in range(1, calls + 1):
        start.remove()
        (tmp_path / "card").unlink()
        subprocess.run(["cp", "--sparse=always", image, tmp_path / "card"], check=True)
        start.blank()
        start.insert(tmp_path / "card")
        code, _ = start.run(cut)
        assert code in {-signal.SIGKILL, 128 + signal.SIGKILL}, f"call {cut} was not cut"
        start.remove()  # what the kernel knows of the table ends with the power too
        start.insert(tmp_path / "card")
        assert _shape(_seen(start)) == whole, f"cut at call {cut} of {calls}"


def _shape(said: list[str]) -> list[str]:
    """What does not differ between two nodes: no machine id, no key."""
    return [row for row in said if len(row) != 32 and "ED25519" not in row]


def test_a_data_partition_beyond_repair_is_told_and_the_node_starts_all_the_same(
    start: Start,
) -> None:
    at = next(at for part, at in disk.placed() if part.name == "data")
    with Path(start.device).open("r+b") as card:
        card.seek(at)
        card.write(b"\xff" * (64 << 20))
    said = _seen(start)
    assert said[0] == "1"
    assert "cannot be repaired" in said[-1]
    assert "by the image" in said
