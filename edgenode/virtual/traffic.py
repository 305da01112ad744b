"""Vehicles for the instruments of traffic: so many in each row of a series, seeded.

Rows tell how many pass; when within the row, how fast and how long is drawn by chance that is the
same every time. What passed is in the log of truth, a line for each row and direction.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from statistics import fmean
from typing import Final, NamedTuple

from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

MOST: Final = 1_000  # vehicles in one row
APART: Final = 0.6  # of an even share of the row, the most that chance moves a vehicle
SPREAD: Final = 0.15  # of the mean speed, one standard deviation
SLOWEST: Final = 6.0  # km/h
LENGTHS_M: Final = (4.2, 4.6, 4.4, 4.0, 5.2, 8.5, 16.5)  # as often as they stand here
MS: Final = 1_000_000


class Vehicle(NamedTuple):
    """One vehicle: the moment in which its front passes the instrument."""

    at_ns: int
    direction: str
    speed: float  # km/h
    length: float  # m


class Way(NamedTuple):
    """What one direction plays: vehicles a row, and their mean speed in km/h."""

    direction: str
    vehicles: Play
    speed: Play


class Traffic:
    """Vehicles of one row after another, from `start_ns` on."""

    def __init__(
        self, sensor: str, ways: tuple[Way, ...], row_ns: int, truth: Truth, start_ns: int
    ) -> None:
        self._sensor, self._ways, self._row_ns = sensor, ways, row_ns
        self._truth, self._next_ns, self._row = truth, start_ns, 0

    @property
    def next_ns(self) -> int:
        """When the next row begins."""
        return self._next_ns

    def rows(self, now_ns: int) -> Iterator[list[Vehicle]]:
        """Yield the vehicles of each row that has begun by now, in the order of their passing."""
        while self._next_ns <= now_ns:
            passing = [vehicle for way in self._ways for vehicle in self._passing(way)]
            self._next_ns, self._row = self._next_ns + self._row_ns, self._row + 1
            yield sorted(passing)

    def _passing(self, way: Way) -> list[Vehicle]:
        chance = random.Random(f"{self._sensor} {way.direction} {self._row}")  # noqa: S311
        wanted = max(0, min(MOST, round(way.vehicles.value(self._row))))
        mean = way.speed.value(self._row)
        found = []
        for n in range(wanted):
            share = (n + 0.5 + APART * (chance.random() - 0.5)) / wanted
            found.append(
                Vehicle(
                    self._next_ns + int(share * self._row_ns) // MS * MS,
                    way.direction,
                    round(max(SLOWEST, chance.gauss(mean, SPREAD * mean)), 1),
                    chance.choice(LENGTHS_M),
                )
            )
        self._told(way, found)
        return found

    def _told(self, way: Way, found: list[Vehicle]) -> None:
        at_ms = self._next_ns // MS
        name = f"{self._sensor}/vehicles{way.direction and '_'}{way.direction}"
        self._truth.note(name, len(found), at_ms, "ok")
        if found:
            speed = round(fmean(vehicle.speed for vehicle in found), 3)
            self._truth.note(name.replace("/vehicles", "/speed"), speed, at_ms, "ok")
