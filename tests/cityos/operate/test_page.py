"""The report as a browser shows and prints it: a real one, once."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from pathlib import Path

import pypdf
import pytest

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.sink import Sink
from edgenode.cli import main
from edgenode.reading import Channel, EventCode, Kind
from edgenode.wire import Flag, Loss, LossReason, WireEvent
from tests.support.chromium import Chromium
from tests.support.operated import GROUPS, Fielded, take

HOUR = 3_600_000
PLOTS = """[...document.querySelectorAll('svg')].map(svg => {
  const box = svg.getBoundingClientRect();
  const drawn = [...svg.querySelectorAll('.data path, .bar, .ok, .doubt, .none, .held')]
    .map(shape => shape.getBBox()).map(shape => shape.width + shape.height);
  return [svg.querySelector('title').textContent, box.width, box.height, Math.max(0, ...drawn)];
})"""
COLOURS = """['body', '.soft', '.bad', 'figcaption'].map(name => [
  getComputedStyle(document.querySelector(name)).color,
  getComputedStyle(document.body).backgroundColor])"""


def told(db: Path) -> None:
    """Store two days of a place where much happened."""
    name = "air/volatile_organic_compounds_of_the_whole_building"
    groups = {**GROUPS, 7: (*GROUPS[7], Channel(name, "1", 3, kind=Kind.COUNTER))}
    node = Fielded("a1b2c3d4e5f6", groups=groups)
    messages = [node.birth(), node.about("Harbour <b>gate</b>")]
    losses: list[Loss] = []
    for hour in range(48):
        times = range(hour * HOUR, (hour + 1) * HOUR, 300_000)
        if hour == 10:
            first, seq = node.lose(36)
            losses = [
                Loss(0, first, 24, LossReason.DISK_FULL, seq, 1),
                Loss(0, first + 24, 12, LossReason.RING_OVERFLOW, 0, 0),
            ]
            continue
        if hour == 20:
            node.lose(36)
            continue
        columns = [
            [2_000 + hour * 10 + i for i in range(12)],
            [500 - i for i in range(12)],
            [9_876_000_000 + hour * 100_000 + i for i in range(12)],
        ]
        flags = [Flag(0, 0, 6, 4), Flag(1, 0, 12, 2)] if hour == 30 else []
        messages.append(
            node.batch(tuple(times), columns, flags=flags, losses=losses, late=1_000 * (hour + 1))
        )
        losses = []
    messages.append(node.health(47 * HOUR, 9, 900, 20))
    messages.append(node.tell(WireEvent(47 * HOUR, 7 * 256 + 255, EventCode.SENSOR_LOST, 1)))
    with Sink.open(db) as sink:
        take(City(sink, CityOptions()), *messages)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report")
    told(folder / "city.db")
    out = folder / "report.html"
    words = ["cityos", "report", "a1b2c3d4e5f6", "--db", str(folder / "city.db"), "--out", str(out)]
    assert main(words) == 0
    return out


@pytest.fixture(scope="module")
def browser(report: Path) -> Iterator[Chromium]:
    with Chromium() as browser:
        browser.shape(1_000)
        browser.open(report)
        yield browser


def test_every_plot_is_drawn_and_has_a_size(browser: Chromium) -> None:
    plots = {name: (width, height, drawn) for name, width, height, drawn in browser.evaluate(PLOTS)}
    assert {
        "air/temperature over time", "air/humidity over time", "Quality of each channel",
        "Gaps by reason", "Latency over time", "Error of the clock over time", "Bytes a day",
    } <= set(plots)  # fmt: skip
    for name, (width, height, drawn) in plots.items():
        assert width > 500, name
        assert height > 40, name
        assert drawn > 0, name


def test_no_word_of_a_plot_is_cut_off(browser: Chromium) -> None:
    outside = browser.evaluate("""[...document.querySelectorAll('svg text')].filter(text => {
      const box = text.getBBox(), whole = text.ownerSVGElement.viewBox.baseVal;
      return box.x < 0 || box.x + box.width > whole.width || box.y + box.height > whole.height;
    }).map(text => text.textContent)""")
    assert outside == []


def test_nothing_is_loaded_and_the_console_stays_empty(browser: Chromium, report: Path) -> None:
    assert browser.said == []
    assert [url for url in browser.loaded if not url.startswith("data:")] == [report.as_uri()]


def test_a_narrow_page_scrolls_in_one_direction_only(browser: Chromium) -> None:
    browser.shape(380)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 380
    browser.shape(1_000)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_light_and_dark(browser: Chromium, scheme: str) -> None:
    browser.shape(1_000, scheme=scheme)
    for ink, paper in browser.evaluate(COLOURS):
        assert contrast(ink, paper) >= 4.5, (ink, paper)  # WCAG 2.2, 1.4.3
    dark = luminance(browser.evaluate(COLOURS)[0][1]) < 0.5
    assert dark is (scheme == "dark")


def test_every_plot_has_a_title_a_description_a_caption_and_its_numbers(browser: Chromium) -> None:
    bare = browser.evaluate("""[...document.querySelectorAll('figure')].filter(figure => {
      const svg = figure.querySelector('svg');
      const named = svg.getAttribute('aria-labelledby').split(' ')
        .every(id => document.getElementById(id).textContent);
      return !(named && svg.getAttribute('role') === 'img'
        && figure.querySelector('figcaption').textContent && figure.querySelector('td'));
    }).length""")
    assert bare == 0
    ids = browser.evaluate("[...document.querySelectorAll('[id]')].map(one => one.id)")
    assert len(ids) == len(set(ids))


def test_it_prints_with_the_numbers_of_every_plot(browser: Chromium) -> None:
    printed = pypdf.PdfReader(io.BytesIO(browser.pdf()))
    text = "\n".join(page.extract_text() for page in printed.pages)
    assert 2 <= len(printed.pages) <= 20
    assert "Harbour <b>gate</b> (a1b2c3d4e5f6)" in text
    for words in ("What is missing", "disk-full", "evicted", "Bytes by day"):
        assert words in text, words


def luminance(colour: str) -> float:
    """Return the relative luminance of rgb(…): WCAG 2.2."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)
