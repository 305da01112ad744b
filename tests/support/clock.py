"""A clock that moves only when it is told to."""

from __future__ import annotations

from edgenode.clock import Told
from edgenode.reading import ClockSource


class FakeClock(Told):
    """Boot-time and wall clock in hand; never synchronised until `source` says so."""

    def __init__(self, boot_ms: int = 10_000, utc_ms: int = 1_795_000_000_000) -> None:
        self.boot = boot_ms
        self.offset = utc_ms - boot_ms
        self.source: int = ClockSource.NTP
        self.err_ms = 5
        self.boots = 0

    def boot_ms(self) -> int:
        return self.boot

    def utc_ms(self) -> int:
        return self.boot + self.offset

    def sync(self) -> tuple[int, int]:
        return self.source, self.err_ms if self.source else 0

    def boot_id(self) -> str:
        return f"boot-{self.boots}"

    def advance(self, ms: int) -> None:
        self.boot += ms

    def step(self, ms: int) -> None:
        """Step the wall clock; boot-time never notices."""
        self.offset += ms

    def reboot(self, off_ms: int = 60_000) -> None:
        """Lose power: boot-time begins again, true time has moved on by `off_ms`."""
        self.offset += self.boot + off_ms
        self.boots += 1
        self.boot = 0
        self._told = None
