"""The part of a report about how it came: what is missing, how late, how well timed, how much."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgenode.cityos import wording
from edgenode.cityos.operate import html, plot
from edgenode.cityos.operate import scale as scales
from edgenode.cityos.operate.flow import Flow, Spread
from edgenode.cityos.operate.gaps import HELD, MOST, UNEXPLAINED, Gap
from edgenode.cityos.operate.window import Window
from edgenode.cityos.operate.words import CLOCKS, GAPS, STREAMS, count, share, size, span

SHOWN = 60  # gaps in the table, the largest
KEY = (("doubt", "lost"), ("held", "still at the node"), ("none", "unexplained"))
Marks = Sequence[tuple[int, str]]


def missing(gaps: Sequence[Gap], window: Window) -> Iterator[str]:
    """Yield the gaps by their reasons."""
    if not gaps:
        yield html.paragraph("Nothing is missing.")
        return
    reasons = sorted({gap.reason for gap in gaps})
    lanes = [
        (reason, {HELD: "held", UNEXPLAINED: "none"}.get(reason, "doubt"),
         [_piece(gap, window) for gap in gaps if gap.reason == reason])
        for reason in reasons
    ]  # fmt: skip
    total = count(sum(gap.readings for gap in gaps), "reading")
    says = f"{total} are missing in {count(len(gaps), 'gap')}."
    yield html.figure(
        plot.lanes(plot.Drawing("g", "Gaps by reason", says, window), lanes),
        f"{says} Each piece reaches from the reading before to the one behind.",
        _listed(gaps, window),
        html.key(KEY),
    )
    if len(gaps) >= MOST:
        yield html.paragraph(f"Only the {MOST} largest are shown.")
    yield html.facts((reason, GAPS.get(reason, "")) for reason in reasons)


def _piece(gap: Gap, window: Window) -> tuple[int, int]:
    """Return from when to when; what is not known reaches to the edge."""
    start = window.start if gap.start is None else gap.start
    return start, max(start, window.end if gap.end is None else gap.end)


def _listed(gaps: Sequence[Gap], window: Window) -> str:
    large = sorted(gaps, key=lambda gap: -gap.readings)[:SHOWN]
    rows = [
        (window.say(gap.start), window.say(gap.end), gap.reason, _stream(gap.stream),
         gap.node.hex(), f"{gap.readings:,}")
        for gap in gaps if gap in large
    ]  # fmt: skip
    name = "Gaps" if len(rows) == len(gaps) else f"The {len(rows)} largest gaps"
    return html.table(name, ("from", "to", "reason", "of", "node", "readings"), rows, left=5)


def _stream(stream: int) -> str:
    return STREAMS[stream] if stream < len(STREAMS) else f"stream {stream}"


def latency(flow: Flow, window: Window, marks: Marks) -> Iterator[str]:
    """Yield how long after its last reading each batch arrived."""
    if not flow.latency:
        yield html.paragraph("No batch with a certain time arrived.")
        return
    medians = sorted(spread.median for spread in flow.latency.values())
    most = max(spread.most for spread in flow.latency.values())
    says = f"Usually {span(medians[len(medians) // 2])}, {span(most)} at most."
    yield _spreads("l", "Latency", says, flow.latency, window, marks,
                   "Arrival minus the time of a batch's last reading, least to most.")  # fmt: skip


def clock(flow: Flow, window: Window, marks: Marks) -> Iterator[str]:
    """Yield by how much times may be wrong, and who vouches for them."""
    if flow.errors:
        most = max(spread.most for spread in flow.errors.values())
        says = f"Times are wrong by {span(most)} at most."
        yield _spreads("e", "Error of the clock", says, flow.errors, window, marks,
                       "The stated bound of the error of a batch's last reading.")  # fmt: skip
    rows = [
        (wording.clock(code), CLOCKS.get(wording.clock(code), ""), f"{n:,}", share(n, flow.batches))
        for code, n in flow.clocks.most_common()
    ]
    head = ("clock", "that is", "batches", "share")
    yield html.table("Who vouches for the time", head, rows, left=2)


def _spreads(
    id_: str, title: str, says: str, found: dict[int, Spread], window: Window, marks: Marks,
    caption: str,
) -> str:  # fmt: skip
    points = [(window.middle(at), max(1, x.least), max(1, x.most)) for at, x in found.items()]
    scale = scales.spans(max(point[2] for point in points))
    drawing = plot.Drawing(id_, f"{title} over time", says, window, marks)
    days: dict[str, list[Spread]] = {}
    for at, spread in found.items():
        days.setdefault(window.day(window.middle(at)), []).append(spread)
    rows = [
        (day, span(min(x.least for x in held)),
         span(sorted(x.median for x in held)[(len(held) - 1) // 2]),
         span(max(x.most for x in held)))
        for day, held in days.items()
    ]  # fmt: skip
    table = html.table(f"{title} by day", ("day", "least", "usually", "most"), rows)
    return html.figure(plot.band(drawing, scale, points, ()), f"{says} {caption}", table)


def sizes(flow: Flow, window: Window) -> Iterator[str]:
    """Yield the bytes of the batches of each day, by arrival, without those of the transport."""
    if not flow.bytes:
        yield html.paragraph("No batch arrived.")
        return
    values = [
        (max(start, window.start), min(end, window.end), float(flow.bytes[window.day(start)]))
        for start, end in window.days()
    ]
    says = f"{size(flow.bytes.total())} in all, {size(max(flow.bytes.values()))} a day at most."
    drawing = plot.Drawing("b", "Bytes a day", says, window)
    rows = [(day, size(flow.bytes[day])) for day in sorted(flow.bytes)]
    yield html.figure(
        plot.bars(drawing, scales.sizes(max(flow.bytes.values())), values),
        f"{says} Of the batches alone, without MQTT and TLS.",
        html.table("Bytes by day", ("day", "bytes"), rows),
    )
