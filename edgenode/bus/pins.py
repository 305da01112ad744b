"""A pin factory for gpiozero over GPIO v2, with the standard library only.

gpiozero's own factories need lgpio (no wheel for Python 3.13), RPi.GPIO or pigpio, or know only
Raspberry Pis. This one asks the kernel, whatever the board: a pin is a line of one chip by its
number. Protocol: gpiozero.pins.Factory and Pin, of gpiozero 1.6 and 2.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from weakref import ref

from gpiozero import (
    Factory,
    GPIOPinInUse,
    Pin,
    PinInvalidBounce,
    PinInvalidEdges,
    PinInvalidFunction,
    PinInvalidPin,
    PinInvalidPull,
    PinPWMUnsupported,
    PinSetInput,
    PinUnsupported,
)

from edgenode.bus.edges import RISING
from edgenode.bus.gpio import Asked
from edgenode.bus.opening import EVENT_BUFFER, open_input
from edgenode.bus.outputs import OutputLine
from edgenode.bus.wires import Bias, Edge, EdgeLine
from edgenode.errors import BusError

CHIP: Final = "/dev/gpiochip0"  # has the lines of the header on most boards; gpioinfo tells
PULLS: Final[dict[str, Bias]] = {"up": "pull-up", "down": "pull-down"}
EDGES: Final[dict[str, Edge | None]] = {
    "none": None,
    "rising": "rising",
    "falling": "falling",
    "both": "both",
}
BOUNCE_MOST_S: Final = 1.0

Changed = Callable[[int, int], None]  # ticks, state


@dataclass(frozen=True)
class LineInfo:
    """What gpiozero wants to know of a pin."""

    name: str


class CdevFactory(Factory):  # type: ignore[misc] # gpiozero has no types
    """Makes the pins of one GPIO chip. Ticks are boot-time ns, as edges are stamped.

    It starts no thread: whoever waits on a pin's `fileno` calls its `pump`. A pin that gpiozero
    leaves floating gets `floating`; "as-is" leaves it as firmware or wiring has it.
    """

    pin_class: ClassVar[type[CdevPin]]

    def __init__(self, path: str = CHIP, floating: Bias = "disabled") -> None:
        super().__init__()
        self.path, self.floating = path, floating
        self.pins: dict[int, CdevPin] = {}

    def pin(self, name: int | str) -> CdevPin:
        """Return the pin of a line, the same one each time; a name is 17, "17" or "GPIO17"."""
        offset = line_number(name)
        if offset not in self.pins:
            self.pins[offset] = self.pin_class(self, offset)
        return self.pins[offset]

    def reserve_pins(self, requester: Any, *names: int | str) -> None:
        """Note who uses a line; raises GPIOPinInUse where somebody else does."""
        with self._res_lock:
            for offset in map(line_number, names):
                others = [found for taken in self._reservations[offset] if (found := taken())]
                if any(requester._conflicts_with(other) for other in others):  # noqa: SLF001 - gpiozero's protocol
                    raise GPIOPinInUse(f"line {offset} of {self.path} is in use by {others[0]!r}")
                self._reservations[offset].append(ref(requester))

    def release_pins(self, reserver: Any, *names: int | str) -> None:
        """Forget that somebody uses a line; what was not reserved is ignored."""
        with self._res_lock:
            for offset in map(line_number, names):
                taken = self._reservations[offset]
                self._reservations[offset] = [r for r in taken if r() not in (reserver, None)]

    def release_all(self, reserver: Any) -> None:
        """Forget everything that somebody uses."""
        self.release_pins(reserver, *list(self._reservations))

    def ticks(self) -> int:
        """Return boot-time, ns."""
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)

    def ticks_diff(self, later: int, earlier: int) -> float:
        """Return the seconds between two ticks."""
        return (later - earlier) / 1e9

    def close(self) -> None:
        """Give every line back; safe to call twice."""
        for pin in self.pins.values():
            pin.close()
        self.pins.clear()

    def _get_board_info(self) -> Any:
        raise PinUnsupported("a GPIO chip knows its lines by number, and no board around them")


class CdevPin(Pin):  # type: ignore[misc] # gpiozero has no types
    """One line. It is asked for when it is first needed, and anew when its settings change."""

    def __init__(self, factory: CdevFactory, offset: int) -> None:
        super().__init__()
        self.factory, self.number = factory, offset
        self.dropped = 0  # edges that fell out of the kernel's queue before they were pumped
        self._function, self._pull, self._edges = "input", "floating", "none"
        self._bounce: float | None = None
        self._changed: Changed | None = None
        self._line: EdgeLine | None = None
        self._output: OutputLine | None = None

    def __repr__(self) -> str:
        return f"GPIO{self.number}"

    def fileno(self) -> int:
        """Return the descriptor that becomes readable with the next edge; raises BusError."""
        return self._input().fileno()

    def pump(self) -> Iterator[tuple[int, int]]:
        """Tell every queued edge to `when_changed`; yield its ticks and state once it was told.

        Never waits; raises BusError where the line is gone.
        """
        line = self._input()
        seen = line.line_seqno
        for event in line.events():
            self.dropped += event.line_seqno - seen - 1 & 0xFFFFFFFF
            seen = event.line_seqno
            edge = event.timestamp_ns, int(event.id == RISING)
            if self._changed:
                self._changed(*edge)
            yield edge

    def close(self) -> None:
        """Give the line back; safe to call twice."""
        self._changed = None
        self._let_go()

    def output_with_state(self, state: float) -> None:
        """Become an output that has this state from its first moment; raises BusError."""
        self._let_go()
        self._function = "output"
        self._output = OutputLine(self.factory.path, self.number, initial=bool(state))

    def input_with_pull(self, pull: str) -> None:
        """Become an input."""
        self._set_function("input")
        self._set_pull(pull)

    def _input(self) -> EdgeLine:
        if self._function != "input":
            raise BusError(f"{self.factory.path} line {self.number}: is an output, not an input")
        if self._line is None:
            bias = PULLS.get(self._pull, self.factory.floating)
            debounce_us = round((self._bounce or 0) * 1_000_000)
            asked = Asked(
                *(self.factory.path, self.number, EDGES[self._edges], bias, debounce_us),
                EVENT_BUFFER if self._edges != "none" else 0,
            )
            self._line = open_input(asked)
        return self._line

    def _let_go(self) -> None:
        line, self._line = self._line, None
        output, self._output = self._output, None
        for held in (line, output):
            if held:
                held.close()

    def _get_info(self) -> LineInfo:
        return LineInfo(f"GPIO{self.number}")

    def _get_function(self) -> str:
        return self._function

    def _set_function(self, value: str) -> None:
        if value not in {"input", "output"}:
            raise PinInvalidFunction(f"{self!r} can be input or output, not {value!r}")
        if value == self._function:
            return
        if value == "output":
            self.output_with_state(self._get_state())
        else:
            self._let_go()
            self._function = value

    def _get_state(self) -> int:
        output = self._output
        return int(output.get() if output else self._input().level())

    def _set_state(self, value: float) -> None:
        if self._output is None:
            raise PinSetInput(f"{self!r} is an input and cannot be driven")
        if value not in (0, 1):
            raise PinPWMUnsupported(f"{self!r} can be 0 or 1: there is no PWM on a GPIO chip")
        self._output.set(bool(value))

    def _get_pull(self) -> str:
        return self._pull

    def _set_pull(self, value: str) -> None:
        if value not in {"floating", *PULLS}:
            raise PinInvalidPull(f"{self!r} can be pulled up, down or floating, not {value!r}")
        self._settle(_pull=value)

    def _get_bounce(self) -> float | None:
        return self._bounce

    def _set_bounce(self, value: float | None) -> None:
        if value is not None and not 0 <= value <= BOUNCE_MOST_S:
            raise PinInvalidBounce(f"{self!r} can be debounced for up to {BOUNCE_MOST_S} s")
        self._settle(_bounce=value)

    def _get_edges(self) -> str:
        return self._edges

    def _set_edges(self, value: str) -> None:
        if value not in EDGES:
            raise PinInvalidEdges(f"{self!r} can be watched for {', '.join(EDGES)}, not {value!r}")
        self._settle(_edges=value)

    def _get_when_changed(self) -> Changed | None:
        return self._changed

    def _set_when_changed(self, value: Changed | None) -> None:
        self._changed = value
        if value and self._edges != "none":
            self._input()  # edges count from here

    def _get_frequency(self) -> None:
        return None

    def _set_frequency(self, value: float | None) -> None:
        if value is not None:
            raise PinPWMUnsupported(f"{self!r}: there is no PWM on a GPIO chip")

    def _settle(self, **setting: object) -> None:
        """Change a setting of the input; a line that is open is asked for anew."""
        (name, value), *_ = setting.items()
        if getattr(self, name) != value:
            setattr(self, name, value)
            line, self._line = self._line, None
            if line:
                line.close()


CdevFactory.pin_class = CdevPin


def line_number(name: int | str) -> int:
    """Return the number of a line; raises PinInvalidPin."""
    digits = str(name).upper().removeprefix("GPIO")
    if not digits.isdecimal():
        raise PinInvalidPin(f"{name!r} is no line of a GPIO chip: give its number, such as 17")
    return int(digits)
