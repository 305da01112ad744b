"""The lamp on the housing: who stands below the node sees whether it is well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from edgenode.bus import Lamp, open_lamp
from edgenode.clock import Clock
from edgenode.config import PinTable
from edgenode.errors import BusError
from edgenode.health import Condition, Health

# (on, off) in seconds: well is a calm light, the worse the faster.
RHYTHMS: Final = {
    Health.WELL: (1.9, 0.1),
    Health.DEGRADED: (0.5, 0.5),
    Health.STALLED: (0.1, 0.1),
}
WORKING: Final = (0.1, 0.9)  # somebody works on the node
STARTING: Final = (0.05, 0.45)


RETRY_MS: Final = 60_000
ADVICE: Final = "compare chip and line of [lamp] with the wiring and with gpioinfo"


def beacon_of(pin: PinTable | None, clock: Clock) -> Beacon:
    """Return the beacon of a configuration."""
    if pin is None:
        return Beacon(None, clock)
    return Beacon(lambda: open_lamp(pin.chip, pin.line, active_low=pin.active_low), clock)


class Beacon:
    """Shows the health of the node on a lamp; one that cannot be lit is tried again each minute."""

    def __init__(self, opener: Callable[[], Lamp] | None, clock: Clock) -> None:
        self._opener, self._clock = opener, clock
        self._lamp: Lamp | None = None
        self._why = ""  # it cannot be lit
        self._retry_ms = 0
        self._show(STARTING)

    def tell(self, health: Health, *, maintenance: bool) -> None:
        """Show how the node is."""
        self._show(WORKING if maintenance else RHYTHMS[health])

    def conditions(self) -> Iterator[Condition]:
        """Yield what is wrong with the lamp itself."""
        if self._why:
            yield Condition("lamp", f"the lamp cannot be lit: {self._why}", ADVICE)

    def close(self) -> None:
        """Leave the lamp dark."""
        lamp, self._lamp = self._lamp, None
        if lamp is not None:
            lamp.close()

    def _show(self, rhythm: tuple[float, float]) -> None:
        if self._opener is None or (self._lamp is None and self._clock.boot_ms() < self._retry_ms):
            return
        lit = self._lamp is not None
        try:
            self._lamp = self._lamp or self._opener()
            self._lamp.show(*rhythm)
        except BusError as exc:
            self._why, self._retry_ms = str(exc), self._clock.boot_ms() + RETRY_MS
            self.close()
            return
        if lit:  # what fails while it blinks is known by the next time only
            self._why = ""
