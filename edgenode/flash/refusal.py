"""Why a device may not be written, and when it is worth asking twice.

A refusal is final: no option overrides it. Each names what to do where something can be done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from edgenode.flash.device import SECTOR, Device, devices, sized
from edgenode.flash.machine import Machine, Mount

LARGEST: Final = 256_000_000_000  # bytes; what is larger is hardly a card
LARGE: Final = 64_000_000_000  # bytes; larger than most cards: it may be somebody's backup
_WRITABLE: Final = frozenset({"mmc", "usb", "loop"})
_OF_THE_SYSTEM: Final = frozenset({"/", "/boot", "/boot/efi", "/boot/firmware", "/usr"})


class Uses:
    """What the devices of a machine are used for at this moment."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.devices = devices(machine)
        self._mounts = machine.mounts()
        self._writers = list(machine.writers())
        self._swaps = {path: machine.named(path) for path in machine.swaps()}
        self._disks = {part: one.name for one in self.devices for part in one.parts}
        self._carried = self._system()

    def refusals(self, device: Device, need: int = 0, largest: int = LARGEST) -> list[str]:
        """Return each reason against writing `need` bytes to it; none where it may be written."""
        if not device.size:
            return [f"{device.name} has no card in it"]
        uses = list(self.of(device))
        if not uses and self._machine.held(device.name):
            uses = [f"{device.name} is held open by a program: close what works on it"]
        return [*uses, *_unfit(device, need, largest)]

    def of(self, device: Device) -> Iterator[str]:
        """Yield what a device is used for, and what to do about it; no claim of ours is seen."""
        carried = self._carried.get(device.name, ())
        for point in carried:
            yield f"{device.name} carries {point} of this machine"
        for mount in () if carried else self._mounts:  # nobody shall be told: umount /
            if name := self._mounted(device, mount):
                seen = "" if mount.process == "self" else f", as process {mount.process} sees it"
                yield f"{name} is mounted at {mount.point}{seen}: umount {mount.point}"
        for path, name in self._swaps.items():
            if name in device.parts:
                yield f"{name} is used as swap: swapoff {path}"
        yield from self._holders(device)
        yield from self._loops(device)
        for writer in self._writers:
            if writer.device in device.parts:
                who = f"process {writer.process} ({writer.command})"
                yield f"{writer.device} is written by {who}: end it first"

    def _mounted(self, device: Device, mount: Mount) -> str:
        """Return which part of a device is mounted here; empty where none is."""
        named = {one.number: one.name for one in device.partitions} | {device.number: device.name}
        source = self._machine.named(mount.source)
        return named.get(mount.number, source if source in device.parts else "")

    def _holders(self, device: Device) -> Iterator[str]:
        """Yield what is built on a device: LVM, LUKS and other mappings, RAID."""
        base = f"sys/block/{device.name}"
        at = {device.name: base} | {part.name: f"{base}/{part.name}" for part in device.partitions}
        for name, path in at.items():
            for holder in self._machine.names(f"{path}/holders"):
                mapped = self._machine.text(f"sys/block/{holder}/dm/name")
                which = f"{holder} ({mapped})" if mapped else holder
                how = "vgchange -an, cryptsetup close or mdadm --stop"
                yield f"{name} is held by {which}: take that down first ({how})"

    def _loops(self, device: Device) -> Iterator[str]:
        """Yield which loop devices lead to the same bytes: what is said of one holds for both."""
        behind = self._machine.named(device.backing)
        if behind in self._disks:
            yield f"{device.name} is made of {behind}: name the disk itself"
        for other in self.devices:
            detach = f"losetup --detach /dev/{other.name}"
            name = self._machine.named(other.backing)
            if name in device.parts:
                yield f"{name} is what {other.name} is made of: {detach}"
            elif other.name != device.name and device.backing and other.backing == device.backing:
                yield f"{other.name} is made of the same file as {device.name}: {detach}"

    def _system(self) -> dict[str, list[str]]:
        """Return which disks carry the file systems of this machine, through all mappings."""
        numbered = {number: one.name for one in self.devices for number in one.numbers}
        carried = dict[str, list[str]]()
        for mount in self._mounts:
            if mount.point not in _OF_THE_SYSTEM:
                continue
            named = self._machine.named(mount.source)
            top = numbered.get(mount.number) or self._disks.get(named, "")
            for disk in self._below(top, set()):
                points = carried.setdefault(disk, [])
                if mount.point not in points:
                    points.append(mount.point)
        return carried

    def _below(self, name: str, met: set[str]) -> set[str]:
        """Return a disk and all disks that it is made of; `met` ends what goes round."""
        if name and name not in met:
            met.add(name)
            for slave in self._machine.names(f"sys/block/{name}/slaves"):
                self._below(self._disks.get(slave, ""), met)
        return met


def doubts(device: Device) -> list[str]:
    """Return why its serial has to be typed: it may be somebody's disk and not a card."""
    found = []
    if device.bus == "usb" and not device.removable:
        found.append("it is a USB disk, not a card or a stick")
    if device.soldered:
        found.append("it is an eMMC, which is soldered to a board")
    if device.size > LARGE:
        found.append(f"it has {sized(device.size)}")
    return found


def _unfit(device: Device, need: int, largest: int) -> Iterator[str]:
    name, size = device.name, device.size
    if not device.disk:
        yield f"{name} is no disk"
    if device.read_only:
        yield f"{name} is read-only: look at the lock of the card or its adapter"
    if not (device.removable or device.bus in _WRITABLE):
        yield f"{name} is neither removable, MMC, USB nor a loop device"
    if device.sector != SECTOR:
        yield f"{name} has sectors of {device.sector} bytes, an image is made for {SECTOR}"
    if size > largest:
        yield f"{name} has {sized(size)}, more than {sized(largest)} (--largest GB)"
    if size < need:
        yield f"{name} has {sized(size)}, the image needs {sized(need)}: take a larger card"


def rows(machine: Machine, largest: int = LARGEST) -> Sequence[tuple[Device, list[str]]]:
    """Return all devices of a machine, each with the reasons against it; usable ones first."""
    uses = Uses(machine)
    found = [(one, uses.refusals(one, largest=largest)) for one in uses.devices]
    return sorted(found, key=lambda row: (bool(row[1]), row[0].name))
