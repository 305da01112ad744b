"""What may be written and what may not, on machines of all kinds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edgenode.errors import FlashError
from edgenode.flash import LARGEST, Uses, device, doubts, rows
from tests.flash.machines import GB, ROOT, Tree, loop, mapped, mmc, nvme, sata, usb, zram

NEED = 2 * GB


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    """A laptop with an NVMe disk that carries / and /boot/efi."""
    made = Tree(tmp_path)
    nvme(made)
    efi = "35 29 259:1 / /boot/efi rw,relatime shared:2 - vfat /dev/nvme0n1p1 rw"
    made.seen("self", "22 29 0:21 / /proc rw - proc proc rw", ROOT, efi)
    return made


def refused(tree: Tree, name: str, need: int = NEED, largest: int = LARGEST) -> list[str]:
    return Uses(tree.machine).refusals(device(tree.machine, name), need, largest)


@pytest.mark.parametrize("add", [usb, mmc, loop], ids=["USB reader", "SD slot", "loop"])
def test_a_free_card_is_not_refused(tree: Tree, add: Callable[[Tree], None]) -> None:
    add(tree)
    names = {"usb": "sdb", "mmc": "mmcblk0", "loop": "loop0"}
    assert refused(tree, names[add.__name__], need=GB) == []


def test_the_disk_that_carries_this_machine_is_refused(tree: Tree) -> None:
    assert "nvme0n1 carries / of this machine" in refused(tree, "nvme0n1")
    assert "nvme0n1 carries /boot/efi of this machine" in refused(tree, "nvme0n1")


def test_the_disk_below_an_encrypted_volume_group_is_known_to_carry_this_machine(
    tree: Tree,
) -> None:
    mapped(tree, "dm-0", "nvme0n1p3_crypt")
    mapped(tree, "dm-1", "vg-root")
    tree.hold("nvme0n1/nvme0n1p3", "dm-0")
    tree.hold("dm-0", "dm-1")
    tree.seen("self", "29 1 254:1 / / rw - ext4 /dev/mapper/vg-root rw")
    found = refused(tree, "nvme0n1")
    assert "nvme0n1 carries / of this machine" in found
    assert any("nvme0n1p3 is held by dm-0 (nvme0n1p3_crypt)" in reason for reason in found)


def test_a_usb_disk_that_carries_a_btrfs_root_is_known_by_its_source(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17", "sdb2": "8:18"})
    tree.seen("self", "29 1 0:25 /@rootfs / rw - btrfs /dev/sdb2 rw,subvol=/@rootfs")
    assert refused(tree, "sdb") == ["sdb carries / of this machine"]


def test_the_card_that_a_node_runs_from_is_refused(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    at = "sys/devices/platform/soc/3f202000.mmc/mmc_host/mmc0/mmc0:aaaa"
    parts = {"mmcblk0p1": "179:1", "mmcblk0p5": "179:5"}
    about = {"type": "SD", "serial": "0x5a1b2c3d"}
    tree.block(f"{at}/block/mmcblk0", "179:0", 32 * GB, device=at, about=about, parts=parts)
    root = "29 1 0:25 / / rw - overlay overlay rw,lowerdir=/lower"
    tree.seen("self", root, "30 29 179:1 / /boot/firmware rw - vfat /dev/mmcblk0p1 rw")
    assert "mmcblk0 carries /boot/firmware of this machine" in refused(tree, "mmcblk0")


def test_a_stick_whose_partition_is_mounted_is_refused_with_what_to_do(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    tree.seen("self", ROOT, r"99 29 8:17 / /media/kim/MY\040STICK rw - vfat /dev/sdb1 rw")
    expected = "sdb1 is mounted at /media/kim/MY STICK: umount /media/kim/MY STICK"
    assert refused(tree, "sdb") == [expected]


def test_a_card_without_partitions_that_is_mounted_as_a_whole_is_refused(tree: Tree) -> None:
    usb(tree)
    tree.seen("self", ROOT, "99 29 8:16 / /mnt rw - ext4 /dev/sdb rw")
    assert refused(tree, "sdb") == ["sdb is mounted at /mnt: umount /mnt"]


def test_a_bind_mount_of_a_folder_counts_as_a_mount(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    tree.seen("self", ROOT, "99 29 8:17 /photos /srv/photos rw - vfat /dev/sdb1 rw")
    assert refused(tree, "sdb") == ["sdb1 is mounted at /srv/photos: umount /srv/photos"]


def test_a_mount_that_only_another_namespace_sees_is_found_with_its_process(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    tree.seen("4242", "1 0 0:30 / / rw - tmpfs none rw", "2 1 8:17 / /data rw - vfat /dev/sdb1 rw")
    assert refused(tree, "sdb") == [
        "sdb1 is mounted at /data, as process 4242 sees it: umount /data"
    ]


def test_what_a_container_sees_of_a_known_mount_is_not_told_again(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    tree.seen("self", ROOT, "99 29 8:17 / /mnt rw - vfat /dev/sdb1 rw")
    for process in ("1", "77"):
        tree.seen(process, "1 0 8:17 / /host/mnt rw - vfat /dev/sdb1 rw")
    assert refused(tree, "sdb") == ["sdb1 is mounted at /mnt: umount /mnt"]


def test_a_device_with_a_swap_partition_is_refused(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    tree.swap("/dev/sdb1")
    assert refused(tree, "sdb") == ["sdb1 is used as swap: swapoff /dev/sdb1"]


def test_swap_that_is_named_by_a_link_is_found(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    (tree.root / "dev/disk").mkdir()
    (tree.root / "dev/disk/swap").symlink_to("../sdb1")
    tree.swap("/dev/disk/swap")
    assert refused(tree, "sdb") == ["sdb1 is used as swap: swapoff /dev/disk/swap"]


@pytest.mark.parametrize("part", ["sdb/sdb1", "sdb"])
def test_what_lvm_luks_or_raid_is_built_on_is_refused(tree: Tree, part: str) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    mapped(tree)
    tree.hold(part, "dm-0")
    (reason,) = refused(tree, "sdb")
    assert reason.startswith(f"{Path(part).name} is held by dm-0 (vg-root): take that down first")


def test_what_a_loop_device_is_made_of_is_refused(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    loop(tree, "loop3", backing="/dev/sdb1")
    assert refused(tree, "sdb") == ["sdb1 is what loop3 is made of: losetup --detach /dev/loop3"]


@pytest.mark.parametrize("behind", ["nvme0n1", "nvme0n1p3"])
def test_a_loop_device_is_no_way_around_what_is_said_of_a_disk(tree: Tree, behind: str) -> None:
    loop(tree, backing=f"/dev/{behind}")
    assert refused(tree, "loop0", GB) == [f"loop0 is made of {behind}: name the disk itself"]


def test_two_loop_devices_of_one_file_are_refused_since_either_may_be_in_use(tree: Tree) -> None:
    loop(tree, "loop0")
    loop(tree, "loop1")
    (reason,) = refused(tree, "loop1", GB)
    assert reason == "loop0 is made of the same file as loop1: losetup --detach /dev/loop0"


@pytest.mark.parametrize("path", ["/dev/sdb", "/dev/sdb1"])
def test_a_device_that_a_machine_in_this_machine_writes_is_refused(tree: Tree, path: str) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    tree.opens("4242", path, "02100002")
    (reason,) = refused(tree, "sdb")
    name = Path(path).name
    assert reason == f"{name} is written by process 4242 (qemu-system-x86): end it first"


def test_whoever_only_looks_at_a_device_is_no_reason(tree: Tree) -> None:
    usb(tree)
    tree.opens("4242", "/dev/sdb", "0100000")
    tree.opens("4243", "/srv/sdb", "0100002")
    assert refused(tree, "sdb") == []


def test_a_device_that_a_program_has_claimed_is_refused(
    tree: Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    usb(tree)
    monkeypatch.setattr(tree.machine, "held", lambda name: name == "sdb")
    (reason,) = refused(tree, "sdb")
    assert reason.startswith("sdb is held open by a program")


def test_an_internal_disk_is_refused(tree: Tree) -> None:
    sata(tree)
    assert refused(tree, "sda") == ["sda is neither removable, MMC, USB nor a loop device"]


def test_a_mapping_and_compressed_memory_are_refused(tree: Tree) -> None:
    mapped(tree)
    zram(tree, 4 * GB)
    for name in ("dm-0", "zram0"):
        assert refused(tree, name) == [f"{name} is neither removable, MMC, USB nor a loop device"]


def test_what_is_larger_than_a_card_is_refused_unless_that_is_said(tree: Tree) -> None:
    usb(tree, size=500 * GB)
    assert refused(tree, "sdb") == ["sdb has 500.0 GB, more than 256.0 GB (--largest GB)"]
    assert refused(tree, "sdb", largest=512 * GB) == []


def test_a_card_that_is_too_small_for_the_image_is_refused(tree: Tree) -> None:
    usb(tree, size=GB)
    assert refused(tree, "sdb") == ["sdb has 1.0 GB, the image needs 2.0 GB: take a larger card"]


def test_a_locked_card_is_refused(tree: Tree) -> None:
    usb(tree, texts={"ro": "1"})
    (reason,) = refused(tree, "sdb")
    assert reason.startswith("sdb is read-only: look at the lock")


def test_a_reader_without_a_card_says_so_and_nothing_else(tree: Tree) -> None:
    usb(tree, size=0)
    assert refused(tree, "sdb") == ["sdb has no card in it"]


def test_an_optical_drive_is_no_disk_although_its_medium_is_removable(tree: Tree) -> None:
    usb(tree, "sr0", size=4 * GB, kind="5")
    assert refused(tree, "sr0") == ["sr0 is no disk"]


def test_the_boot_area_of_an_emmc_is_no_disk(tree: Tree) -> None:
    mmc(tree, "MMC", "mmcblk0boot0")
    assert refused(tree, "mmcblk0boot0") == ["mmcblk0boot0 is no disk"]


def test_sectors_of_4096_bytes_are_refused(tree: Tree) -> None:
    usb(tree, texts={"queue/logical_block_size": "4096"})
    (reason,) = refused(tree, "sdb")
    assert "sectors of 4096 bytes" in reason


def test_all_reasons_are_told_at_once(tree: Tree) -> None:
    usb(tree, size=GB, texts={"ro": "1"}, parts={"sdb1": "8:17"})
    tree.swap("/dev/sdb1")
    assert len(refused(tree, "sdb")) == 3


def test_a_card_in_its_slot_or_reader_is_beyond_doubt(tree: Tree) -> None:
    usb(tree)
    mmc(tree)
    assert doubts(device(tree.machine, "sdb")) == doubts(device(tree.machine, "mmcblk0")) == []


@pytest.mark.parametrize(
    ("add", "name", "why"),
    [
        (lambda tree: usb(tree, removable="0"), "sdb", "it is a USB disk"),
        (lambda tree: usb(tree, size=128 * GB), "sdb", "it has 128.0 GB"),
        (lambda tree: mmc(tree, "MMC"), "mmcblk0", "it is an eMMC"),
    ],
    ids=["not flagged removable", "large", "soldered"],
)
def test_what_may_be_somebodys_disk_is_doubted(
    tree: Tree, add: Callable[[Tree], None], name: str, why: str
) -> None:
    add(tree)
    assert doubts(device(tree.machine, name))[0].startswith(why)


def test_the_list_has_usable_devices_first_and_leaves_free_loops_out(tree: Tree) -> None:
    usb(tree)
    mmc(tree)
    loop(tree, "loop4", backing="")
    zram(tree, 0)
    found = [(one.name, bool(reasons)) for one, reasons in rows(tree.machine)]
    assert found == [("mmcblk0", False), ("sdb", False), ("nvme0n1", True)]


def test_a_device_is_described_by_what_is_printed_on_it(tree: Tree) -> None:
    usb(tree)
    mmc(tree)
    loop(tree)
    described = [
        (one.model, one.serial, one.bus)
        for one in (device(tree.machine, name) for name in ("sdb", "mmcblk0", "nvme0n1", "loop0"))
    ]
    assert described == [
        ("Generic STORAGE DEVICE", "121220160204", "usb"),
        ("SD card SC32G", "0x5a1b2c3d", "mmc"),
        ("SAMSUNG MZVLB512HBJQ-000L7", "S4ENNX0N123456", "nvme"),
        ("/srv/card.img", "", "loop"),
    ]


@pytest.mark.parametrize("path", ["sdb", "/dev/sdb", "/dev/disk/by-id/usb-Generic"])
def test_a_device_is_found_by_name_path_and_link(tree: Tree, path: str) -> None:
    usb(tree)
    (tree.root / "dev/disk/by-id").mkdir(parents=True)
    (tree.root / "dev/disk/by-id/usb-Generic").symlink_to("../../sdb")
    assert device(tree.machine, path).name == "sdb"


def test_a_partition_is_no_device_to_flash(tree: Tree) -> None:
    usb(tree, parts={"sdb1": "8:17"})
    with pytest.raises(FlashError, match="sdb1 is a partition of sdb: name the whole device"):
        device(tree.machine, "/dev/sdb1")


def test_a_mistyped_device_is_answered_with_what_was_meant(tree: Tree) -> None:
    mmc(tree)
    with pytest.raises(FlashError, match="did you mean mmcblk0"):
        device(tree.machine, "mmcblk")
    with pytest.raises(FlashError, match="no such block device"):
        device(tree.machine, "/etc/passwd")
