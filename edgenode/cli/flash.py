"""Write an image to a card, verify it, and add the provisioning data; alone: list the devices."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenode.cli import INTERRUPTED, NOT_WELL, USAGE, WELL
from edgenode.cli.asking import harmless, show

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from edgenode.cli.flashing import Order
    from edgenode.cli.flashwords import Told
    from edgenode.flash import Device, Machine

GB = 1_000_000_000


def register(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument(
        "image", nargs="?", type=Path, metavar="IMAGE", help="a file .img, .img.xz or .img.gz"
    )
    parser.add_argument(
        "device", nargs="?", metavar="DEVICE", help="what to overwrite, such as sdb or mmcblk0"
    )
    parser.add_argument(
        "--node", type=Path, metavar="FILE", help="node.json to put into the boot partition"
    )
    parser.add_argument(
        "--trust", type=Path, metavar="FILE", help="city.pub, the key that signed it, to put there"
    )
    parser.add_argument("--yes", action="store_true", help="do not ask; what is refused stays so")
    parser.add_argument(
        "--serial",
        default="",
        metavar="TEXT",
        help="of the device; nothing is written where it is another",
    )
    parser.add_argument(
        "--largest", type=_gigabytes, metavar="GB", help="refuse what is larger; default: 256"
    )
    parser.add_argument("--json", action="store_true", help="objects instead of sentences")


def _gigabytes(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError("a whole number of GB, from 1 to 100000")
    return int(text) * GB


def run(args: argparse.Namespace) -> int:
    """Write: 0 done, 1 refused or failed, 2 wrong usage; without arguments list the devices."""
    from edgenode.cli.flashing import prepared, stoppable  # noqa: PLC0415 - not for `--help`
    from edgenode.cli.flashwords import Told  # noqa: PLC0415 - the same
    from edgenode.errors import ConfigError, FlashError, NodeError  # noqa: PLC0415 - the same
    from edgenode.flash import LARGEST, Machine  # noqa: PLC0415 - the same

    machine, largest = Machine(), args.largest or LARGEST
    if args.image is None:
        return _list(args, machine, largest)
    told = Told(json=args.json)
    if args.device is None:
        return told.failed(FlashError("name a device too; edgenode flash alone lists them"), USAGE)
    try:
        with stoppable():
            order = prepared(machine, args, largest)
            return _flash(machine, order, told, args)
    except NodeError as exc:
        return told.failed(exc, USAGE if isinstance(exc, ConfigError) else NOT_WELL)
    except KeyboardInterrupt:
        return told.failed(FlashError("interrupted"), INTERRUPTED)


def _flash(machine: Machine, order: Order, told: Told, args: argparse.Namespace) -> int:
    from edgenode.cli.flashing import agreed  # noqa: PLC0415 - `--help` shall not pay for it
    from edgenode.flash import claimed, flash  # noqa: PLC0415 - the same

    told.plan(order)
    agreed(order, args)
    with claimed(machine, order.device) as card:
        done = flash(card, order.image, order.files, told.progress)
    told.done(order, done)
    return WELL


def _list(args: argparse.Namespace, machine: Machine, largest: int) -> int:
    """Print all devices, those that may be written first, and why the others may not."""
    from edgenode.flash import rows  # noqa: PLC0415 - `--help` shall not pay for it

    found = rows(machine, largest)
    document = {"format": 1, "devices": [_object(*row) for row in found]}
    show(args, document, lambda _: map(harmless, _table(found)))
    return WELL


def _object(device: Device, refused: list[str]) -> dict[str, Any]:
    from edgenode.flash import doubts  # noqa: PLC0415 - `--help` shall not pay for it

    return {
        "name": device.name,
        "bytes": device.size,
        "model": device.model,
        "serial": device.serial,
        "bus": device.bus,
        "removable": device.removable,
        "refused": refused,
        "doubts": doubts(device),
    }


def _table(found: Sequence[tuple[Device, list[str]]]) -> Iterator[str]:
    """Yield a line for each device, and below it the reasons against it."""
    from edgenode.flash import doubts, sized  # noqa: PLC0415 - `--help` shall not pay for it

    if not found:
        yield "no block devices; put a card into a reader"
        return
    cells = [("name", "size", "bus", "serial", "model")]
    for one, _ in found:
        size = sized(one.size) if one.size else "-"
        cells.append((one.name, size, one.bus, one.serial or "-", one.model or "-"))
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    yield lines[0]
    for line, (one, refused) in zip(lines[1:], found, strict=True):
        yield line
        for reason in refused:
            yield f"  ! {reason}"
        if not refused and doubts(one):
            yield f"  its serial will be asked for: {'; '.join(doubts(one))}"
