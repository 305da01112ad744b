"""An indicator on a GPIO line: gpiozero's LED over our own pins."""

from __future__ import annotations

from gpiozero import LED

from edgenode.bus.pins import CdevFactory, CdevPin
from edgenode.errors import BusError


class LampPin(CdevPin):
    """An output whose failure is remembered: gpiozero blinks in a thread that nobody asks."""

    failure: BusError | None = None

    def _set_state(self, value: float) -> None:
        try:
            super()._set_state(value)
        except BusError as exc:
            self.failure = exc


class LampFactory(CdevFactory):
    """Makes pins for lamps."""

    pin_class = LampPin


class GpiozeroLamp:
    """Shows a rhythm until told otherwise. Raises BusError where the line is not to be had."""

    def __init__(self, path: str, offset: int, *, active_low: bool = False) -> None:
        self._factory = LampFactory(path)
        self._pin = self._factory.pin(offset)
        self._led = LED(offset, active_high=not active_low, pin_factory=self._factory)
        self._rhythm = (0.0, 0.0)

    def show(self, on_s: float, off_s: float) -> None:
        if self._rhythm != (on_s, off_s):
            self._rhythm = (on_s, off_s)
            self._begin(on_s, off_s)
        if isinstance(self._pin, LampPin) and self._pin.failure:
            raise self._pin.failure

    def close(self) -> None:
        if not self._led.closed:
            self._led.off()
        self._led.close()
        self._factory.close()

    def _begin(self, on_s: float, off_s: float) -> None:
        if not on_s:
            self._led.off()
        elif not off_s:
            self._led.on()
        else:
            self._led.blink(on_s, off_s)
