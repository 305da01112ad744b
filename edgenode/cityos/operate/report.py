"""One place as one page: what it measured, how well, what is missing and why, how it came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from edgenode.cityos.operate import channels, html, transport
from edgenode.cityos.operate.continuity import Continuity, Succession
from edgenode.cityos.operate.flow import Flow, flow
from edgenode.cityos.operate.gaps import Gap, gaps
from edgenode.cityos.operate.nodes import Standing, fleet
from edgenode.cityos.operate.series import Series, series, untimed
from edgenode.cityos.operate.troubles import Trouble, troubles
from edgenode.cityos.operate.window import Window
from edgenode.cityos.operate.words import STATES, count, span
from edgenode.cityos.sink import Sink
from edgenode.errors import CityError

SECTIONS = (
    ("short", "In short"), ("channels", "What was measured"), ("quality", "Quality"),
    ("gaps", "What is missing"), ("latency", "How late it came"), ("clock", "How well it is timed"),
    ("bytes", "Bytes a day"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Story:
    """All that a page tells."""

    standing: Standing
    troubles: list[Trouble]
    window: Window
    made: int  # POSIX ms
    nodes: list[bytes]  # whose readings are of this place, the node itself first
    successions: list[Succession]  # among them
    series: list[Series]
    untimed: int
    gaps: list[Gap]
    flow: Flow

    @property
    def title(self) -> str:
        """What the page is called."""
        node = self.standing.node.hex()
        return f"{self.standing.name} ({node})" if self.standing.name else f"Node {node}"

    @property
    def marks(self) -> list[tuple[int, str]]:
        """Moments that every plot marks."""
        return [(one.since, f"{one.old} continues as {one.new}") for one in self.successions]


def last_heard(sink: Sink, node: bytes) -> int:
    """Return POSIX ms of the last sign of life at the place; raises CityError without any."""
    nodes = Continuity.of(sink).neighbours(node)
    last = max(sink.presence(one).last_seen for one in nodes)
    if not last:
        raise CityError(f"{node.hex()} was never heard; `edgenode cityos nodes` lists what was")
    return last


def gather(sink: Sink, node: bytes, window: Window, now: int, silence_ms: int) -> Story:
    """Ask the sink for all that the page tells; `now` is POSIX ms."""
    continuity = Continuity.of(sink)
    nodes = continuity.neighbours(node)
    [standing] = fleet(sink, now, [node])
    return Story(
        standing=standing,
        troubles=troubles(standing, now, silence_ms),
        window=window,
        made=now,
        nodes=nodes,
        successions=[one for one in continuity.records if one.new.node in nodes],
        series=series(sink, continuity, node, window),
        untimed=untimed(sink, nodes, window),
        gaps=gaps(sink, nodes, window),
        flow=flow(sink, nodes, window),
    )


def page(story: Story) -> str:
    """Return the page: one file, which loads nothing and runs nothing."""
    bodies: dict[str, Any] = {
        "short": _short(story),
        "channels": channels.plots(story.series, story.window, story.marks),
        "quality": channels.quality(story.series),
        "gaps": transport.missing(story.gaps, story.window),
        "latency": transport.latency(story.flow, story.window, story.marks),
        "clock": transport.clock(story.flow, story.window, story.marks),
        "bytes": transport.sizes(story.flow, story.window),
    }
    window = story.window
    body = [
        html.heading(1, story.title),
        html.paragraph(
            f"{window.say(window.start)} to {window.say(window.end)}, {window.zone_name};"
            f" made {window.say(story.made)}",
            "soft",
        ),
    ]
    for anchor, name in SECTIONS:
        body += [html.heading(2, name, anchor), *bodies[anchor]]
    return html.document(f"{story.title}: report", body)


def _short(story: Story) -> list[str]:
    one, window = story.standing, story.window
    readings = sum(x.count for x in story.series)
    good = sum(bucket.ok for x in story.series for bucket in x.buckets.values())
    missing = sum(gap.readings for gap in story.gaps)
    measured = f"{count(readings, 'reading')} of {count(len(story.series), 'channel')}"
    told = [
        ("State", f"{STATES[one.presence]}, last heard {window.say(one.last_seen)}"),
        ("Readings", f"{measured}, {readings - good:,} of them not ok"),
        ("Missing", count(missing, "reading") if missing else "nothing"),
        ("Batches", f"{story.flow.batches:,} arrived, {one.backlog:,} are still at the node"),
    ]
    if one.wear.card_life_used is not None:
        told.append(("Card", f"{one.wear.card_life_used:.0f} % of its life is used"))
    if one.wear.certificate_left is not None:
        left = one.wear.certificate_left
        told.append(("Certificate", span(left * 1000) if left > 0 else "has ended"))
    parts = [_wrong(story), html.facts(told)]
    if story.untimed:
        parts.append(html.paragraph(
            f"{count(story.untimed, 'reading')} without a certain time are in no plot."
        ))  # fmt: skip
    if story.successions:
        parts.append(html.bullets(
            (f"{x.old} continues as {x.new} since {window.say(x.since)}", "")
            for x in story.successions
        ))  # fmt: skip
    return parts


def _wrong(story: Story) -> str:
    if not any(x.weight for x in story.troubles):
        return html.paragraph("Nothing is wrong.")
    return html.bullets(
        (f"{x.what}{'' if x.since is None else ', since ' + story.window.say(x.since)}", "bad")
        for x in story.troubles
        if x.weight
    )
