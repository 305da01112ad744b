"""Whatever befalls a meter and its node, the total only grows, by what was certainly counted."""

from __future__ import annotations

from itertools import pairwise
from typing import Final, Literal, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from edgenode.errors import Reason
from edgenode.reading import Quality
from edgenode.sensing import ChannelRules, MeterRules, SensorRules
from edgenode.sensing.dial import BEHIND_MS, HOUR_MS, OFF_MS
from tests.support.sites import STEPS, Site

ROUND: Final = 10_000_000  # steps: five digits before the point and two behind it
MOST_PER_H: Final = 1_000  # kWh
LAP: Final = ROUND // 10
LATEST_MS: Final = 120_000  # an outage of the site, and its first reads
LEAST: Final = 20_000  # less is no register that anybody would notice to be set back
MOST_COUNTED: Final = 500  # steps between two reads; far below what an hour can bring

Away = Literal["no", "lost", "restart", "reboot"]
Happening = Literal["nothing", "slip", "exchange", "set back"]


class Step(NamedTuple):
    """What happens between two reads."""

    counted: int
    away: Away
    happening: Happening
    shows: int  # what the register shows after an exchange, or in a slip


STEP: Final = st.builds(
    Step,
    st.integers(0, MOST_COUNTED),
    st.sampled_from(["no", "no", "lost", "restart", "reboot"]),
    st.sampled_from(["nothing", "nothing", "nothing", "slip", "exchange", "set back"]),
    # Small and large ones, so that the register rolls over now and then.
    st.integers(LEAST, ROUND - 1) | st.integers(ROUND - 1_000, ROUND - 1),
)


KNOWN: Final = st.frozensets(st.sampled_from(["number", "limit"]))  # of the meter


class World:
    """A site, and what its total must be."""

    def __init__(self, first: int, known: frozenset[str]) -> None:
        self.numbered, self.limited = "number" in known, "limit" in known
        rules = MeterRules(
            modulus=ROUND / STEPS, most_per_h=MOST_PER_H if self.limited else None, register=True
        )
        self.site = Site(SensorRules({"energy": ChannelRules(meter=rules)}))
        self.shows, self.total, self.breaks, self.meters = first, first, 0, 0
        self.number()
        self.read()

    def number(self) -> None:
        self.meters += 1
        self.site.number = f"No. {self.meters}" if self.numbered else ""
        self.site.start()

    def read(self) -> tuple[float | None, Quality]:
        return self.site.read(self.shows / STEPS)

    def go(self, step: Step) -> None:
        """Let it happen, and read until the total is good."""
        away = step.away
        noticed = self.numbered or not self.may_be_the_same(step.shows, away)
        if step.happening == "exchange" and noticed:
            self.shows, self.breaks = step.shows, self.breaks + 1
            self.number()
        elif (
            step.happening == "set back"
            and self.shows >= LEAST
            and not self.may_be_the_same(0, away)
        ):
            self.shows, self.breaks = step.counted, self.breaks + 1
            self.total += step.counted if self.numbered and self.limited else 0
        else:
            self.total += step.counted
            self.breaks += self.shows + step.counted >= ROUND
            self.shows = (self.shows + step.counted) % ROUND
        self.leave(step.away)
        slips = step.happening == "slip" and away != "reboot"
        if slips and not self.may_be_the_same(step.shows, away):
            assert self.site.read(step.shows / STEPS) == (None, Quality.FAULT)
        self.check()

    def may_be_the_same(self, shows: int, away: Away) -> bool:
        """Whether a meter that went on counting could show this as well: then nobody can know."""
        within_ms = OFF_MS if away == "reboot" else LATEST_MS + BEHIND_MS
        most = MOST_PER_H * STEPS * within_ms // HOUR_MS + 2 if self.limited else ROUND
        forward = shows - self.shows + MOST_COUNTED
        lap = shows - self.shows + ROUND
        if forward >= ROUND:  # it was there before the last step, which rolled over
            return True
        return 0 <= forward <= most + MOST_COUNTED or 0 <= lap <= min(most, LAP) + MOST_COUNTED

    def leave(self, away: Away) -> None:
        if away == "lost":
            self.site.lose()
        elif away == "restart":
            self.site.start()
        elif away == "reboot":
            self.site.reboot()

    def check(self) -> None:
        total, quality = self.read()
        if quality is Quality.FAULT:  # what breaks is held back once
            total, quality = self.read()
        assert (total, quality) == (self.total / STEPS, Quality.OK)
        assert len(self.site.told()) == self.breaks


@settings(max_examples=300, deadline=None)
@given(st.integers(LEAST, ROUND - 1), KNOWN, st.lists(STEP, max_size=25))
def test_the_total_never_goes_back_and_holds_what_was_counted(
    first: int, known: frozenset[str], steps: list[Step]
) -> None:
    world = World(first, known)
    for step in steps:
        world.go(step)
    published = [sample.values[1] for _, sample in world.site.sink.of(1)]
    numbers = [value for value in published if value is not None]
    assert all(before <= after for before, after in pairwise(numbers))
    assert Reason.DRIVER_DEFECT not in world.site.runner.reasons


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["no", "lost", "restart", "reboot"]),
            st.integers(0, ROUND - 1),
            st.sampled_from([Quality.OK, Quality.OK, Quality.STALE, Quality.ESTIMATED]),
        ),
        max_size=30,
    ),
    KNOWN,
)
def test_no_good_total_is_below_an_earlier_one_whatever_the_register_shows(
    reads: list[tuple[Away, int, Quality]], known: frozenset[str]
) -> None:
    world = World(5_000_000, known)
    for away, shows, quality in reads:
        world.leave(away)
        world.shows, world.site.quality = shows, (Quality.OK, quality)
        world.read()
    good = 0.0
    for _, sample in world.site.sink.of(1):
        value = sample.values[1]
        if value is None:
            continue
        assert value >= good
        if not sample.quality or sample.quality[1] is Quality.OK:
            good = value
