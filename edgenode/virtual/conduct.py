"""How an instrument behaves at the moment, and how it refuses."""

from __future__ import annotations

import time

from edgenode.virtual.kinds import Action, Fate

FATES: dict[Action, Fate] = {
    "nack": "nack",
    "hang": "hang",
    "garbage": "garbage",
    "vanish": "nack",  # what is not there does not acknowledge either
    "return": "ok",
}


class Refused(Exception):
    """The instrument answers with an error number of the kernel."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class Silent(Exception):
    """The instrument never answers."""


def boot_ns() -> int:
    """Nanoseconds since boot, the same clock that the node stamps with."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
