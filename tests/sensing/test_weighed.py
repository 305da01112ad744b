"""What pulses are worth follows from their durable count, and what is made of totals from it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from drivers.pulse import Pulse, PulseOptions
from edgenode.driver import declared
from edgenode.reading import EventCode, Group, Quality
from edgenode.sensing import ChannelRules, Job, LeakRules, SensorRules, channels_of
from edgenode.sensing.lateness import Lateness
from edgenode.sensing.runner import Runner
from edgenode.sensing.watch import Watch
from tests.support.clock import FakeClock
from tests.support.fake_line import FakeLine
from tests.support.sensing import FakeSink

HOUR_S = 3600
WATER = {"per_pulse": 0.01, "unit": "m3"}


class Site:
    """One pulse input in a runner; `start` is a start of the daemon."""

    def __init__(
        self, worth: dict[str, Any], rules: SensorRules | None = None, every_s: int = 60
    ) -> None:
        self.clock, self.sink = FakeClock(), FakeSink()
        self.rules, self.every_ms = rules or SensorRules(), every_s * 1000
        self.inherited: int | None = None
        self.lines: list[FakeLine] = []
        self.start(worth)

    def start(self, worth: dict[str, Any]) -> None:
        self.options = PulseOptions(line=17, **worth)
        named = [
            replace(channel, name=f"s/{channel.name}")
            for channel in channels_of(declared(Pulse, self.options), self.rules)
        ]
        job = Job("s", Group(1, tuple(named)), self.open, self.every_ms, 50, rules=self.rules)
        watch = Watch(self.sink, self.clock)
        self.runner = Runner(job, self.sink, self.clock, watch, Lateness())

    def open(self) -> Pulse:
        self.line = FakeLine(queue=1024, inherited=self.inherited)
        self.lines.append(self.line)
        return Pulse(self.line, self.options)

    def read(self, pulses: int = 0) -> tuple[float | None, ...]:
        """Let a period pass and so many pulses come, and return what was read."""
        if self.runner.reads:
            self.line.pulse(pulses)
        self.clock.advance(max(0, self.runner.schedule.due_ms - self.clock.boot))
        self.runner.serve(self.clock.boot_ms())
        return self.sink.of(1)[-1][1].values

    def quality(self) -> tuple[Quality, ...]:
        return self.sink.of(1)[-1][1].quality


Sites = Callable[..., Site]


@pytest.fixture
def sites() -> Iterator[Sites]:
    """Make sites whose lines are closed in the end, not when somebody else counts descriptors."""
    made: list[Site] = []

    def site(*words: Any, **named: Any) -> Site:
        made.append(Site(*words, **named))
        return made[-1]

    yield site
    for line in (line for one in made for line in one.lines):
        line.close()


def test_ten_litres_a_pulse_are_cubic_metres_beside_the_count(sites: Sites) -> None:
    site = sites(WATER)
    assert site.read() == (0, 0, 0.0)
    assert site.read(123) == (123, 0, 1.23)
    assert site.read() == (123, 0, 1.23)


@pytest.mark.parametrize("reboots", [False, True])
def test_over_restarts_and_reboots_it_is_the_durable_count_times_its_weight(
    sites: Sites,
    reboots: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    site = sites({"pulses_per_unit": 750, "unit": "kWh", "starts_at": 100.0})
    site.read()
    for n in range(1, 10):
        site.read(250)
        if reboots:
            site.clock.reboot()
            site.sink.epoch += 1
        site.start({"pulses_per_unit": 750, "unit": "kWh", "starts_at": 100.0})
        values = site.read()
        assert values[0] == 250 * n
        assert values[2] == pytest.approx(100 + n / 3, abs=1e-6)
    assert values[2] == 103.0, "nothing was rounded twice"
    assert set(site.sink.totals) == {"s/count"}, "it takes no place of its own"


def test_a_line_that_was_handed_over_and_has_not_spoken_is_worth_what_is_durable(
    sites: Sites,
) -> None:
    site = sites(WATER)
    site.read()
    site.read(50)
    site.inherited = 0
    site.start(WATER)
    assert site.read() == (50, 0, 0.5)
    site.line.seqno = 50
    assert site.read(3)[::2] == (53, 0.53)


def test_a_read_that_fails_has_neither_count_nor_worth(sites: Sites) -> None:
    site = sites(WATER)
    site.read()
    site.line.gone = True
    assert site.read() == (None, None, None)
    assert site.quality() == (Quality.MISSING,) * 3


@pytest.mark.parametrize(
    ("worth", "asked", "pulses", "rate"),
    [
        (WATER, "volume_flow", 2, 1.2),  # 20 L in a minute, in m3/h
        ({"pulses_per_unit": 1000, "unit": "kWh"}, "power_mean", 50, 3000),  # 50 Wh in a minute
        ({"per_pulse": 0.2, "unit": "mm"}, "precipitation_rate", 5, 60),  # 1 mm in a minute
        ({"pulses_per_unit": 1.5, "unit": "m"}, "wind_speed", 60, 2.4 / 3.6),  # 2.4 km/h: 1 Hz
        ({"pulses_per_unit": 1.5, "unit": "m"}, "wind_speed", 900, 10),  # 15 Hz are 36 km/h
    ],
)
def test_rates_follow_from_what_pulses_are_worth(
    sites: Sites, worth: dict[str, Any], asked: str, pulses: int, rate: float
) -> None:
    site = sites(worth, SensorRules(derived=(asked,)))
    site.read()
    assert site.quality()[-1] is Quality.SETTLING
    assert site.read()[-1] == 0  # the first read came at once, not a period before this one
    assert site.read(pulses)[-1] == pytest.approx(rate, abs=1e-5)
    assert site.quality() == ()


def test_a_rate_over_a_time_in_which_nobody_counted_is_estimated(sites: Sites) -> None:
    site = sites(WATER, SensorRules(derived=("volume_flow",)))
    site.read()
    site.read(2)
    site.runner.unopen()
    site.read()
    assert site.quality()[-1] is Quality.ESTIMATED
    site.read()
    assert site.read(2)[-1] == pytest.approx(1.2)
    assert site.quality() == ()


def test_water_that_never_rests_is_a_leak_by_its_volume(sites: Sites) -> None:
    rules = SensorRules({"volume": ChannelRules(leak=LeakRules(24 * HOUR_S, 1800))})
    site = sites(WATER, rules, every_s=900)
    site.read()
    for _ in range(25 * 4):
        site.read(1)
    (leak,) = [e for row in site.sink.of(1) for e in row[1].events]
    assert (leak.code, leak.channel, leak.value) == (EventCode.LEAK_SUSPECTED, 2, (24,))
