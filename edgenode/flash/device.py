"""Which block devices a machine has, and what sysfs tells of each."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from edgenode.errors import FlashError, nearest
from edgenode.flash.machine import Machine

SECTOR: Final = 512  # bytes; the unit of `size` in sysfs and of the table in an image
_BUSES: Final = (  # what a path below /sys/devices gives away; the first that fits
    ("usb", re.compile(r"/usb\d+/")),
    ("mmc", re.compile(r"/mmc_host/")),
    ("nvme", re.compile(r"/nvme")),
    ("ata", re.compile(r"/ata\d+/")),
    ("virtio", re.compile(r"/virtio\d+/")),
    ("loop", re.compile(r"/virtual/block/loop\d+$")),
    ("virtual", re.compile(r"/virtual/")),
)


class Partition(NamedTuple):
    """A partition that the kernel knows of: its name, and its number such as "8:17"."""

    name: str
    number: str


class Device(NamedTuple):
    """A whole block device, not a partition, and the medium that is in it."""

    name: str
    number: str
    size: int  # bytes; 0 where a reader has no card
    model: str
    serial: str
    bus: str  # usb, mmc, nvme, ata, virtio, loop, virtual, or other
    removable: bool  # the medium can be taken out; false of many USB disks
    soldered: bool  # an eMMC
    read_only: bool
    sector: int  # bytes that are written at the least
    disk: bool  # not an optical drive, a tape, or a boot area of an eMMC
    backing: str  # of a loop device: the file
    sequence: str  # grows with every medium (sysfs "diskseq", since Linux 5.15)
    partitions: tuple[Partition, ...]

    @property
    def parts(self) -> frozenset[str]:
        """The names of the device and of its partitions."""
        return frozenset([self.name, *(one.name for one in self.partitions)])

    @property
    def numbers(self) -> frozenset[str]:
        """The numbers of the device and of its partitions."""
        return frozenset([self.number, *(one.number for one in self.partitions)])


def devices(machine: Machine) -> list[Device]:
    """Return all devices, but for those that are not set up: free loop devices, empty RAM disks."""
    found = [_device(machine, name) for name in machine.names("sys/block")]
    return [one for one in found if one.size or one.bus not in {"loop", "virtual"}]


def device(machine: Machine, path: str) -> Device:
    """Return the device with this name, or at this path of /dev.

    Raises FlashError where there is none, and where it is a partition.
    """
    name = machine.named(path if "/" in path else f"/dev/{path}")
    found = {one.name: one for one in devices(machine)}
    if name in found:
        return found[name]
    for one in found.values():
        if name in one.parts:
            raise FlashError(f"{name} is a partition of {one.name}: name the whole device")
    near = nearest(name, found)
    meant = f"; did you mean {near}?" if near else ""
    raise FlashError(f"{path}: no such block device{meant}; edgenode flash lists what there is")


def sized(count: float) -> str:
    """Return bytes as cards are sold: in decimal units."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"


def _device(machine: Machine, name: str) -> Device:
    at = f"sys/block/{name}"
    place = machine.place(at)
    bus = next((bus for bus, pattern in _BUSES if pattern.search(place)), "other")
    backing = machine.text(f"{at}/loop/backing_file")
    mmc = machine.text(f"{at}/device/type") if bus == "mmc" else ""
    return Device(
        name=name,
        number=machine.text(f"{at}/dev"),
        size=int(machine.text(f"{at}/size") or 0) * SECTOR,
        model=backing or _model(machine, at, mmc),
        serial=_serial(machine, at, place),
        bus=bus,
        removable=machine.text(f"{at}/removable") == "1",
        soldered=mmc == "MMC",
        read_only=machine.text(f"{at}/ro") == "1",
        sector=int(machine.text(f"{at}/queue/logical_block_size") or SECTOR),
        disk=_is_disk(machine, name, bus),
        backing=backing,
        sequence=machine.text(f"{at}/diskseq"),
        partitions=_partitions(machine, at),
    )


def _partitions(machine: Machine, at: str) -> tuple[Partition, ...]:
    names = [one for one in machine.names(at) if machine.text(f"{at}/{one}/partition")]
    return tuple(Partition(one, machine.text(f"{at}/{one}/dev")) for one in names)


def _is_disk(machine: Machine, name: str, bus: str) -> bool:
    """Return whether it is a disk: type 0 of a SCSI INQUIRY, and no boot area of an eMMC."""
    if bus == "mmc":
        return re.fullmatch(r"mmcblk\d+", name) is not None
    return machine.text(f"sys/block/{name}/device/type") in {"", "0"}


def _model(machine: Machine, at: str, mmc: str) -> str:
    """Return what the device calls itself: the name in the CID of a card, or vendor and model."""
    if mmc:
        return f"{mmc} card {machine.text(f'{at}/device/name')}".strip()
    words = machine.text(f"{at}/device/vendor"), machine.text(f"{at}/device/model")
    return " ".join(" ".join(word for word in words if not word.startswith("0x")).split())


def _serial(machine: Machine, at: str, place: str) -> str:
    """Return what is printed on it, at best: of the card, the USB device, the disk; or empty."""
    for path in (f"{at}/device/serial", f"{at}/serial"):
        if found := machine.text(path):
            return found
    above = place
    while "/" in above:
        above = above.rpartition("/")[0]
        if machine.text(f"{above}/idVendor"):
            return machine.text(f"{above}/serial")
    return machine.text(f"{at}/device/wwid")
