"""What can bring a whole bus back: nine clocks, its power, its USB port."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Final, NamedTuple

from edgenode.bus.outputs import OutputLine
from edgenode.errors import BusError

CLOCKS: Final = 9  # UM10204, the I2C specification, section 3.1.16, "Bus clear"
HALF_PERIOD_S: Final = 5e-6  # 100 kHz, the standard mode; slower does no harm
OFF_S: Final = 2.0  # until the capacitors of usual boards are empty
ON_S: Final = 0.5  # until what stands on the bus answers again
USB_DEVICES: Final = Path("/sys/bus/usb/devices")

Sleep = Callable[[float], object]


class ClearPins(NamedTuple):
    """Two lines of a chip that are wired to SCL and SDA of the bus."""

    scl: int
    sda: int
    chip: str = "/dev/gpiochip0"


class PowerPin(NamedTuple):
    """The line of a chip that switches the supply of the bus."""

    line: int
    chip: str = "/dev/gpiochip0"
    active_low: bool = False


class Outcome(NamedTuple):
    """Whether a lever did its work, and what came of it in words.

    Not `usable` is one that is at fault itself: its chip, its line, our rights.
    """

    done: bool
    words: str
    usable: bool = True


class Levers:
    """The levers of one bus; what is not wired is None or "". No call raises or waits long.

    A lever that fails says why and leaves the bus as it was, with its power on.
    """

    def __init__(
        self,
        clear: ClearPins | None = None,
        power: PowerPin | None = None,
        usb_port: str = "",
        *,
        usb_devices: Path = USB_DEVICES,
        pause: Sleep = time.sleep,
    ) -> None:
        self._clear, self._power, self.usb_port = clear, power, usb_port
        self._usb_devices, self._pause = usb_devices, pause
        self._supply: OutputLine | None = None

    @property
    def can_clear(self) -> bool:
        """Whether the bus can be clocked free."""
        return self._clear is not None

    @property
    def can_power(self) -> bool:
        """Whether the supply of the bus can be switched."""
        return self._power is not None

    def power_on(self) -> Outcome:
        """Switch the supply on, if there is a pin for it; from then on the line is held."""
        try:
            self._held()
        except BusError as exc:
            return Outcome(done=False, words=str(exc), usable=False)
        return Outcome(done=True, words="the supply is on")

    def clear(self) -> Outcome:
        """Clock SCL until SDA is let go, nine times at most, then make a STOP."""
        pins = self._clear
        if pins is None:
            return Outcome(done=False, words="no lines are wired to SCL and SDA")
        try:
            with (
                closing(OutputLine(pins.chip, pins.scl, open_drain=True, initial=True)) as scl,
                closing(OutputLine(pins.chip, pins.sda, open_drain=True, initial=True)) as sda,
            ):
                return self._clocked(scl, sda)
        except BusError as exc:
            return Outcome(done=False, words=str(exc), usable=False)

    def power_cycle(self, sleep: Sleep) -> Outcome:
        """Switch the supply off for two seconds; half a second later the parts are awake."""
        try:
            supply = self._held()
            if supply is None:
                return Outcome(done=False, words="no pin switches the supply of this bus")
            try:
                supply.set(False)
                sleep(OFF_S)
            finally:
                supply.set(True)
            sleep(ON_S)
        except BusError as exc:
            self.close()
            self.power_on()
            return Outcome(done=False, words=str(exc), usable=False)
        return Outcome(done=True, words=f"the supply was off for {OFF_S:g} s")

    def usb_cycle(self, sleep: Sleep) -> Outcome:
        """Forbid the device at the USB port for two seconds: the kernel then finds it anew.

        linux/Documentation/usb/authorization.rst; writing there needs root or a udev rule.
        """
        if not self.usb_port:
            return Outcome(done=False, words="no USB port is named for this bus")
        switch = self._usb_devices / self.usb_port / "authorized"
        try:
            try:
                switch.write_text("0", encoding="ascii")
                sleep(OFF_S)
            finally:
                switch.write_text("1", encoding="ascii")
            sleep(ON_S)
        except OSError as exc:
            words = f"{switch}: {exc.strerror or exc}; is it the right port, and may we write?"
            return Outcome(done=False, words=words, usable=False)
        return Outcome(done=True, words=f"USB port {self.usb_port} was off for {OFF_S:g} s")

    def close(self) -> None:
        """Give the lines back; the supply stays as it is. The next use asks anew, and has it on."""
        supply, self._supply = self._supply, None
        if supply is not None:
            with suppress(BusError, OSError):
                supply.close()

    def _clocked(self, scl: OutputLine, sda: OutputLine) -> Outcome:
        if not scl.get():
            return Outcome(done=False, words="SCL is held low; only power helps against that")
        clocks = 0
        while clocks < CLOCKS and not sda.get():
            self._drive((scl, False), (scl, True))
            clocks += 1
        self._drive((scl, False), (sda, False), (scl, True), (sda, True))  # a STOP
        if not sda.get():
            return Outcome(done=True, words=f"SDA is still low after {clocks} clocks")
        return Outcome(done=True, words=f"SDA was let go after {clocks} clocks")

    def _drive(self, *steps: tuple[OutputLine, bool]) -> None:
        for line, level in steps:
            line.set(level)
            self._pause(HALF_PERIOD_S)

    def _held(self) -> OutputLine | None:
        if self._supply is None and self._power is not None:
            pin = self._power
            self._supply = OutputLine(pin.chip, pin.line, active_low=pin.active_low, initial=True)
        return self._supply
