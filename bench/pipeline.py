"""What the sensing pipeline costs a reading that is kept, from what a driver gave to the spool.

The sensor has every quantity that something is derived from. Without rules only the limits of its
parts are judged. With all rules each of its channels is calibrated by a polynomial and kept raw
too, and held to limits, stuckness, rate and a twin; all that can be derived is derived.
"""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from statistics import median
from typing import Any, Final

from edgenode.derived import DERIVED
from edgenode.reading import Channel, Event, Group, Kind, Sample, Total
from edgenode.sensing import Board, Calibration, ChannelRules, SensorRules, channels_of
from edgenode.sensing.board import Posted
from edgenode.sensing.pipeline import Pipeline

EVERY_MS: Final = 1_000
SAMPLES: Final = 20_000
WARM: Final = 200
CHANNELS: Final = (
    Channel("temperature", "Cel", -2, low=-40, high=85),
    Channel("humidity", "%RH", -1, low=0, high=100),
    Channel("power", "W", -1, low=-12_500, high=12_500),
    Channel("count", "count", kind=Kind.COUNTER),
)
MEASURED: Final = {channel.name for channel in CHANNELS}
ALL: Final = SensorRules(
    {
        channel.name: ChannelRules(
            Calibration("bench", "2026-01-01", polynomial=(0.1, 1.0, 1e-6), raw=True),
            low=-1e6,
            high=1e6,
            stuck_s=3_600,
            rate_per_s=1e6,
            twin=f"other/{channel.name}",
            tolerance=1e6,
        )
        for channel in CHANNELS
    },
    derived=tuple(n for n, made in DERIVED.items() if made.sources.keys() <= MEASURED),
)


class Memory:
    """A sink that only keeps totals."""

    epoch: int = 1

    def __init__(self) -> None:
        self._totals: dict[str, Total] = {}

    def append(self, gid: int, t_ms: int, sample: Sample) -> None:
        """Keep nothing."""

    def event(self, t_ms: int, gid: int | None, event: Event) -> None:
        """Keep nothing."""

    def set_total(self, channel: str, value: int, t_ms: int) -> None:
        self._totals[channel] = Total(value, self.epoch, t_ms)

    def total(self, channel: str) -> Total | None:
        return self._totals.get(channel)


def measure() -> dict[str, Any]:
    """Return `pipeline_us_per_reading`, CPU µs, without rules and with all of them."""
    return {
        "pipeline_us_per_reading": {
            "without_rules": round(_cost(SensorRules()), 2),
            "all_rules": round(_cost(ALL), 2),
        }
    }


def _cost(rules: SensorRules) -> float:
    """Return the µs of a sample over its readings; the median, as a busy machine only ever adds."""
    made = channels_of(CHANNELS, rules)
    named = (replace(channel, name=f"s/{channel.name}") for channel in made)
    board, rng = Board(), random.Random(len(made))
    pipeline = Pipeline(Group(0, tuple(named)), rules, EVERY_MS, Memory(), board)
    costs = []
    for turn in range(WARM + SAMPLES):
        now_ms = turn * EVERY_MS
        sample = Sample((20 + rng.random(), 50 + rng.random(), 900 + rng.random(), turn))
        for name in board.wanted:
            board.post(name, Posted(20.0, now_ms, EVERY_MS))
        began = time.perf_counter_ns()
        kept = pipeline.passed(sample, now_ms, settling=False)
        costs.append(time.perf_counter_ns() - began)
    assert len(kept.values) == len(made)
    assert not any(kept.quality), "the way of a good reading"
    return median(costs[WARM:]) / 1000 / len(made)


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
