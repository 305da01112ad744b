"""One total that a part keeps by itself, carried on over all that befalls its register."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Final, NamedTuple

from edgenode.errors import SpoolError
from edgenode.reading import Channel, Event, EventCode, Quality, Total
from edgenode.sensing.dial import Dial, Step
from edgenode.sensing.job import Sink
from edgenode.sensing.totals import ResetReason, unwatched_ms

MOST: Final = 1 << 50  # what travels as an integer is smaller; docs/wire-format.md, "Values"

LITTLE: Final = 10  # what has counted less than so much of what it showed before has just fallen


class Told(NamedTuple):
    """What becomes of a reading of the register."""

    value: float | None
    quality: Quality
    event: Event | None = None


class Register:
    """What a register shows, plus what is carried over from the registers before it.

    Both are durable, `<channel>` the sum and `<channel> carried` the rest, so a meter that was
    exchanged while it was lost, or while the node was off, is noticed. Whatever breaks the
    register is held back once as a fault, since a slip of the part would look the same; if the
    next read goes on from there it is believed, and told. After a reboot, and where the meter
    says itself that it is another one, it is believed at once.
    """

    def __init__(self, index: int, channel: Channel, sink: Sink) -> None:
        self._index, self._sink = index, sink
        self._per_unit = 10.0**-channel.scale
        self.name, self._carried_name = channel.name, f"{channel.name} carried"
        sink.total(channel.name)  # where room is short, what nobody asks for is forgotten
        carried = sink.total(self._carried_name)
        self._carried = carried.value if carried else 0
        self._doubted: tuple[int, int] | None = None  # what it showed, and when
        self._left: int | None = None  # what it showed before it went back
        self._dial, self._from_boot = Dial(), False
        self._low, self._high = -math.inf, math.inf
        self.meter = 0  # the fingerprint of who shows this; 0: not known

    def opened(self, declared: Channel, dial: Dial, *, from_boot: bool) -> None:
        """Take note of what the part declares; `from_boot`: its count begins with the machine."""
        self._dial, self._from_boot = dial, from_boot
        self._low = -math.inf if declared.low is None else declared.low
        self._high = math.inf if declared.high is None else declared.high

    def judged(self, value: float | None, quality: Quality, meter: int, now_ms: int) -> Told:
        """Return the total where the register shows `value`, by a meter with this fingerprint."""
        new = self._steps(value)
        if value is None or new is None:
            return Told(value, quality)
        if quality is Quality.OK and not self._low <= value <= self._high:
            quality = Quality.OUT_OF_RANGE
        known = self._sink.total(self.name)
        if quality is not Quality.OK:
            return self._doubtful(value, new, quality, known)
        if known is None:
            self.meter = meter
            self._note(new, new, now_ms)
            return Told(self._number(value, new), quality)
        old = known.value - self._carried
        gap_ms = unwatched_ms(known, self._sink, now_ms)
        step = self._step(old, new, gap_ms, known, meter)
        if step.reason and self._may_be_a_slip(new, step.reason, known, now_ms):
            return Told(None, Quality.FAULT)
        if step.reason:
            self._left = old if new < old and not step.counted else None
        self._doubted, self.meter = None, meter or self.meter
        self._note(known.value + step.counted, new, now_ms)
        return Told(self._number(value, new), quality, self._event(old, new, gap_ms, step))

    def _step(self, old: int, new: int, gap_ms: int, known: Total, meter: int) -> Step:
        if self._from_boot and known.epoch != self._sink.epoch:
            return Step(new, ResetReason.REBOOT)
        if meter and self.meter and meter != self.meter:
            return Step(0, ResetReason.EXCHANGED)
        step = self._dial.step(old, new, gap_ms, same=bool(meter and self.meter))
        if self._dial.most_per_h is None and self._returns(old, new):
            return Step(0, ResetReason.LEAPT)
        return step

    def _returns(self, old: int, new: int) -> bool:
        """Tell whether it shows again what it showed before, where nothing else can tell."""
        left = self._left
        return left is not None and LITTLE * old < left <= new

    def _may_be_a_slip(self, new: int, reason: ResetReason, known: Total, now_ms: int) -> bool:
        if reason is ResetReason.EXCHANGED or known.epoch != self._sink.epoch:
            return False
        before, self._doubted = self._doubted, (new, now_ms)
        return before is None or bool(self._dial.step(before[0], new, now_ms - before[1]).reason)

    def _doubtful(self, value: float, new: int, quality: Quality, known: Total | None) -> Told:
        """Pass a number on that its driver doubts, unless the total would go back by it."""
        if known is None or new + self._carried >= known.value:
            return Told(self._number(value, new), quality)
        return Told(None, quality)

    def _note(self, total: int, shown: int, now_ms: int) -> None:
        """Make the total durable, and what it has beyond the register before it."""
        carried = total - shown
        if carried != self._carried:
            self._carried = carried
            with suppress(SpoolError):  # without room it is told once more after a restart
                self._sink.set_total(self._carried_name, carried, now_ms)
        self._sink.set_total(self.name, total, now_ms)

    def _steps(self, value: float | None) -> int | None:
        """Return what the register shows in steps; None where that is no number that travels."""
        if value is None or not math.isfinite(value):
            return None
        steps = round(value * self._per_unit)
        if abs(steps) >= MOST:
            return None
        return steps % self._dial.modulus if self._dial.modulus else steps

    def _number(self, value: float, shown: int) -> float:
        """Return the total in its unit; untouched where it is what the register shows."""
        if not self._carried and self._dial.modulus is None:
            return value
        return (shown + self._carried) / self._per_unit

    def _event(self, old: int, new: int, gap_ms: int, step: Step) -> Event | None:
        if step.reason is None:
            return None
        value = (old, new, gap_ms, int(step.reason))
        return Event(EventCode.COUNTER_RESET, self._index, value)
