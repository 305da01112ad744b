"""What `edgenode flash` looks at before it writes, what it asks, and how it tells what happens."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any, Final, NamedTuple, NoReturn

from edgenode.cli.asking import harmless
from edgenode.cli.words import span
from edgenode.errors import FlashError
from edgenode.flash import (
    Device,
    Flashed,
    Image,
    Machine,
    Unwritable,
    Uses,
    device,
    doubts,
    examined,
    sized,
)
from edgenode.flash.inject import ready

EVERY_S: Final = 1.0  # how often progress is told; on a terminal in place, else at each tenth
BAR: Final = 79
AFTER: Final = "its partition table is gone, so that no half system boots: flash it again"
UNTRUSTED: Final = "without --trust the node takes it only if its image trusts that key already"
NOTHING: Final = "nothing was written"


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
        from edgenode.provision.document import (  # noqa: PLC0415 - it loads `cryptography`
            MAX_BYTES,
            public_from,
            read,
        )
        from edgenode.provision.keys import content  # noqa: PLC0415 - the same

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


class Told:
    """Tells what happens: sentences, or with `json` an object a line."""

    def __init__(self, *, json: bool, now: Callable[[], float] = time.monotonic) -> None:
        self._json = json
        self._now = now
        self._begun = False
        self._phase = ""
        self._since = self._next = 0.0
        self._tenth = 0
        self._open = False  # a line of progress stands without an end

    def plan(self, order: Order) -> None:
        """Say what will be written to which device."""
        image, one = order.image, order.device
        if self._json:
            self._object(
                "plan",
                image=str(image.path),
                sha256=image.sha256 or None,
                device=one.name,
                device_bytes=one.size,
                model=one.model,
                serial=one.serial,
                bus=one.bus,
                files=sorted(order.files),
                node=order.node or None,
                note=order.note or None,
            )
            return
        needs = f", for {sized(image.need)} or more" if image.need else ""
        checked = "checked against its .sha256" if image.sha256 else "no .sha256 beside it"
        print(f"image   {image.path} ({image.packing}{needs}; {checked})")
        which = ", ".join(filter(None, [sized(one.size), one.bus, one.model, one.serial]))
        print(harmless(f"device  {one.name} ({which})"))
        if order.files:
            whose = f", for node {order.node}" if order.node else ""
            print(harmless(f"adds    {' and '.join(sorted(order.files))}{whose}"))
        if order.note:
            print(f"note    {order.note}")

    def progress(self, phase: str, done: int, total: int) -> None:
        """Tell how far a phase is, at most once a second; from the first call on it is written."""
        self._begun = True
        now = self._now()
        if phase != self._phase:
            self._phase, self._since, self._next, self._tenth = phase, now, now, 0
        if now < self._next and done != total:
            return
        self._next = now + EVERY_S
        rate = done / (now - self._since) if now > self._since else 0.0
        left = (total - done) / rate if rate and total else None
        if self._json:
            self._object(
                "progress",
                phase=phase,
                done_bytes=done,
                total_bytes=total or None,
                bytes_per_s=round(rate),
                left_s=None if left is None else round(left),
            )
        else:
            self._line(phase, done, total, rate, left)

    def done(self, order: Order, done: Flashed) -> None:
        """Say what is on the card."""
        if self._json:
            self._object(
                "done",
                device=order.device.name,
                image_bytes=done.size,
                files=sorted(order.files),
                table_seen=done.seen,
            )
            return
        self._end_line()
        added = f", with {' and '.join(sorted(order.files))}" if order.files else ""
        print(f"{order.device.name}: {sized(done.size)} written and verified{added}; take it out")

    def failed(self, exc: Exception, code: int) -> int:
        """Say why it ended and in what state the device is; return the exit code."""
        touched = self._begun and not isinstance(exc, Unwritable)
        after = AFTER if touched else NOTHING
        if self._json:
            self._object("failed", problem=str(exc), written=touched, code=code)
        self._end_line()
        print(f"edgenode flash: {exc}\n  {after}", file=sys.stderr)
        return code

    def _line(self, phase: str, done: int, total: int, rate: float, left: float | None) -> None:
        """Print progress in place on a terminal, and elsewhere a line for each tenth."""
        part = f"{done * 100 // total:3d} %" if total else sized(done)
        text = f"{phase:<6} {part}  {rate / 1e6:6.1f} MB/s"
        text += f"  {span(left)} left" if left else ""
        if sys.stdout.isatty():
            print(f"\r{text:<{BAR}}", end="\n" if done == total else "", flush=True)
            self._open = done != total
        elif total and done * 10 // total > self._tenth:
            self._tenth = done * 10 // total
            print(text, flush=True)

    def _end_line(self) -> None:
        if self._open:
            print(flush=True)
            self._open = False

    def _object(self, event: str, **fields: Any) -> None:
        print(json.dumps({"format": 1, "event": event, **fields}, ensure_ascii=False), flush=True)
