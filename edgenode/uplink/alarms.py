"""The alarms that the uplink itself raises, once for each spell and not for each message."""

from __future__ import annotations

from collections.abc import Callable

from edgenode.clock import Clock
from edgenode.reading import Event, EventCode

QUIET_MS = 3_600_000  # what goes on is told again after an hour


class Alarms:
    """Turns what brokers and strangers do into events of the node.

    A refused publish is `spool-degraded`, since the spool cannot be emptied; its value is the
    reason code of MQTT 5 (128 and above, section 2.4). A second node under our id, or an ack that
    no receiver of ours wrote, is `tamper`.
    """

    def __init__(self, report: Callable[[Event], None], clock: Clock) -> None:
        self._report = report
        self._clock = clock
        self._told_ms: dict[tuple[int, int | None], int] = {}

    def refused(self, code: int) -> None:
        """Tell that a broker refused a message with this reason code (0x80 and above)."""
        self._tell(EventCode.SPOOL_DEGRADED, code)

    def flowing(self) -> None:
        """Note that a broker took a batch: the next refusal is news again."""
        for key in [key for key in self._told_ms if key[0] == EventCode.SPOOL_DEGRADED]:
            del self._told_ms[key]

    def tamper(self) -> None:
        """Something wears our id, or an ack that cannot be from the City OS."""
        self._tell(EventCode.TAMPER, None)

    def _tell(self, code: EventCode, value: int | None) -> None:
        now = self._clock.boot_ms()
        told = self._told_ms.get((code, value))
        if told is not None and now - told < QUIET_MS:
            return
        self._told_ms[code, value] = now
        self._report(Event(code, value=value))
