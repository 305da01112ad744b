"""A GPIO line that is active or not: gpiozero's DigitalInputDevice over our own pins."""

from __future__ import annotations

from gpiozero import DigitalInputDevice

from edgenode.bus.pins import CdevFactory
from edgenode.bus.wires import Bias, StateChange
from edgenode.errors import BusError


class GpiozeroState:
    """Follows one line. Polarity is gpiozero's, debouncing and time stamps are the kernel's.

    Raises BusError where the line cannot be had.
    """

    def __init__(
        self,
        path: str,
        offset: int,
        *,
        bias: Bias = "as-is",
        active_low: bool = False,
        debounce_us: int = 0,
    ) -> None:
        # gpiozero ties polarity to the pull; a contact that opens against a pull-up is neither of
        # its two cases. So the pull is the factory's, and to gpiozero the pin floats.
        self._factory = CdevFactory(path, floating=bias)
        self._pin = self._factory.pin(offset)
        self._told: list[bool] = []
        self._active_low = active_low
        self._device = DigitalInputDevice(
            offset,
            pull_up=None,
            active_state=not active_low,
            bounce_time=debounce_us / 1_000_000 or None,
            pin_factory=self._factory,
        )
        try:
            self._device.when_activated = lambda: self._told.append(True)
            self._device.when_deactivated = lambda: self._told.append(False)
            self._active = bool(self._device.is_active)
            self._opened_ns = self._factory.ticks()
        except BusError:
            self.close()
            raise

    def fileno(self) -> int:
        return self._pin.fileno()

    @property
    def active(self) -> bool:
        return self._active

    def changes(self) -> tuple[list[StateChange], int]:
        found: list[StateChange] = []
        edges = 0
        for stamp_ns, state in self._pin.pump():
            edges += 1
            if stamp_ns <= self._opened_ns:  # gpiozero may have read the line after it, and be mute
                self._told = [bool(state) is not self._active_low]
            found += [StateChange(stamp_ns // 1_000_000, active) for active in self._told]
            self._told.clear()
        if found:
            self._active = found[-1].active
        dropped, self._pin.dropped = self._pin.dropped, 0
        # gpiozero tells no edge to where it already is, and then one before it was dropped.
        return found, dropped + edges - len(found)

    def close(self) -> None:
        self._device.close()
        self._factory.close()
