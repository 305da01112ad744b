"""What the newest sentences of a satellite receiver say together."""

from __future__ import annotations

from typing import Any, Final, TypeVar

from edgenode.bus.nmea import Gga, Gsa, Place, Rmc, Said

OLD_MS: Final = 10_000  # what was said longer ago counts no more
UNTRUE: Final = frozenset("MNSU")  # modes of RMC: by hand, not valid, simulated, unsafe
UNTRUE_QUALITY: Final = frozenset({0, 7, 8})  # of GGA: none, entered by hand, simulated
GUESSED: Final = "E"  # mode of RMC: dead reckoning
GUESSED_QUALITY: Final = 6  # of GGA
FLAT: Final = 2  # mode of GSA: three satellites, and a height that the receiver assumes
HDOP_MOST: Final = 50.0  # more is 99.99: not known

Kind = TypeVar("Kind", Rmc, Gga, Gsa)


class Sky:
    """Keeps the newest sentence of each kind with the boot-time at which it came."""

    def __init__(self) -> None:
        self._newest: dict[type, tuple[Any, int]] = {}

    def take(self, said: Said, at_ms: int) -> None:
        """Take in a sentence."""
        self._newest[type(said)] = said, at_ms

    def latest(self, kind: type[Kind], now_ms: int) -> Kind | None:
        """Return the newest sentence of a kind, unless it is too old."""
        said, at_ms = self._newest.get(kind, (None, 0))
        return None if said is None or now_ms - at_ms > OLD_MS else said

    def heard(self, now_ms: int) -> bool:
        """Whether there is a sentence that could tell a position."""
        return bool(self.latest(Rmc, now_ms) or self.latest(Gga, now_ms))

    def age_ms(self, now_ms: int) -> int:
        """Return the age of the newest sentence that could tell a position."""
        return now_ms - max(self._newest[kind][1] for kind in (Rmc, Gga) if kind in self._newest)

    def fixed(self, now_ms: int) -> bool:
        """Whether there is a fix, and no sentence that denies it."""
        rmc, gga = self.latest(Rmc, now_ms), self.latest(Gga, now_ms)
        denied = (rmc and (not rmc.valid or rmc.mode in UNTRUE)) or (
            gga and gga.quality in UNTRUE_QUALITY
        )
        return bool(rmc or gga) and not denied

    def guessed(self, now_ms: int) -> bool:
        """Whether the receiver goes on by dead reckoning, without satellites."""
        rmc, gga = self.latest(Rmc, now_ms), self.latest(Gga, now_ms)
        return bool((rmc and rmc.mode == GUESSED) or (gga and gga.quality == GUESSED_QUALITY))

    def place(self, now_ms: int) -> Place | None:
        """Return where it is; None without a fix."""
        if not self.fixed(now_ms):
            return None
        gga, rmc = self.latest(Gga, now_ms), self.latest(Rmc, now_ms)
        return (gga.place if gga else None) or (rmc.place if rmc else None)

    def altitude(self, now_ms: int) -> float | None:
        """Return m above mean sea level, where they were measured."""
        gga, gsa = self.latest(Gga, now_ms), self.latest(Gsa, now_ms)
        return None if gga is None or (gsa and gsa.mode <= FLAT) else gga.altitude

    def hdop(self, now_ms: int) -> float | None:
        """Return the horizontal dilution of precision, where it is known."""
        gga = self.latest(Gga, now_ms)
        return gga.hdop if gga and gga.hdop is not None and gga.hdop < HDOP_MOST else None

    def satellites(self, now_ms: int) -> int | None:
        """Return how many satellites are used."""
        gga = self.latest(Gga, now_ms)
        return gga.satellites if gga else None

    def fix(self, now_ms: int) -> int:
        """Return the quality indicator of GGA; without that sentence 1 for a fix, else 0."""
        gga = self.latest(Gga, now_ms)
        return gga.quality if gga else int(self.fixed(now_ms))

    def mode(self, now_ms: int) -> int | None:
        """Return 1 for no fix, 2 or 3 for its dimensions."""
        gsa = self.latest(Gsa, now_ms)
        return gsa.mode if gsa else None
