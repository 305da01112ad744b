"""Pulses: the kernel counts; the driver must neither lose an edge nor invent one."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers.pulse import Pulse, PulseOptions
from edgenode.driver import Counting, Talker, declared
from edgenode.errors import BusError
from tests.support.fake_line import FakeLine


@pytest.fixture
def line() -> FakeLine:
    return FakeLine()


@pytest.fixture
def pulse(line: FakeLine) -> Pulse:
    return Pulse(line, PulseOptions(line=17))


def test_a_thousand_edges_that_nobody_read_are_a_thousand(line: FakeLine, pulse: Pulse) -> None:
    line.pulse(1000)
    assert pulse.read(0).values == (1000, 1000 - line.queue)


def test_unread_is_about_the_time_since_the_last_sample(line: FakeLine, pulse: Pulse) -> None:
    line.pulse(100)
    pulse.read(0)
    line.pulse(5)
    assert pulse.read(1000).values == (105, 0)


def test_the_count_begins_at_zero_when_the_driver_opens() -> None:
    line = FakeLine(seqno=7)
    pulse = Pulse(line, PulseOptions(line=17))
    assert pulse.read(0).values == (0, 0)
    line.pulse(2)
    assert pulse.read(0).values[0] == 2


def test_the_kernels_thirty_two_bits_wrap_without_a_jump() -> None:
    line = FakeLine(seqno=(1 << 32) - 2)
    pulse = Pulse(line, PulseOptions(line=17))
    line.pulse(5)
    assert pulse.read(0).values[0] == 5


def test_a_line_that_was_handed_over_counts_from_its_opening_not_from_ours() -> None:
    line = FakeLine(queue=2, seqno=40, inherited=1_000)
    pulse = Pulse(line, PulseOptions(line=17))
    assert pulse.resumed() == {"count": 1_000}
    assert pulse.read(0).values == (0, 0)  # not known before an edge is read
    line.pulse(3)
    assert pulse.read(0).values == (43, 0)
    line.pulse(5)
    assert pulse.read(0).values == (48, 3)


def test_a_line_that_we_opened_resumes_nothing_and_is_kept_with_its_total(
    line: FakeLine, pulse: Pulse
) -> None:
    assert pulse.resumed() == {}
    pulse.keep({"count": 17})
    assert line.kept == [17]


@pytest.mark.parametrize("inherited", [None, 5])
def test_a_line_whose_count_wraps_is_kept_anew_with_what_the_kernel_forgot(
    inherited: int | None,
) -> None:
    line = FakeLine(seqno=(1 << 32) - 3, inherited=inherited)
    pulse = Pulse(line, PulseOptions(line=17))
    if inherited is None:
        pulse.keep({"count": 5})
    line.pulse(2)
    pulse.feed(0)
    line.pulse(2)
    pulse.feed(0)
    assert line.kept[-1] == 5 + (1 << 32)


def test_what_was_fed_is_counted_without_touching_the_wire(line: FakeLine, pulse: Pulse) -> None:
    line.pulse(3)
    pulse.feed(0)
    line.gone = True
    assert pulse.counts() == {"count": 3}


def test_a_line_that_ends_is_a_bus_error(line: FakeLine, pulse: Pulse) -> None:
    line.gone = True
    with pytest.raises(BusError):
        pulse.feed(0)


def test_the_bus_thread_can_wait_on_it_and_ask_its_totals(line: FakeLine, pulse: Pulse) -> None:
    assert isinstance(pulse, Talker)
    assert isinstance(pulse, Counting)
    assert pulse.fileno() == line.fileno()


def test_the_installer_says_what_is_counted() -> None:
    options = msgspec.convert({"line": 4, "observed": "ItemFlowObserved/intensity"}, PulseOptions)
    count, unread = declared(Pulse, options)
    assert count.observed == "ItemFlowObserved/intensity"
    assert not unread.observed


@pytest.mark.parametrize(
    "wrong",
    [
        {"line": -1},
        {"line": 4, "edge": "sideways"},
        {"line": 4, "bias": "pull-left"},
        {"line": 4, "debounce_us": -1},
        {"line": 4, "observed": "some free text"},
        {"line": 4, "callback": True},
        {},
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, PulseOptions)


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans(), st.booleans()), max_size=30))
def test_however_it_is_fed_and_read_every_edge_counts_once(
    steps: list[tuple[int, bool, bool]],
) -> None:
    line = FakeLine()
    pulse = Pulse(line, PulseOptions(line=17))
    for count, fed, read in steps:
        line.pulse(count)
        if fed:
            pulse.feed(0)
        if read:
            pulse.read(0)
    assert pulse.read(0).values[0] == sum(count for count, _, _ in steps)
    pulse.close()
