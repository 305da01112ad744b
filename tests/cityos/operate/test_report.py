"""What a report tells: channels, quality, gaps, latency, clocks and bytes of one place."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.operate.continuity import Part, Succession, record
from edgenode.cityos.operate.flow import Spread
from edgenode.cityos.operate.report import Story, gather, page
from edgenode.cityos.operate.window import Window
from edgenode.cityos.sink import Sink
from edgenode.cli import main
from edgenode.reading import Channel, Privacy
from edgenode.wire import Flag, Loss, LossReason
from tests.support.operated import T0, Fielded, take

HOUR, DAY = 3_600_000, 86_400_000
WINDOW = Window(T0, T0 + 3 * HOUR, UTC)
Capture = pytest.CaptureFixture[str]


def story(sink: Sink, node: Fielded, window: Window = WINDOW) -> Story:
    return gather(sink, node.node, window, window.end, 300_000)


def test_a_channel_is_its_least_and_most_of_each_bucket(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    flags = [Flag(0, 1, 1, 2), Flag(0, 3, 1, 5)]
    times = (0, 1_000, 2_000, 20_000)
    columns = ((2_000, 2_500, 1_000, 9_999), (1, 1, 1, 1))
    take(city, node.birth(), node.batch(times, columns, flags=flags))
    humidity, temperature = story(sink, node, Window(T0, T0 + HOUR, UTC)).series
    assert (temperature.name, temperature.unit) == ("air/temperature", "Cel")
    first, last = (bucket for _, bucket in sorted(temperature.buckets.items()))
    assert (first.low, first.high) == (10, 25)
    assert (first.ok, first.doubtful, first.none) == (2, 1, 0)
    assert (last.low, last.high, last.none) == (None, None, 1)
    assert temperature.qualities == {0: 2, 2: 1, 5: 1}
    assert humidity.qualities == {0: 4}


def test_gaps_have_their_reasons_and_the_times_of_their_neighbours(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    messages = [node.birth(), node.batch((1_000,), ((1,), (1,)))]
    first, seq = node.lose(10)
    loss = Loss(0, first, 10, LossReason.RING_OVERFLOW, seq, 1)
    messages.append(node.batch((5_000,), ((1,), (1,)), losses=[loss]))
    node.lose(6)
    messages.append(node.batch((9_000,), ((1,), (1,))))
    take(city, *messages)
    found = [(x.reason, x.readings, x.start, x.end) for x in story(sink, node).gaps]
    assert found == [
        ("ring-overflow", 10, T0 + 1_000, T0 + 5_000),
        ("held", 6, T0 + 5_000, T0 + 9_000),
    ]
    node.lose(4)
    take(city, node.batch((12_000,), ((1,), (1,)), held=6))
    reasons = [x.reason for x in story(sink, node).gaps]
    assert reasons == ["ring-overflow", "unexplained", "held"]
    text = page(story(sink, node))
    assert "overflown: dropped from memory" in text
    assert "20 readings are missing in 3 gaps." in text


def test_a_gap_outside_of_the_window_is_not_told(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    messages = [node.birth(), node.batch((1_000,), ((1,), (1,)))]
    node.lose(10)
    take(city, *messages, node.batch((5_000,), ((1,), (1,))))
    assert story(sink, node, Window(T0 + 6_000, T0 + HOUR, UTC)).gaps == []
    assert len(story(sink, node, Window(T0 + 2_000, T0 + HOUR, UTC)).gaps) == 1


def test_batches_tell_latency_clock_error_and_bytes_of_the_days_of_the_zone(
    city: City, sink: Sink
) -> None:
    node = Fielded("a1b2c3d4e5f6")
    seoul = Window(T0, T0 + DAY, ZoneInfo("Asia/Seoul"))  # from 20:06:40 there
    early = [node.batch((t,), ((1,), (1,)), late=late) for t, late in ((0, 4_000), (0, 9_000))]
    later = node.batch((4 * HOUR,), ((1,), (1,)), late=2_000)
    take(city, node.birth(), *early, later)
    found = story(sink, node, seoul).flow
    assert found.latency[seoul.bucket(T0 + 4_000)] == Spread(4_000, 4_000, 9_000)
    assert found.latency[seoul.bucket(T0 + 4 * HOUR)] == Spread(2_000, 2_000, 2_000)
    assert found.errors[seoul.bucket(T0)] == Spread(5, 5, 5)
    assert found.clocks == {3: 3}
    assert found.bytes == {
        "2026-11-18": sum(len(x.payload) for x in early), "2026-11-19": len(later.payload),
    }  # fmt: skip


def test_a_place_is_one_series_whichever_node_stands_there(city: City, sink: Sink) -> None:
    old, new = Fielded("a1a1a1a1"), Fielded("b1b1b1b1")
    take(city, old.birth(), old.batch((0, HOUR), ((1_000, 1_100), (1, 1))))
    take(city, new.birth(), new.batch((0, 2 * HOUR - 1), ((9_000, 2_000), (1, 1))))
    record(sink, Succession(Part(old.node), Part(new.node), T0 + HOUR))
    for node in (old, new):
        told = story(sink, node)
        [temperature] = [one for one in told.series if one.name == "air/temperature"]
        shown = [bucket.high for _, bucket in sorted(temperature.buckets.items())]
        # Not what the new one measured before, nor the old one afterwards.
        assert shown == [10, 20]
        assert "a1a1a1a1 continues as b1b1b1b1" in page(told)


def test_single_values_of_aggregates_are_not_shown(city: City, sink: Sink) -> None:
    secret = Channel("meter/energy", "kW.h", -1, privacy=Privacy.AGGREGATE)
    node = Fielded("a1b2c3d4e5f6", groups={7: (secret,)})
    take(city, node.birth(), node.batch((0, 1_000), ((777_777, 777_778),)))
    text = page(story(sink, node))
    assert "meter/energy" in text
    assert "nobody&#x27;s to see" in text
    assert "77777" not in text.replace(",", "").replace(".", "")


def test_readings_without_a_certain_time_are_counted(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    take(city, node.birth(), node.batch((0, 1_000), ((1, 1), (1, 1)), anchored=False))
    told = story(sink, node)
    assert (told.untimed, told.series) == (4, [])
    assert "4 readings without a certain time are in no plot" in page(told)


def test_what_a_node_says_of_itself_is_text_and_nothing_else(city: City, sink: Sink) -> None:
    node = Fielded("a1b2c3d4e5f6")
    evil = "<script>alert(1)</script>"
    take(city, node.birth(), node.about(evil), node.batch((0,), ((1,), (1,))))
    text = page(story(sink, node))
    assert "<script" not in text
    assert "&lt;script&gt;" in text


def test_a_month_of_twenty_channels_is_less_than_two_megabytes(tmp_path: Path) -> None:
    channels = tuple(Channel(f"air/quantity_{i}", "ug/m3", -1) for i in range(20))
    node = Fielded("a1b2c3d4e5f6", groups={7: channels})
    messages = [node.birth()]
    for day in range(30):
        times = tuple(day * DAY + i * HOUR // 2 for i in range(48))
        columns = [[(i * 7_919 + c * 104_729) % 10_000 for i in times] for c in range(20)]
        messages.append(node.batch(times, columns))
    with Sink.open(tmp_path / "city.db") as sink:
        sink.db.execute("PRAGMA synchronous = OFF")
        take(City(sink, CityOptions()), *messages)
        text = page(story(sink, node, Window(T0, T0 + 30 * DAY, UTC)))
    assert text.count('class="data"') == 22
    assert 200_000 < len(text.encode()) < 2_000_000


def test_the_verb_writes_the_page_or_says_what_to_do(tmp_path: Path, capsys: Capture) -> None:
    node = Fielded("a1b2c3d4e5f6")
    db, out = str(tmp_path / "city.db"), tmp_path / "page.html"
    with Sink.open(tmp_path / "city.db") as sink:
        take(City(sink, CityOptions()), node.birth(), node.batch((0,), ((1,), (1,))))
    words = ["cityos", "report", "a1b2c3d4e5f6", "--db", db, "--out", str(out)]
    assert main([*words, "--zone", "Asia/Seoul", "--last", "1d"]) == 0
    said = capsys.readouterr().out
    assert "2026-11-17 20:06:42 to 2026-11-18 20:06:42, KST (UTC+09:00)" in said
    assert out.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [path.name for path in tmp_path.glob("*page*")] == ["page.html"]
    for more, code, why in (
        (["--from", "2026-12-01", "--to", "2026-11-01"], 1, "--from is not before --to"),
        (["--from", "yesterday"], 2, "is no time"),
        (["--from", "2026-11-01", "--last", "1d"], 2, "leave one out"),
        (["--out", str(tmp_path / "no" / "page.html")], 2, "name another --out"),
    ):
        assert main([*words, *more]) == code
        assert why in capsys.readouterr().err
    assert main(["cityos", "report", "c1c1c1c1", "--db", db]) == 1
    assert "was never heard" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main([*words, "--zone", "Middle/Earth"])
    assert "no time zone" in capsys.readouterr().err
