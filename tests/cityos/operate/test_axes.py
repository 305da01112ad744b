"""Axes, days and shapes of the plots."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from edgenode.cityos.operate import plot
from edgenode.cityos.operate.scale import linear, sizes, spans
from edgenode.cityos.operate.window import DAY, HOUR, MOST_BUCKETS, Window

BERLIN = ZoneInfo("Europe/Berlin")


def ms(text: str, zone: ZoneInfo | None = None) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone or UTC).timestamp() * 1000)


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (2, 17.99, ["0", "5", "10", "15", "20"]),
        (-0.3, 0.4, ["-0.4", "-0.2", "0.0", "0.2", "0.4"]),
        (100.11, 100.19, ["100.10", "100.12", "100.14", "100.16", "100.18", "100.20"]),
        (7, 7, ["6.90", "6.95", "7.00", "7.05", "7.10"]),
        (0, 0, ["-1.0", "-0.5", "0.0", "0.5", "1.0"]),
    ],
)
def test_ticks_are_numbers_that_people_use(low: float, high: float, labels: list[str]) -> None:
    scale = linear(low, high)
    assert [label for _, label in scale.ticks] == labels
    assert scale.low <= low <= high <= scale.high
    assert (scale.part(scale.low), scale.part(scale.high)) == (0, 1)


def test_time_has_an_axis_of_powers_and_bytes_have_their_units() -> None:
    scale = spans(90_000)
    assert [label for _, label in scale.ticks][-2:] == ["1 min", "10 min"]
    assert (scale.part(1), scale.part(600_000), scale.part(0)) == (0, 1, 0)
    assert [label for _, label in sizes(28_200).ticks] == ["0 kB", "10 kB", "20 kB", "30 kB"]


@pytest.mark.parametrize("length", [60_000, HOUR, 3 * DAY, 30 * DAY, 365 * DAY, 20 * 365 * DAY])
def test_however_long_a_window_is_there_are_not_too_many_buckets_or_ticks(length: int) -> None:
    window = Window(ms("2026-01-01"), ms("2026-01-01") + length, BERLIN)
    assert 0 < length / window.step <= MOST_BUCKETS
    assert len(window.ticks()) <= 10 or length > 365 * DAY


def test_days_are_those_of_the_zone_also_when_they_have_23_or_25_hours() -> None:
    spring = Window(ms("2026-03-28T12:00", BERLIN), ms("2026-03-30T12:00", BERLIN), BERLIN)
    assert [(b - a) // HOUR for a, b in spring.days()] == [24, 23, 24]
    autumn = Window(ms("2026-10-24T12:00", BERLIN), ms("2026-10-26T12:00", BERLIN), BERLIN)
    assert [(b - a) // HOUR for a, b in autumn.days()] == [24, 25, 24]


def test_buckets_begin_with_the_hours_of_the_zone() -> None:
    start = ms("2026-11-18T00:00", ZoneInfo("Asia/Kathmandu"))  # UTC+05:45
    window = Window(start, start + 30 * DAY, ZoneInfo("Asia/Kathmandu"))
    assert window.middle(window.bucket(start)) == start + window.step // 2
    assert window.bucket(start - 1) == window.bucket(start) - 1


def test_the_zone_is_named_with_its_offset() -> None:
    at = ms("2026-11-18")
    assert Window(at, at + 1, UTC).zone_name == "UTC"
    assert Window(at, at + 1, ZoneInfo("Asia/Seoul")).zone_name == "KST (UTC+09:00)"
    assert Window(at, at + 1, ZoneInfo("America/Sao_Paulo")).zone_name == "UTC-03:00"


def test_what_did_not_come_is_a_gap_in_the_line_and_one_reading_a_dash() -> None:
    window = Window(0, 100 * HOUR, UTC)
    points = [(hour * HOUR, 1.0, 2.0) for hour in (*range(10), *range(20, 30), 50)]
    svg = plot.band(plot.Drawing("a", "title", "says", window), linear(0, 3), points, ())
    drawn = re.search(r'<g class="data">(.*?)</g>', svg)
    assert drawn is not None
    assert drawn[1].count("<path") == 3


def test_text_in_a_plot_is_escaped() -> None:
    window = Window(0, HOUR, UTC)
    drawing = plot.Drawing("a", "<i>", "a & b", window, [(1, "<b>")])
    svg = plot.lanes(drawing, [("<u>", "doubt", [(0, 10)])])
    assert not re.search("<[ibu]>", svg)
    assert "a &amp; b" in svg
