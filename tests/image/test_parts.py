"""The parts of the image that can be looked at without building one."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from deploy.image import __main__ as builder
from deploy.image import disk, initramfs, sbom, slots
from deploy.image.packages import Package, lock
from deploy.image.recipe import DISK_ID, MIB, PARTS, BuildError
from deploy.image.root import lay

DATE = 1_700_000_000
PACKAGE = Package("libc6", "2.36-9+deb12u10", "arm64", "a" * 64, "http://deb.example/libc6.deb")
DEB = {"Package": "edgenode", "Version": "0.1.0~deb12", "SHA256": "b" * 64}


def test_partitions_begin_on_erase_blocks_and_do_not_overlap() -> None:
    end = 0
    for part, at in disk.placed():
        assert at % disk.ALIGNMENT == 0
        assert at >= end + (disk.ALIGNMENT if part.logical else 0)
        end = at + part.size
    assert disk.size() == end <= 1536 * MIB


def test_the_table_of_the_card_is_what_sfdisk_reads_back(tmp_path: Path) -> None:
    disk.assemble({}, tmp_path / "card")
    told = subprocess.run(
        ["sfdisk", "--json", tmp_path / "card"], check=True, capture_output=True, text=True
    )
    table = json.loads(told.stdout)["partitiontable"]
    assert (table["label"], table["id"]) == ("dos", f"0x{DISK_ID}")
    found = {int(row["node"].removeprefix(f"{tmp_path}/card")): row for row in table["partitions"]}
    assert found.keys() == {1, 2, 3, 4, 5, 6, 7}
    for part, at in disk.placed():
        assert (found[part.number]["start"], found[part.number]["size"]) == (
            at // 512,
            part.size // 512,
        )


def test_a_content_larger_than_its_partition_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(PARTS[0].size + 1)
    with pytest.raises(BuildError, match="large has 67108865 bytes, its partition 67108864"):
        disk.assemble({"edgenode": tmp_path / "large"}, tmp_path / "card")


def test_each_slot_names_its_own_root() -> None:
    words = slots.cmdline("A").split()
    assert f"root=PARTUUID={DISK_ID}-05" in words
    assert "rauc.slot=A" in words
    other = slots.cmdline("B").split()
    assert f"root=PARTUUID={DISK_ID}-06" in other
    assert "rauc.slot=B" in other
    assert len(slots.cmdline("A").splitlines()) == 1


def test_the_same_files_give_the_same_fat_whatever_their_times(tmp_path: Path) -> None:
    images = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "cmdline.txt").write_text("root=")
        slots.fat(PARTS[1], "BOOT", (tmp_path / name).iterdir(), tmp_path / f"{name}.fat", DATE)
        images.append((tmp_path / f"{name}.fat").read_bytes())
    assert images[0] == images[1]
    read = subprocess.run(
        ["mtype", "-i", tmp_path / "one.fat", "::cmdline.txt"], check=True, capture_output=True
    )
    assert read.stdout == b"root="


@pytest.mark.root
def test_a_checkout_of_other_dates_and_modes_gives_the_same_root(tmp_path: Path) -> None:
    images = []
    for name, mode, at in (("one", 0o755, DATE - 9_000), ("two", 0o700, DATE + 9_000)):
        source, root = tmp_path / name, tmp_path / f"{name}.root"
        (source / "etc/default").mkdir(parents=True)
        (source / "etc/default/locale").write_text("LANG=C.UTF-8\n")
        (source / "etc/default/locale").chmod(mode & 0o644)
        (root / "etc").mkdir(parents=True)
        for path in ("etc/default/locale", "etc/default", "etc"):
            os.utime(source / path, (at, at))
        (source / "etc/default").chmod(mode)
        lay(source, root)
        slots.squashfs(root, tmp_path / f"{name}.squashfs", DATE)
        images.append((tmp_path / f"{name}.squashfs").read_bytes())
    assert images[0] == images[1]


def test_a_builder_that_keeps_its_files_to_itself_makes_the_same_image(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["image", "--deb", "no.deb"])
    monkeypatch.setattr(builder, "need", lambda _: (_ for _ in ()).throw(BuildError("enough")))
    before = os.umask(0o077)
    try:
        assert builder.main() == 1
        assert os.umask(before) == 0o022
    finally:
        os.umask(before)


def test_the_initramfs_is_what_cpio_unpacks(tmp_path: Path) -> None:
    files = {"init": b"#!/bin/sh\n", "bin/busybox": b"\x7fELF", "lib/modules/6/a.ko": b"abcde"}
    archive = initramfs.archive(files)
    assert archive == initramfs.archive(dict(reversed(files.items())))
    subprocess.run(
        ["busybox", "cpio", "-idm"], check=True, input=archive, cwd=tmp_path, capture_output=True
    )
    for name, data in files.items():
        assert (tmp_path / name).read_bytes() == data
    assert (tmp_path / "init").stat().st_mode & 0o777 == 0o755
    assert (tmp_path / "lib/modules/6/a.ko").stat().st_mode & 0o777 == 0o644
    assert (tmp_path / "proc").is_dir()


def test_the_lock_is_sorted_and_names_each_package_once() -> None:
    other = Package("adduser", "3.134", "all", "c" * 64, "http://deb.example/adduser.deb")
    assert lock([PACKAGE, other, PACKAGE]) == (
        f"adduser 3.134 all {'c' * 64}\nlibc6 2.36-9+deb12u10 arm64 {'a' * 64}\n"
    )


def test_the_bill_names_packages_and_libraries_with_url_hash_and_licence(tmp_path: Path) -> None:
    document = tmp_path / "usr/share/doc/libc6"
    document.mkdir(parents=True)
    (document / "copyright").write_text("Files: *\nLicense: LGPL-2.1+\n text\n")
    wheel = tmp_path / "usr/lib/edgenode/paho_mqtt-2.1.0.dist-info"
    wheel.mkdir(parents=True)
    (wheel / "METADATA").write_text(
        "Metadata-Version: 2.4\nName: paho-mqtt\nVersion: 2.1.0\nLicense-Expression: EPL-2.0\n\nx\n"
    )
    (wheel / "RECORD").write_text("paho/__init__.py,sha256=xyz,1\n")
    text = sbom.bill(tmp_path, [PACKAGE], DEB, "bookworm", DATE)
    bill = json.loads(text)
    parts = {row["name"]: row for row in bill["components"]}
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.5")
    assert parts["libc6"]["purl"] == (
        "pkg:deb/debian/libc6@2.36-9+deb12u10?arch=arm64&distro=bookworm"
    )
    assert parts["libc6"]["licenses"] == [{"license": {"name": "LGPL-2.1+"}}]
    assert parts["libc6"]["hashes"] == [{"alg": "SHA-256", "content": "a" * 64}]
    assert parts["paho-mqtt"]["purl"] == "pkg:pypi/paho-mqtt@2.1.0"
    assert parts["paho-mqtt"]["licenses"] == [{"license": {"name": "EPL-2.0"}}]
    digest = hashlib.sha256(b"paho/__init__.py,sha256=xyz,1\n").hexdigest()
    assert parts["paho-mqtt"]["hashes"] == [{"alg": "SHA-256", "content": digest}]
    assert parts["edgenode"]["hashes"] == [{"alg": "SHA-256", "content": "b" * 64}]
    assert text == sbom.bill(tmp_path, [PACKAGE], DEB, "bookworm", DATE)


def test_the_bill_is_valid_by_the_published_schema(tmp_path: Path) -> None:
    text = sbom.bill(tmp_path, [PACKAGE], DEB, "bookworm", DATE)
    validator = JsonStrictValidator(SchemaVersion.V1_5)
    assert validator.validate_str(text) is None
    broken = text.replace('"bom-ref": "image"', '"bom-ref": 1')
    assert broken != text
    assert validator.validate_str(broken) is not None
