"""Which wires this machine has, and what the kernel itself holds on them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from edgenode.bus.ports import ports
from edgenode.driver import WireKind
from edgenode.errors import NodeError
from edgenode.scan.found import Wire

KINDS: Final[dict[str, WireKind]] = {"i2c-": "i2c", "gpiochip": "gpio"}
NAMED: Final[tuple[WireKind, ...]] = ("i2c", "serial", "gpio", "sysfs")


def wires(root: str = "/dev") -> list[Wire]:
    """Return every I2C bus, serial port and GPIO chip, and the kernel's own files."""
    found = [
        Wire(kind, str(path))
        for prefix, kind in KINDS.items()
        for path in sorted(Path(root).glob(f"{prefix}[0-9]*"), key=lambda path: _number(path.name))
    ]
    serial = [Wire("serial", path) for path in ports(root)]
    return [*found, *serial, Wire("sysfs", "/")]


def wire_of(text: str) -> Wire:
    """Return the wire that somebody names: a path, or KIND=PATH where the path does not tell.

    Raises NodeError.
    """
    kind, equals, path = text.partition("=")
    for known in NAMED:
        if equals and kind == known:
            return Wire(known, path)
    name = Path(text).name
    if text == "/":
        return Wire("sysfs", text)
    if not text.startswith("/dev/"):
        raise NodeError(f"{text}: name a device below /dev, or write KIND=PATH, as in i2c=sim:…")
    return Wire(next((k for p, k in KINDS.items() if name.startswith(p)), "serial"), text)


def kernel_driver(path: str, address: int, root: str = "/sys") -> str:
    """Return the kernel's driver that holds an I2C address; empty where it is free."""
    number = Path(path).resolve().name.removeprefix("i2c-")
    device = Path(root, "bus", "i2c", "devices", f"{number}-{address:04x}", "driver")
    return device.resolve().name if device.exists() else ""


def _number(name: str) -> tuple[str, int]:
    head = name.rstrip("0123456789")
    return head, int(name[len(head) :])
