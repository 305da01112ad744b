"""The part of a report about what was measured: a plot for each channel, and how good it was."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from edgenode.cityos import wording
from edgenode.cityos.operate import html, plot
from edgenode.cityos.operate.scale import linear, sizes
from edgenode.cityos.operate.series import Bucket, Series
from edgenode.cityos.operate.window import Window
from edgenode.cityos.operate.words import QUALITIES, count, number, share, span

MOST_PLOTS = 80  # of one page; all channels are in the table of qualities
KEY = (("ok", "ok"), ("doubt", "a number to be doubted"), ("none", "no number"))
Marks = Sequence[tuple[int, str]]


def plots(channels: Sequence[Series], window: Window, marks: Marks) -> Iterator[str]:
    """Yield the channels, each with its numbers by the day."""
    if not channels:
        yield html.paragraph("Nothing was measured in this time.")
    for i, one in enumerate(channels[:MOST_PLOTS]):
        yield html.heading(3, f"{one.name}{f' [{one.unit}]' if one.unit else ''}")
        if one.shown:
            yield _plot(f"c{i}", one, window, marks)
        else:
            yield html.paragraph("Single values of this channel are nobody's to see.", "soft")
    if len(channels) > MOST_PLOTS:
        left = len(channels) - MOST_PLOTS
        yield html.paragraph(f"{count(left, 'channel')} more are in the table of qualities.")


def _plot(id_: str, one: Series, window: Window, marks: Marks) -> str:
    points = [
        (window.middle(at), bucket.low, bucket.high)
        for at, bucket in sorted(one.buckets.items())
        if bucket.low is not None and bucket.high is not None
    ]
    days = _days(one, window)
    if not points:
        return html.paragraph("No reading has a number.") + days
    low, high = min(x[1] for x in points), max(x[2] for x in points)
    scale = sizes(high) if one.unit == "B" and low >= 0 else linear(low, high)
    says = f"Between {number(low)} and {number(high)} {one.unit}."
    drawing = plot.Drawing(id_, f"{one.name} over time", says, window, marks)
    strips = [(kind, _strip(one, window, kind)) for kind in ("doubt", "none")]
    flawed = [entry for entry, (_, pieces) in zip(KEY[1:], strips, strict=True) if pieces]
    return html.figure(
        plot.band(drawing, scale, points, strips),
        f"Least and most of each {span(window.step)}.",
        days,
        html.key(flawed),
    )


def _strip(one: Series, window: Window, kind: str) -> list[tuple[int, int]]:
    """Return when readings were doubtful, or had no number; neighbours are one piece."""
    pieces: list[tuple[int, int]] = []
    for at, bucket in sorted(one.buckets.items()):
        if bucket.doubtful and not bucket.none if kind == "doubt" else bucket.none:
            start = window.middle(at) - window.step // 2
            if pieces and pieces[-1][1] == start:
                start = pieces.pop()[0]
            pieces.append((start, window.middle(at) + window.step // 2))
    return pieces


def _days(one: Series, window: Window) -> str:
    days: dict[str, list[Bucket]] = {}
    for at, bucket in sorted(one.buckets.items()):
        days.setdefault(window.day(window.middle(at)), []).append(bucket)
    rows = [
        (
            day,
            number(min((x.low for x in held if x.low is not None), default=None)),
            number(max((x.high for x in held if x.high is not None), default=None)),
            f"{sum(x.count for x in held):,}",
            share(sum(x.ok for x in held), sum(x.count for x in held)),
        )
        for day, held in days.items()
    ]
    return html.table(f"{one.name} by day", ("day", "least", "most", "readings", "ok"), rows)


def quality(channels: Sequence[Series]) -> Iterator[str]:
    """Yield how the readings of each channel share into ok, doubtful and without a number."""
    if not channels:
        yield html.paragraph("Nothing was measured in this time.")
        return
    shares = [(one.name, _three(one)) for one in channels]
    whole = sum(one.count for one in channels)
    fine = sum(three[0] for _, three in shares)
    says = f"{share(fine, whole)} of all readings are ok."
    rows = [
        (one.name, _told(one.qualities), f"{one.count:,}", share(one.qualities[0], one.count))
        for one in channels
    ]
    yield html.figure(
        plot.shares("q", "Quality of each channel", says, shares),
        says,
        html.table("Quality by channel", ("channel", "not ok", "readings", "ok"), rows, left=2),
        html.key(KEY),
    )
    met = {wording.quality(code) for one in channels for code in one.qualities if code}
    yield html.facts((name, QUALITIES.get(name, "")) for name in sorted(met))


def _three(one: Series) -> tuple[int, int, int]:
    held = one.buckets.values()
    return sum(x.ok for x in held), sum(x.doubtful for x in held), sum(x.none for x in held)


def _told(qualities: Counter[int]) -> str:
    flawed = ((wording.quality(code), n) for code, n in qualities.most_common() if code)
    return ", ".join(f"{name} {n:,}" for name, n in flawed) or "-"
