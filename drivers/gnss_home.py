"""Whether a fixed node still stands where it was put: a stolen one does not."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt
from typing import Final

from edgenode.bus.nmea import Place

EARTH_M: Final = 6_371_000  # mean radius, IUGG
LEARNT: Final = 30  # positions whose mean is home, where nobody told it
SURE: Final = 30  # positions in a row; echoes from walls put a receiver elsewhere for seconds


def distance_m(one: Place, other: Place) -> float:
    """Return the metres between two places on a sphere (haversine formula)."""
    south, north = radians(one.latitude), radians(other.latitude)
    up, along = north - south, radians(other.longitude - one.longitude)
    chord = sin(up / 2) ** 2 + cos(south) * cos(north) * sin(along / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(chord)))


class Home:
    """Knows home, or learns it from the first positions, and tells when the node has left it."""

    def __init__(self, moved_m: float, home: Place | None) -> None:
        self._moved_m, self._home = moved_m, home
        self._seen: list[Place] = []
        self._away = False
        self._otherwise = 0  # positions in a row that say the opposite

    def left(self, place: Place) -> bool:
        """Take a good position; return whether it is the one by which the node has left home."""
        if not self._moved_m:
            return False
        if self._home is None:
            self._learn(place)
            return False
        away = distance_m(self._home, place) > self._moved_m
        self._otherwise = self._otherwise + 1 if away is not self._away else 0
        if self._otherwise < SURE:
            return False
        self._away, self._otherwise = away, 0
        return away

    def _learn(self, place: Place) -> None:
        """Take the mean, around the first position: longitudes may be on both sides of 180°."""
        self._seen.append(place)
        if len(self._seen) < LEARNT:
            return
        first = self._seen[0]
        north = sum(p.latitude for p in self._seen) / LEARNT
        east = sum((p.longitude - first.longitude + 180) % 360 - 180 for p in self._seen) / LEARNT
        self._home = Place(north, first.longitude + east)
        self._seen.clear()
