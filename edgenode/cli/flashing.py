"""What `edgenode flash` looks at before it writes, and what it asks."""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from edgenode.errors import FlashError
from edgenode.flash import (
    Device,
    Image,
    Machine,
    Uses,
    device,
    doubts,
    examined,
)
from edgenode.flash.inject import ready

UNTRUSTED: Final = "without --trust the node takes it only if its image trusts that key already"


class Order(NamedTuple):
    """What is to be written where; nothing stands against it."""

    image: Image
    device: Device
    files: Mapping[str, bytes]  # for the boot partition
    node: str  # id and site of the node that node.json is for; or empty
    note: str


@contextmanager
def stoppable() -> Iterator[None]:
    """Let SIGTERM, and the loss of the terminal unless under nohup, end the work as Ctrl-C does."""

    def stop(*_: object) -> NoReturn:
        raise KeyboardInterrupt

    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def prepared(machine: Machine, args: argparse.Namespace, largest: int) -> Order:
    """Look at device, image and files; raises FlashError or ProvisionError, all that is wrong."""
    target = device(machine, args.device)
    image = examined(args.image)
    if target.backing and _same(Path(target.backing), args.image):
        raise FlashError(f"{target.name} is made of {args.image} itself")
    refused = Uses(machine).refusals(target, image.need, largest)
    if refused:
        raise FlashError("\n  ".join(["refused:", *refused]))
    files, node = _files(args.node, args.trust)
    if files:
        ready(image.boot)
    note = "" if args.trust or not args.node else UNTRUSTED
    return Order(image, target, files, node, note)


def _same(one: Path, two: Path) -> bool:
    """Whether both are one file, by whatever name."""
    try:
        return one.samefile(two)
    except OSError:
        return False


def _files(node: Path | None, trust: Path | None) -> tuple[dict[str, bytes], str]:
    """Return what goes into the boot partition, checked as the node will do; and for whom."""
    if node is None and trust is None:
        return {}, ""
    try:
        from edgenode.provision.canonical import MAX_BYTES  # noqa: PLC0415 - it loads `cryptography`
        from edgenode.provision.document import read  # noqa: PLC0415 - it loads `cryptography`
        from edgenode.provision.files import content  # noqa: PLC0415 - the same
        from edgenode.provision.keys import public_from  # noqa: PLC0415 - it loads `cryptography`

        found: dict[str, bytes] = {}
        who, keys = "", None
        if trust:
            found["city.pub"] = content(trust)
            keys = [public_from(found["city.pub"], str(trust))]
        if node:
            found["node.json"] = content(node, MAX_BYTES)
            document = read(found["node.json"], keys)
            who = f"{document.node.id} ({document.site.name})"
    except ImportError as exc:
        raise FlashError(f"{exc.name} is missing: pip install 'edgenode[provision]'") from exc
    return found, who


def agreed(order: Order, args: argparse.Namespace) -> None:
    """Ask whether it is meant; raises FlashError where it is not, or where nobody is there.

    `--yes` answers for the name only: of a device that is doubted `--serial` has to be given, and
    where it is given it has to be right.
    """
    one = order.device
    proof, what = (one.serial, "serial") if one.serial else (str(one.size), "size in bytes")
    why, given = "; ".join(doubts(one)), args.serial
    if why and not given:
        if args.yes:
            raise FlashError(f"{one.name}: {why}: give its {what} by --serial")
        lists = "edgenode flash" if one.serial else "edgenode flash --json"
        given = _answer(f"{one.name}: {why}. Type its {what} ({lists} lists it): ", args)
    if (why or args.serial) and given != proof:
        raise FlashError(f"that is not the {what} of {one.name}")
    if args.yes:
        return
    given = _answer(f"Everything on {one.name} will be lost. Type {one.name} to go on: ", args)
    if given.removeprefix("/dev/") != one.name:
        raise FlashError("not confirmed")


def _answer(question: str, args: argparse.Namespace) -> str:
    try:
        if args.json:  # the objects alone go to the output
            with redirect_stdout(sys.stderr):
                return input(question).strip()
        return input(question).strip()
    except EOFError:
        raise FlashError("nobody answers; give --yes") from None
