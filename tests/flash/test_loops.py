"""Real block devices: loop devices of this machine, written, refused, disturbed and killed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from edgenode.cli import main
from edgenode.errors import FlashError
from edgenode.flash import Machine, Uses, claimed, device, examined, flash
from tests.flash.cards import OLD, has_table
from tests.flash.images import MIB, SIZE
from tests.support.disks import loop_device, run

pytestmark = pytest.mark.root

CARD = 20 * MIB


@pytest.fixture
def backing(ram: Path) -> Path:
    """The file of a card that was used before."""
    path = ram / "card"
    with path.open("wb") as file:
        file.truncate(CARD)
        file.write(OLD)
    return path


@pytest.fixture
def card(backing: Path) -> Iterator[str]:
    """The name of a loop device."""
    with loop_device(backing) as path:
        yield Path(path).name


def refused(card: str) -> list[str]:
    machine = Machine()
    return Uses(machine).refusals(device(machine, card), MIB)


def test_a_card_is_written_verified_and_found_in_order_by_mtools_and_fsck(
    card: str, backing: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flash", str(image), card, "--yes"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == f"{card}: 13.6 MB written and verified; take it out"
    assert lines[2].startswith("write  100 %")
    assert lines[3].startswith("verify 100 %")
    assert backing.read_bytes()[:SIZE] == image.read_bytes()
    assert "autoboot" in run("mdir", "-b", "-i", f"{backing}@@1M", "::")
    assert run("sfdisk", "--dump", f"/dev/{card}").count("type=") == 7


@pytest.fixture
def signed(tmp_path: Path) -> tuple[Path, Path]:
    """A document and the key that vouches for it, as `edgenode provision` makes them."""
    key, node = tmp_path / "city.key", tmp_path / "node.json"
    assert main(["provision", "key", str(key)]) == 0
    words = ["--id", "0a1b2c3d4e5f6071", "--name", "Weir 3", "--lat", "37.5", "--lon", "127"]
    words += ["--purpose", "air", "--broker", "mqtt.city.example:8883"]
    assert main(["provision", "new", "--key", str(key), *words, "--out", str(node)]) == 0
    return node, tmp_path / "city.key.pub"


def test_a_signed_document_and_its_key_are_put_into_the_boot_partition(
    card: str, backing: Path, image: Path, signed: tuple[Path, Path],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    node, trust = signed
    words = ["flash", str(image), card, "--yes", "--node", str(node), "--trust", str(trust)]
    capsys.readouterr()
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "adds    city.pub and node.json, for node 0a1b2c3d4e5f6071 (Weir 3)\n" in out
    assert out.endswith("written and verified, with city.pub and node.json; take it out\n")
    for name, given in (("node.json", node), ("city.pub", trust)):
        assert run("mtype", "-i", f"{backing}@@1M", f"::{name}") == given.read_text().strip()


def test_a_document_that_another_key_signed_is_refused_before_anything_is_written(
    card: str, backing: Path, image: Path, signed: tuple[Path, Path], tmp_path: Path
) -> None:
    assert main(["provision", "key", str(tmp_path / "other")]) == 0
    words = ["--node", str(signed[0]), "--trust", str(tmp_path / "other.pub")]
    assert main(["flash", str(image), card, "--yes", *words]) == 2
    assert has_table(backing)


def test_what_is_told_as_json_is_an_object_a_line(
    card: str, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["flash", str(image), f"/dev/{card}", "--yes", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["format"] for one in found} == {1}
    assert [found[0]["event"], found[-1]["event"]] == ["plan", "done"]
    phases = [one["phase"] for one in found[1:-1] if one["done_bytes"] == one["total_bytes"]]
    assert phases == ["write", "verify"]
    assert found[-1] | {"table_seen": None} == {
        "format": 1,
        "event": "done",
        "device": card,
        "image_bytes": SIZE,
        "files": [],
        "table_seen": None,
    }


def test_a_mounted_device_is_refused(card: str, tmp_path: Path, image: Path) -> None:
    run("mke2fs", "-q", "-F", f"/dev/{card}")
    (where := tmp_path / "mnt").mkdir()
    run("mount", f"/dev/{card}", where)
    try:
        assert refused(card) == [f"{card} is mounted at {where}: umount {where}"]
        assert main(["flash", str(image), card, "--yes"]) == 1
    finally:
        run("umount", where)
    assert refused(card) == []


def test_a_device_that_only_another_namespace_has_mounted_is_refused(
    card: str, tmp_path: Path
) -> None:
    run("mke2fs", "-q", "-F", f"/dev/{card}")
    (where := tmp_path / "mnt").mkdir()
    script = 'mount "$1" "$2" && echo mounted && read -r _'
    with subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", script, "sh", f"/dev/{card}", where],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdin
        assert other.stdout
        assert other.stdout.readline() == "mounted\n"
        found = refused(card)
        other.stdin.close()
    assert found == [
        f"{card} is mounted at {where}, as process {other.pid} sees it: umount {where}"
    ]


def test_a_device_that_is_used_as_swap_is_refused(card: str) -> None:
    run("mkswap", f"/dev/{card}")
    run("swapon", f"/dev/{card}")
    try:
        assert refused(card) == [f"{card} is used as swap: swapoff /dev/{card}"]
    finally:
        run("swapoff", f"/dev/{card}")


def test_a_device_that_a_program_has_claimed_is_refused_also_at_the_last_moment(
    card: str, backing: Path
) -> None:
    machine = Machine()
    wanted = device(machine, card)
    claim = os.open(f"/dev/{card}", os.O_RDONLY | os.O_EXCL)
    try:
        assert refused(card) == [f"{card} is held open by a program: close what works on it"]
        with pytest.raises(FlashError, match=f"{card} is in use"):
            claimed(machine, wanted)
    finally:
        os.close(claim)
    assert has_table(backing)


def test_what_another_loop_device_is_made_of_is_refused(card: str) -> None:
    with loop_device(Path(f"/dev/{card}")) as other:
        (reason,) = refused(card)
        assert reason == f"{card} is what {Path(other).name} is made of: losetup --detach {other}"
        assert refused(Path(other).name) == [
            f"{Path(other).name} is made of {card}: name the disk itself"
        ]


def test_what_comes_into_use_while_somebody_is_asked_is_not_written(
    card: str, backing: Path
) -> None:
    machine = Machine()
    wanted = device(machine, card)
    with loop_device(backing), pytest.raises(FlashError, match="is made of the same file as"):
        claimed(machine, wanted)
    assert has_table(backing)


def test_a_device_that_a_program_writes_without_a_claim_is_refused(card: str) -> None:
    with subprocess.Popen(
        ["sh", "-c", f"exec 5<>/dev/{card}; echo open; read -r _"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdout
        assert other.stdout.readline() == "open\n"
        assert refused(card) == [f"{card} is written by process {other.pid} (sh): end it first"]
        other.communicate()
    assert refused(card) == []


def test_a_device_that_is_too_small_is_refused_and_left_as_it_is(
    ram: Path, image: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = ram / "small"
    small.write_bytes(OLD.ljust(10 * MIB, b"\1"))
    with loop_device(small) as path:
        assert main(["flash", str(image), path, "--yes"]) == 1
    assert "has 10.5 MB, the image needs 13.6 MB: take a larger card" in capsys.readouterr().err
    assert small.read_bytes() == OLD.ljust(10 * MIB, b"\1")


def test_a_read_only_device_is_refused(backing: Path) -> None:
    path = run("losetup", "--find", "--show", "--read-only", backing)
    try:
        assert any("is read-only" in reason for reason in refused(Path(path).name))
    finally:
        run("losetup", "--detach", path)


def test_a_card_that_was_exchanged_after_the_question_is_not_written(
    card: str, backing: Path, ram: Path
) -> None:
    machine = Machine()
    wanted = device(machine, card)
    run("losetup", "--detach", f"/dev/{card}")
    (other := ram / "other").write_bytes(backing.read_bytes())
    run("losetup", f"/dev/{card}", other)
    with pytest.raises(FlashError, match="is not what it was a moment ago"):
        claimed(machine, wanted)
    assert has_table(other)


def test_what_somebody_else_changes_meanwhile_is_noticed(
    card: str, backing: Path, image: Path
) -> None:
    def change(phase: str, done: int, total: int) -> None:
        if phase == "write" and done == total:
            with backing.open("r+b") as file:
                file.seek(9 * MIB + 1234)
                file.write(b"not of the image")

    machine = Machine()
    with (
        claimed(machine, device(machine, card)) as open_card,
        pytest.raises(FlashError, match="otherwise than it was written, in MiB 9: "),
    ):
        flash(open_card, examined(image), {}, change)
    assert not has_table(backing)


@pytest.fixture
def large(image: Path, ram: Path) -> Iterator[tuple[Path, str, Path]]:
    """An image that takes a while, a device for it, and its file."""
    longer, file = ram / "long.img", ram / "long"
    longer.write_bytes(image.read_bytes())
    for path in (longer, file):
        with path.open("ab") as grown:
            grown.truncate(1 << 30)
    with file.open("r+b") as used, ExitStack() as stack:
        used.write(OLD)
        used.flush()
        yield longer, stack.enter_context(loop_device(file)), file


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 130)],
)
def test_ended_in_the_middle_it_leaves_no_partition_table(
    large: tuple[Path, str, Path], number: signal.Signals, code: int
) -> None:
    longer, path, file = large
    assert has_table(file)
    words = ["flash", str(longer), path, "--yes", "--json"]
    with subprocess.Popen(
        [sys.executable, "-m", "edgenode", *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout
        for line in running.stdout:
            if (told := json.loads(line))["event"] == "progress" and told["done_bytes"]:
                break
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
    assert running.returncode == code, err
    assert not has_table(file)
    if code == 130:
        assert json.loads(out.splitlines()[-1])["written"] is True
        assert "its partition table is gone" in err
