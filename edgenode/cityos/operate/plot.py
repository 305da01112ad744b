"""Plots as inline SVG. Colours are classes, which the style of the page knows, light and dark."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from edgenode.cityos.operate.scale import Scale
from edgenode.cityos.operate.window import Window

WIDTH, LEFT, RIGHT = 720, 72, 8
TOP, PLOT, FOOT = 8, 132, 26  # heights: above, of the plot, of the labels of the time
LANE, TALL = 20, 34  # heights of a lane with its label before it, or above it
NAMES = 200  # width of the labels before lanes
LETTER = 7  # width of a letter, at most of most
STRIP = 4  # height of the strip of qualities below a plot
FAR = 2  # buckets further apart than so many times the usual are not joined

Points = Sequence[tuple[int, float, float]]  # POSIX ms, least, most
Pieces = Sequence[tuple[int, int]]  # POSIX ms from, to


class Drawing(NamedTuple):
    """What every plot has; `id` is unique in its page."""

    id: str
    title: str
    says: str  # for who cannot see it
    window: Window
    marks: Sequence[tuple[int, str]] = ()  # moments, and what happened


def band(of: Drawing, scale: Scale, points: Points, strips: Sequence[tuple[str, Pieces]]) -> str:
    """Draw what lies between least and most; below it strips, each with its class."""
    y = _vertical(scale)
    runs = _runs(points, of.window.step)
    shapes = "".join(_shape([(_x(of.window, t), y(high), y(low)) for t, low, high in run])
                     for run in runs)  # fmt: skip
    strip = "".join(
        f'<path class="{kind}" d="{_boxes(of.window, pieces, TOP + PLOT - STRIP, STRIP)}"/>'
        for kind, pieces in strips if pieces
    )  # fmt: skip
    body = f'{_grid(scale)}<g class="data">{shapes}</g>{strip}'
    return _svg(of, body, TOP + PLOT)


def bars(of: Drawing, scale: Scale, values: Sequence[tuple[int, int, float]]) -> str:
    """Draw a bar for each (from, to, value), the times POSIX ms."""
    y = _vertical(scale)
    path = ""
    for start, end, value in values:
        left, right = _x(of.window, start) + 1, _x(of.window, end) - 1
        if value > 0:
            path += (
                f"M{left:.1f} {TOP + PLOT}V{y(value):.1f}H{max(right, left + 1):.1f}V{TOP + PLOT}Z"
            )
    return _svg(of, f'{_grid(scale)}<path class="bar" d="{path}"/>', TOP + PLOT)


def lanes(of: Drawing, rows: Sequence[tuple[str, str, Pieces]]) -> str:
    """Draw a lane for each (label, class, pieces)."""
    body = ""
    for i, (label, kind, pieces) in enumerate(rows):
        top = TOP + i * TALL
        body += (
            f'<text class="label" x="{LEFT + 5}" y="{top + 12}">{escape(label)}</text>'
            f'<path class="grid" d="M{LEFT} {top + TALL}H{WIDTH - RIGHT}"/>'
            f'<path class="{kind}" d="{_boxes(of.window, pieces, top + 16, TALL - 20)}"/>'
        )
    return _svg(of, body, TOP + len(rows) * TALL)


def shares(id_: str, title: str, says: str, rows: Sequence[tuple[str, Sequence[int]]]) -> str:
    """Draw for each label how its counts of ok, doubtful and none share its whole."""
    left, body = NAMES, ""
    for i, (label, counts) in enumerate(rows):
        at, whole = float(left), sum(counts) or 1
        body += (
            f'<text class="label" x="{left - 6}" y="{TOP + i * LANE + 14}" text-anchor="end">'
            f"{escape(_short(label))}</text>"
        )
        for kind, count in zip(("ok", "doubt", "none"), counts, strict=True):
            wide = (WIDTH - RIGHT - left) * count / whole
            body += (
                f'<rect class="{kind}" x="{at:.1f}" y="{TOP + i * LANE + 3}" width="{wide:.1f}"'
                f' height="{LANE - 6}"/>' if count else ""
            )  # fmt: skip
            at += wide
    return _frame(id_, title, says, body, TOP + len(rows) * LANE + 4)


def _svg(of: Drawing, body: str, bottom: int) -> str:
    ticks = "".join(
        f'<path class="grid" d="M{_x(of.window, t):.1f} {TOP}V{bottom + 4}"/>'
        + _tick(_x(of.window, t), bottom + 17, label)
        for t, label in of.window.ticks()
    )
    marks = "".join(
        f'<path class="mark" d="M{_x(of.window, t):.1f} {TOP}V{bottom}"><title>{escape(what)}'
        "</title></path>"
        for t, what in of.marks if of.window.start <= t < of.window.end
    )  # fmt: skip
    axis = f'<path class="axis" d="M{LEFT} {TOP}V{bottom}H{WIDTH - RIGHT}"/>'
    return _frame(of.id, of.title, of.says, ticks + body + marks + axis, bottom + FOOT)


def _tick(x: float, y: int, label: str) -> str:
    """Return a label in the middle below its tick, or as near as there is room."""
    half = len(label) * LETTER / 2
    middle = min(max(x, half), WIDTH - half)
    return (
        f'<text class="label" x="{middle:.1f}" y="{y}" text-anchor="middle">{escape(label)}</text>'
    )


def _short(label: str) -> str:
    most = int((NAMES - 6) / LETTER)
    return label if len(label) <= most else f"{label[: most - 3]}..."


def _frame(id_: str, title: str, says: str, body: str, height: int) -> str:
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{id_}-t {id_}-d">'
        f'<title id="{id_}-t">{escape(title)}</title><desc id="{id_}-d">{escape(says)}</desc>'
        f"{body}</svg>"
    )


def _grid(scale: Scale) -> str:
    y = _vertical(scale)
    return "".join(
        f'<path class="grid" d="M{LEFT} {y(at):.1f}H{WIDTH - RIGHT}"/><text class="label"'
        f' x="{LEFT - 6}" y="{y(at) + 4:.1f}" text-anchor="end">{escape(label)}</text>'
        for at, label in scale.ticks
    )


def _vertical(scale: Scale) -> Callable[[float], float]:
    return lambda value: TOP + PLOT * (1 - scale.part(value))


def _x(window: Window, utc: int) -> float:
    inside = min(max(utc, window.start), window.end) - window.start
    return LEFT + (WIDTH - LEFT - RIGHT) * inside / (window.end - window.start)


def _runs(points: Points, step: int) -> Iterator[Points]:
    """Yield what is to be joined: where far longer than usual nothing came, there is a gap."""
    apart = sorted(b[0] - a[0] for a, b in pairwise(points))
    reach = FAR * (apart[len(apart) // 2] if apart else step)
    begin = 0
    for i in range(1, len(points) + 1):
        if i == len(points) or points[i][0] - points[i - 1][0] > reach:
            yield points[begin:i]
            begin = i


def _shape(places: Sequence[tuple[float, float, float]]) -> str:
    """Return a filled path along the most and back along the least; one point is a dash."""
    if len(places) == 1:
        x, high, low = places[0]
        places = [(x - 0.5, high, low), (x + 0.5, high, low)]
    there = "L".join(f"{x:.1f} {high:.1f}" for x, high, _ in places)
    back = "L".join(f"{x:.1f} {low:.1f}" for x, _, low in reversed(places))
    return f'<path d="M{there}L{back}Z"/>'


def _boxes(window: Window, pieces: Pieces, top: int, height: int) -> str:
    path = ""
    for start, end in pieces:
        left, right = _x(window, start), _x(window, end)
        path += f"M{left:.1f} {top}H{max(right, left + 1.5):.1f}v{height}H{left:.1f}Z"
    return path
