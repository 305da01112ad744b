"""Virtual instruments on wires within this process: no socket, no kernel, no waiting.

Time stands still but for who sleeps or waits on a wire. What a wire takes is noted, so that it
can be taken off the figure of the driver that uses it.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar, cast

from edgenode.driver import Talker
from edgenode.errors import BusError, BusTimeout
from edgenode.reading import Sample, SerialLine
from edgenode.virtual.conduct import Refused, Silent, boot_ns
from edgenode.virtual.kinds import READ, I2CInstrument, Message
from edgenode.virtual.kinds import SerialInstrument as Speaker
from edgenode.virtual.truth import Truth

Made = TypeVar("Made")
Method = TypeVar("Method", bound=Callable[..., Any])
MS: Final = 1_000_000  # ns
I2C_HERTZ: Final = 100_000  # standard mode, the default of a Raspberry Pi
I2C_BITS: Final = 9  # of a byte, its acknowledge included
NOWHERE: Final = Truth(Path(os.devnull))  # one log, and so one descriptor, for all beds


class Bed:
    """The time of a test bed, and what its wires have taken of the real one."""

    def __init__(self) -> None:
        self.now_ns = boot_ns()
        self.spent_ns = 0
        self.carried = 0  # bytes on the wires, both ways, addresses included
        self.carrying_ns = 0  # what they take at the speed of their wire; no time passes by it
        self.truth = NOWHERE

    @property
    def now_ms(self) -> int:
        """Boot-time of the bed."""
        return self.now_ns // MS

    def carry(self, count: int, each_s: float) -> None:
        """Note bytes that went over a wire, and what each of them takes."""
        self.carried += count
        self.carrying_ns += int(count * each_s * 1e9)

    def sleep(self, seconds: float) -> None:
        """Let so much time pass at once."""
        self.now_ns += math.ceil(seconds * 1e9)  # or who waits for the rest of a ns never ends

    def clock(self) -> float:
        """Return the time of the bed in seconds."""
        return self.now_ns / 1e9

    def timed(self, call: Callable[[], Made]) -> tuple[Made, int]:
        """Return what the call gives, and the ns it took, the wires aside."""
        self.spent_ns = 0
        began = time.perf_counter_ns()
        made = call()
        return made, time.perf_counter_ns() - began - self.spent_ns


class Wire:
    """Where a driver meets its instrument; `next_ns` and `stirs` are for who feeds talkers."""

    instrument: Any = None  # where there is one to be told to misbehave

    def __init__(self, bed: Bed) -> None:
        self.bed = bed
        self.closed = 0

    def next_ns(self) -> int | None:
        """Return when the instrument does something by itself; None for never."""
        return None

    def stirs(self) -> bool:
        """Let it play up to this moment; return whether the thread of the bus would wake up."""
        return False

    def fileno(self) -> int:
        """Return no descriptor: nobody waits on one here."""
        return -1

    def close(self) -> None:
        """Leave the instrument alone."""
        self.closed += 1


def aside(method: Method) -> Method:
    """Note what a call into a wire takes."""

    @wraps(method)
    def noted(self: Wire, *given: Any) -> Any:
        began = time.perf_counter_ns()
        made = method(self, *given)
        self.bed.spent_ns += time.perf_counter_ns() - began
        return made

    return cast("Method", noted)


class Address(Wire):
    """An I2CDevice."""

    def __init__(self, bed: Bed, instrument: I2CInstrument) -> None:
        super().__init__(bed)
        self.instrument = instrument

    @aside
    def read(self, register: int, length: int) -> bytes:
        return self._transact(bytes((register,)), length)

    @aside
    def write(self, register: int, data: bytes) -> None:
        self._transact(bytes((register,)) + data, 0)

    @aside
    def transfer(self, data: bytes, length: int) -> bytes:
        return self._transact(data, length)

    def _transact(self, data: bytes, length: int) -> bytes:
        messages = [Message(0, len(data), data)] if data else []
        messages += [Message(READ, length, b"")] if length else []
        self.bed.carry(len(messages) + len(data) + length, I2C_BITS / I2C_HERTZ)
        try:
            answer: bytes = self.instrument.transact(messages, self.bed.now_ns)
        except Refused as exc:
            raise BusError("bed: no acknowledge") from exc
        except Silent:
            raise BusTimeout("bed: no answer") from None
        return answer


class Cable(Wire):
    """A SerialPort; who waits for more than there is waits until the end."""

    def __init__(self, bed: Bed, instrument: Speaker, line: SerialLine) -> None:
        super().__init__(bed)
        self.line = line
        self.baud = line.baud
        self.instrument, self._queue = instrument, b""

    def next_ns(self) -> int | None:
        due_ns: int | None = self.instrument.next_ns()
        return due_ns

    def stirs(self) -> bool:
        self._queue += self._carried(self.instrument.speak(self.bed.now_ns))
        return bool(self._queue)

    @aside
    def arrived(self) -> bytes:
        data, self._queue = self._queue, b""
        return data

    @aside
    def receive(self, size: int, timeout_s: float) -> bytes:
        if len(self._queue) < size:
            self.bed.sleep(timeout_s)
            self.stirs()
        data, self._queue = self._queue[:size], self._queue[size:]
        return data

    @aside
    def write(self, data: bytes) -> None:
        heard = self._carried(data)
        self._queue += self._carried(self.instrument.hear(heard, self.bed.now_ns))

    @aside
    def discard(self) -> None:
        self._queue = b""

    @aside
    def speed(self, baud: int) -> None:
        self.baud = baud

    def _carried(self, data: bytes) -> bytes:
        """Return what is understood of bytes: nonsense at another speed than the instrument's."""
        bits = 1 + self.line.data_bits + (self.line.parity != "none") + self.line.stop_bits
        self.bed.carry(len(data), bits / self.baud)
        same = self.baud == getattr(self.instrument, "baud", self.baud)
        return data if same else bytes(byte ^ 0x5A for byte in data)


