"""Traffic as sums: flow, speeds, headway, gaps and lengths of vehicles, from one read to the next.

A driver tells each vehicle to one of these, and only what they sum up leaves the node. Terms are
those of the Highway Capacity Manual (headway: front to front; gap: rear to front) and of the
Smart Data Models' TrafficFlowObserved; the mean speed is the time-mean, over vehicles that pass a
point. Memory is bounded: speeds are kept as a histogram, everything else as sums.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta

from edgenode.reading import Channel, Quality, Sample

Direction = Literal["toward", "away"]
DIRECTIONS: Final[tuple[Direction, Direction]] = ("toward", "away")

FASTEST: Final = 300.0  # km/h; nothing on a road is faster, so it is noise
BINS_EACH: Final = 2  # bins of the histogram in each km/h: a percentile is off by 0.25 at most
PERCENT: Final = 85  # the speed that so many of a hundred drivers do not exceed
# Length classes in m: cars and vans, lorries and buses, and what has a trailer or a joint.
CLASSES: Final = ("short", "medium", "long")
LIMITS_M: Final = (6.0, 12.0)

# What options of several drivers hold.
SuppressBelow = Annotated[
    int,
    Meta(
        ge=0,
        le=1000,
        title="fewer vehicles than this are held back until so many have come",
        description="vehicles, 0 to 1000; 0 tells every count",
    ),
]
Slowest = Annotated[
    float, Meta(ge=0, le=100, title="what is slower is no vehicle", description="km/h, 0 to 100")
]
BeamAngle = Annotated[
    float,
    Meta(
        ge=0,
        le=60,
        title="the angle between beam and road, for which speeds are corrected",
        description="degrees, 0 to 60",
    ),
]


class Mean:
    """An arithmetic mean."""

    def __init__(self) -> None:
        self.count, self._total = 0, 0.0

    def add(self, value: float) -> None:
        """Take in a value."""
        self.count += 1
        self._total += value

    @property
    def value(self) -> float | None:
        """The mean; None of nothing."""
        return self._total / self.count if self.count else None


class Speeds(Mean):
    """Speeds in km/h, 0 to FASTEST: their mean, and any percentile out of 601 bins."""

    def __init__(self) -> None:
        super().__init__()
        self._bins = array("L", bytes(array("L").itemsize * (int(FASTEST) * BINS_EACH + 1)))

    def add(self, value: float) -> None:
        """Take in a speed. Raises IndexError beyond FASTEST."""
        super().add(value)
        self._bins[math.floor(value * BINS_EACH + 0.5)] += 1

    def percentile(self, percent: int) -> float | None:
        """Return the speed that at least `percent` of all do not exceed (nearest rank).

        It is the middle of a bin, so off by half a bin at most; exact where speeds are whole.
        """
        rank = -(-percent * self.count // 100)
        for place, many in enumerate(self._bins):
            rank -= many
            if many and rank <= 0:
                return place / BINS_EACH
        return None


class Flow:
    """What passed one point in one direction since the last `renew`."""

    def __init__(self) -> None:
        self._anchor_ms: int | None = None  # the newest vehicle of the interval before
        self._newest_ms: int | None = None
        self.renew()

    def renew(self) -> None:
        """Begin a new interval; the first headway in it is counted from the vehicle before it."""
        self.vehicles = self._headways = 0
        self._anchor_ms = self._newest_ms
        self._speeds, self._lengths = Speeds(), Mean()
        self._classes = [0] * len(CLASSES)

    def passed(self, at_ms: int, speed: float | None = None, length: float | None = None) -> None:
        """Take in a vehicle: boot-time ms, km/h and m, where they are known."""
        self.vehicles += 1
        if self._anchor_ms is None:
            self._anchor_ms = at_ms
        else:
            self._headways += 1
        self._newest_ms = at_ms if self._newest_ms is None else max(at_ms, self._newest_ms)
        if speed is not None:
            self._speeds.add(speed)
        if length is not None:
            self._lengths.add(length)
            self._classes[sum(length >= limit for limit in LIMITS_M)] += 1

    @property
    def headway(self) -> float | None:
        """Mean time between fronts in s."""
        if not self._headways or self._newest_ms is None or self._anchor_ms is None:
            return None
        return (self._newest_ms - self._anchor_ms) / 1000 / self._headways

    @property
    def speeds(self) -> tuple[float | None, float | None]:
        """Mean and 85th percentile of the speeds in km/h."""
        return self._speeds.value, self._speeds.percentile(PERCENT)

    @property
    def lengths(self) -> tuple[float | None, ...]:
        """Mean length in m, and how many vehicles are of each class."""
        return self._lengths.value, *self._classes


def withheld(vehicles: int, suppress_below: int) -> bool:
    """Whether so few vehicles are not to be told: what one has done is nobody's business.

    None at all is told. Whoever withholds goes on summing, and does not begin anew, until there
    are enough: so nothing is lost, and no difference of two sums gives a small count away.
    """
    return 0 < vehicles < suppress_below


def told(values: Sequence[float | None], *, hidden: bool = False) -> Sample:
    """Return a sample: where there is no value it is missing, and all of them where hidden."""
    if hidden:
        return Sample((None,) * len(values), (Quality.SUPPRESSED_PRIVACY,) * len(values))
    quality = tuple(Quality.MISSING if value is None else Quality.OK for value in values)
    return Sample(tuple(values), quality)


def joined(*samples: Sample) -> Sample:
    """Return the channels of several samples side by side."""
    return Sample(
        tuple(value for sample in samples for value in sample.values),
        tuple(quality for sample in samples for quality in sample.quality),
    )


def lane_channels() -> tuple[Channel, ...]:
    """Return what one sensor of presence tells of its lane."""
    return (
        _vehicles(),
        Channel("occupancy", "%", -1, observed="TrafficFlowObserved/occupancy", low=0, high=100),
        _headway(),
        Channel("gap", "s", -1),
    )


def _vehicles(suffix: str = "") -> Channel:
    return Channel(f"vehicles{suffix}", "count", observed="TrafficFlowObserved/intensity")


def _headway(suffix: str = "") -> Channel:
    return Channel(f"headway{suffix}", "s", -1, observed="TrafficFlowObserved/averageHeadwayTime")


def road_channels(*, lengths: bool = False) -> tuple[Channel, ...]:
    """Return what a Road tells, `toward` first."""
    found: list[Channel] = []
    for suffix in (f"_{direction}" for direction in DIRECTIONS):
        mean = "TrafficFlowObserved/averageVehicleSpeed"
        found += [
            _vehicles(suffix),
            Channel(f"speed{suffix}", "km/h", -1, observed=mean, low=0, high=FASTEST),
            Channel(f"speed_85{suffix}", "km/h", -1, low=0, high=FASTEST),
            _headway(suffix),
        ]
        if lengths:
            mean = "TrafficFlowObserved/averageVehicleLength"
            found.append(Channel(f"length{suffix}", "m", -1, observed=mean))
            found += [Channel(f"{name}{suffix}", "count") for name in CLASSES]
    return tuple(found)


class Road:
    """Both directions of a road as a radar sees them, each held back by itself.

    `angle_deg` is that between beam and road: a radar sees only the part of a speed along its beam.
    """

    def __init__(
        self,
        suppress_below: int,
        slowest_kmh: float,
        angle_deg: float = 0.0,
        *,
        lengths: bool = False,
    ) -> None:
        self._flows = {direction: Flow() for direction in DIRECTIONS}
        self._suppress_below, self._lengths = suppress_below, lengths
        self._slowest_kmh = slowest_kmh
        self._along = math.cos(math.radians(angle_deg))
        self._watched = False

    def passed(
        self, direction: Direction, at_ms: int, speed: float, length: float | None = None
    ) -> None:
        """Take in a vehicle: boot-time ms, km/h along the beam, m; none where its speed is none."""
        speed /= self._along
        if self._slowest_kmh <= speed <= FASTEST:
            self._flows[direction].passed(at_ms, speed, length)

    def sample(self) -> Sample:
        """Return what passed since the last sample; all missing in the first, which has no time."""
        if not self._watched:
            self._watched = True
            for flow in self._flows.values():
                flow.renew()
            return told([None] * len(road_channels(lengths=self._lengths)))
        return joined(*(self._told(flow) for flow in self._flows.values()))

    def _told(self, flow: Flow) -> Sample:
        hidden = withheld(flow.vehicles, self._suppress_below)
        lengths = flow.lengths if self._lengths else ()
        sample = told((flow.vehicles, *flow.speeds, flow.headway, *lengths), hidden=hidden)
        if not hidden:
            flow.renew()
        return sample
