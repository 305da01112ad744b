"""The lamp on the housing: who stands below the node sees whether it is well."""

from __future__ import annotations

import logging
from typing import Final

from edgenode.bus import Lamp, open_lamp
from edgenode.config import PinTable
from edgenode.errors import BusError
from edgenode.health import Health

LOG = logging.getLogger(__name__)

# (on, off) in seconds: well is a calm light, the worse the faster.
RHYTHMS: Final = {
    Health.WELL: (1.9, 0.1),
    Health.DEGRADED: (0.5, 0.5),
    Health.STALLED: (0.1, 0.1),
}
WORKING: Final = (0.1, 0.9)  # somebody works on the node
STARTING: Final = (0.05, 0.45)


def lamp_of(pin: PinTable | None) -> Lamp | None:
    """Open the lamp of the configuration; one that cannot be had is told of and done without."""
    if pin is None:
        return None
    try:
        return open_lamp(pin.chip, pin.line, active_low=pin.active_low)
    except BusError as exc:
        LOG.warning("there is no lamp: %s", exc)
        return None


class Beacon:
    """Shows the health of the node on a lamp; without one, or with a broken one, nowhere."""

    def __init__(self, lamp: Lamp | None) -> None:
        self._lamp = lamp
        self._show(STARTING)

    def tell(self, health: Health, *, maintenance: bool) -> None:
        """Show how the node is; a lamp that has failed meanwhile is told of and given up."""
        self._show(WORKING if maintenance else RHYTHMS[health])

    def close(self) -> None:
        """Leave the lamp dark."""
        lamp, self._lamp = self._lamp, None
        if lamp is not None:
            lamp.close()

    def _show(self, rhythm: tuple[float, float]) -> None:
        if self._lamp is None:
            return
        try:
            self._lamp.show(*rhythm)
        except BusError as exc:
            LOG.warning("the lamp cannot be driven any more: %s", exc)
            self.close()
