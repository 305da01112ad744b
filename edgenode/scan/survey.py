"""All wires at once, each in its own time: a thread a wire, and an end that can be asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from edgenode.driver import WireKind
from edgenode.errors import DriverError
from edgenode.scan.found import Seen, Surveyed, Wire
from edgenode.scan.gpio import survey_gpio
from edgenode.scan.i2c import survey_i2c
from edgenode.scan.serial import survey_serial
from edgenode.scan.sysfs import survey_sysfs

Look = Callable[[str, threading.Event], Iterator[Seen]]
LOOKS: Final[dict[WireKind, Look]] = {
    "i2c": survey_i2c,
    "serial": survey_serial,
    "gpio": survey_gpio,
    "sysfs": survey_sysfs,
}
AT_ONCE: Final = 8


def survey(wires: Sequence[Wire], stop: threading.Event) -> Iterator[Surveyed]:
    """Yield what is on each wire, in the order given, as soon as it and those before are done.

    Set `stop` to end early: what was seen until then is yielded.
    """
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="scan") as pool:
        pending = [pool.submit(_surveyed, wire, stop) for wire in wires]
        try:
            for one in pending:
                yield one.result()
        finally:
            stop.set()


def _surveyed(wire: Wire, stop: threading.Event) -> Surveyed:
    seen: list[Seen] = []
    try:
        seen.extend(LOOKS[wire.kind](wire.path, stop))
    except DriverError as exc:
        return Surveyed(wire, tuple(seen), str(exc))
    return Surveyed(wire, tuple(seen))
