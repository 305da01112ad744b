"""The alarms that the uplink itself raises, once for each spell and not for each message."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from edgenode.clock import Clock
from edgenode.reading import Event, EventCode
from edgenode.uplink.verdict import REFUSED

QUIET_MS: Final = 3_600_000  # what goes on is told again after an hour
CALM_MS: Final = 60_000  # a spell is over when nothing was refused for so long


class Alarms:
    """Turns what brokers and strangers do into events of the node.

    A refusal is `spool-degraded`, since the spool cannot be emptied; its value is the reason code
    of MQTT 5 (128 and above, section 2.4). `spool-recovered` ends it: once batches are taken again,
    or an ack is heard where it was the subscription that was refused. `told` are the values of
    which an earlier process has not told the end; below 0x80 they are the disk's. A second node
    under our id, or an ack that no receiver of ours wrote, is `tamper`.
    """

    def __init__(
        self, report: Callable[[Event], None], clock: Clock, told: Iterable[int] = ()
    ) -> None:
        self._report = report
        self._clock = clock
        self._told_ms: dict[tuple[int, int | None], int] = {}
        # When a code was last given to a publish, or, with True, to the subscription.
        self._refused_ms: dict[tuple[int, bool], int] = {}
        for code in (code for code in told if code >= REFUSED):
            self._told_ms[EventCode.SPOOL_DEGRADED, code] = clock.boot_ms()
            self._refused_ms[code, False] = clock.boot_ms() - CALM_MS

    def refused(self, code: int, *, subscription: bool = False) -> None:
        """Tell that a broker refused a message, or the acks, with a reason code from 0x80 on."""
        self._refused_ms[code, subscription] = self._clock.boot_ms()
        self._tell(EventCode.SPOOL_DEGRADED, code)

    def flowing(self) -> None:
        """Note that a broker took a batch."""
        if self._refused_ms:
            self._over(self._clock.boot_ms() - CALM_MS, subscription=False)

    def heard(self) -> None:
        """Note that an ack came."""
        if self._refused_ms:
            self._over(self._clock.boot_ms(), subscription=True)

    def _over(self, since_ms: int, *, subscription: bool) -> None:
        """Forget what was last refused at `since_ms` or before; the next refusal is news again."""
        for (code, which), at_ms in list(self._refused_ms.items()):
            if which is subscription and at_ms <= since_ms:
                del self._refused_ms[code, which]
                if (code, not which) not in self._refused_ms:
                    del self._told_ms[EventCode.SPOOL_DEGRADED, code]
                    self._report(Event(EventCode.SPOOL_RECOVERED, value=code))

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
