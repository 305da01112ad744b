"""What pulses are worth: exact whatever the weight, and no pulse without a step."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.pulse import Pulse, PulseOptions
from drivers.pulse_weight import total_of, weight
from edgenode.driver import declared
from edgenode.reading import Kind
from edgenode.wire.scale import scaled
from tests.drivers.known_pulse import WEIGHTS, weights_hold
from tests.support.fake_line import FakeLine


def options(**given: Any) -> PulseOptions:
    return msgspec.convert({"line": 17, **given}, PulseOptions)


def test_pulses_are_worth_what_labels_and_data_sheets_say() -> None:
    from drivers import pulse_weight  # noqa: PLC0415 - as the mutants of it are tried

    assert weights_hold(pulse_weight)
    assert len(WEIGHTS) > 10


def test_the_total_stands_behind_the_count_that_it_follows_from() -> None:
    count, unread, volume = declared(Pulse, options(per_pulse=0.01, unit="m3", observed="A/b"))
    assert (count.name, unread.name, volume.name) == ("count", "unread", "volume")
    assert (volume.unit, volume.scale, volume.kind) == ("m3", -2, Kind.COUNTER)
    assert count.observed == "A/b"
    assert volume.observed == "WaterConsumptionObserved/waterConsumption"


def test_without_a_weight_there_are_pulses_only() -> None:
    assert declared(Pulse, options()) == Pulse.channels


def test_the_driver_tells_what_was_counted_since_it_opened() -> None:
    line = FakeLine()
    pulse = Pulse(line, options(pulses_per_unit=1600, unit="kWh"))
    line.pulse(16)
    assert pulse.read(0).values == (16, 0, 0.01)
    assert [channel.name for channel in pulse.measures()] == ["count", "unread", "energy"]
    assert pulse.counts() == {"count": 16}
    pulse.close()


@given(
    st.one_of(
        st.tuples(st.floats(1e-9, 1e6), st.none()), st.tuples(st.none(), st.floats(1e-6, 1e9))
    ),
    st.decimals(0, 10_000, places=3),
    st.lists(st.integers(0, 10**9), min_size=1),
)
def test_a_total_is_the_weight_of_all_pulses_and_none_is_lost(
    given: tuple[float | None, float | None], start: Any, counts: list[int]
) -> None:
    each = weight(*given)
    assert each is not None
    try:
        made = total_of(each, "m", "", float(start))
    except ValueError:
        assert float(start) / float(each) > 1e10, "a start of so many pulses is none"
        return
    step = Fraction(10) ** made.scale
    assert step <= each < step * 10_000
    for count in counts:
        steps = made.steps(count)
        exact = each * count + Fraction(str(float(start)))
        assert steps * step <= exact < (steps + 1) * step
        assert made.steps(count + 1) > steps
        if steps < 1 << 50:
            assert scaled(made.worth(count), made.scale) == steps, "it travels as it is"


def test_a_total_never_goes_back_while_pulses_come() -> None:
    made = total_of(Fraction(1, 750), "kWh", "", 0.0005)
    shown = [made.worth(count) for count in range(3000)]
    assert all(before < after for before, after in pairwise(shown))
    assert shown[750] == 1.0005


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ({"per_pulse": 0.01}, "write a unit"),
        ({"unit": "m3"}, "what is a pulse worth"),
        ({"starts_at": 12.5}, "what is a pulse worth"),
        ({"quantity": "volume"}, "what is a pulse worth"),
        ({"per_pulse": 0.01, "pulses_per_unit": 100, "unit": "m3"}, "leave one out"),
        ({"per_pulse": 0.01, "unit": "m3", "edge": "both"}, "counts twice"),
        ({"per_pulse": 0.01, "unit": "m3", "quantity": "energy"}, "volume in it, found energy"),
        ({"per_pulse": 0.01, "unit": "m3", "quantity": "Volume"}, "pattern|regex|matching"),
        ({"per_pulse": 1e-9, "unit": "m3", "starts_at": 1e12}, "too many pulses"),
        ({"per_pulse": 0, "unit": "m3"}, ">= 1e-09"),
        ({"per_pulse": -0.2, "unit": "mm"}, ">= 1e-09"),
        ({"pulses_per_unit": 0, "unit": "kWh"}, ">= 1e-06"),
        ({"per_pulse": 1, "unit": "m3", "starts_at": -1}, ">= 0"),
        ({"per_pulse": 1, "unit": "gallons"}, "Invalid enum value"),
    ],
)
def test_what_does_not_go_together_is_refused_with_what_to_write(
    wrong: dict[str, Any], why: str
) -> None:
    with pytest.raises(msgspec.ValidationError, match=why):
        options(**wrong)