class Files(Wire):
    """A Tree of files that are given; {ticks} in them are hundredths of a second."""

    def __init__(self, bed: Bed, texts: dict[str, str]) -> None:
        super().__init__(bed)
        self._texts = texts

    @aside
    def text(self, path: str) -> str | None:
        text = self._texts.get(path)
        return text and text.replace("{ticks}", str(self.bed.now_ms // 10))

    @aside
    def names(self, path: str) -> list[str]:
        below = (at.removeprefix(f"{path}/") for at in self._texts if at.startswith(f"{path}/"))
        return sorted({rest.partition("/")[0] for rest in below})

    @aside
    def free_bytes(self, path: str) -> int | None:
        del path
        return 20_000_000_000

    @aside
    def clock_error_ms(self) -> int | None:
        return 3


class Period(NamedTuple):
    """What a driver did between two reads, the second one included."""

    own_ns: int
    feeds: int
    sample: Sample
    carried: int  # bytes on its wire
    held_ms: float  # for how long its read kept the bus: waiting, and what was carried meanwhile


def play(bed: Bed, wire: Wire, sensor: Any, every_ms: int) -> Period:
    """Let a period pass, feed at the driver's pace, else whenever something stirs, then read."""
    feeds, own_ns, carried = 0, 0, bed.carried
    talks = isinstance(sensor, Talker)
    pace_ns = int(sensor.pace_s * 1e9) if talks else 0
    until_ns = bed.now_ns + every_ms * MS
    paced_ns = bed.now_ns + pace_ns
    while (due_ns := _next(wire.next_ns(), paced_ns if pace_ns else None)) <= until_ns:
        bed.now_ns = max(bed.now_ns, due_ns)
        paced = pace_ns > 0 and due_ns >= paced_ns
        paced_ns += pace_ns if paced else 0
        stirred = wire.stirs()
        if talks and (paced if pace_ns else stirred):
            own_ns += bed.timed(lambda: sensor.feed(bed.now_ms))[1]
            feeds += 1
    bed.now_ns = began_ns = max(bed.now_ns, until_ns)
    carrying_ns = bed.carrying_ns
    sample, took_ns = bed.timed(lambda: sensor.read(bed.now_ms))
    held_ns = bed.now_ns - began_ns + bed.carrying_ns - carrying_ns
    return Period(own_ns + took_ns, feeds, sample, bed.carried - carried, held_ns / MS)


def _next(*times_ns: int | None) -> int:
    """Return the first of the times that there are; a time that never comes where there is none."""
    return min((at for at in times_ns if at is not None), default=1 << 62)
