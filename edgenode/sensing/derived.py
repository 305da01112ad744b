"""Quantities that are computed: where their sources come from, and what they remember."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from edgenode.derived import Derived
from edgenode.reading import Event, EventCode, Group, Quality, Total, Weighed
from edgenode.sensing.air import MOMENTARY, Found
from edgenode.sensing.board import Board
from edgenode.sensing.channels import quantity
from edgenode.sensing.job import Sink
from edgenode.sensing.quality import worst
from edgenode.sensing.totals import UNKNOWN_MS, ResetReason, unwatched_ms

HOUR_MS: Final = 3_600_000
GAP_PERIODS: Final = 3  # over a longer gap nobody knows what the power was


class Cell(NamedTuple):
    """A derived value, how good it is, and what is to be told."""

    value: float | None
    quality: Quality
    events: tuple[Event, ...] = ()


Source = Callable[[Sequence[float | None], Sequence[Quality], int], Found]


class Formula(Protocol):
    """Computes one quantity from each sample of its sensor."""

    def opened(self) -> None:
        """Take note that the sensor was opened: nobody watched it before."""
        ...

    def broken(self, place: int) -> None:
        """Take note that the total at this place of the sample does not go on from the last."""
        ...

    def derive(
        self, values: Sequence[float | None], quality: Sequence[Quality], now_ms: int
    ) -> Cell:
        """Return the quantity at boot-time `now_ms`; None where a source has no number."""
        ...


def own(place: int) -> Source:
    """Return the source that is a channel of the same sensor."""

    def found(values: Sequence[float | None], quality: Sequence[Quality], now_ms: int) -> Found:
        del now_ms
        return values[place], quality[place]

    return found


def lent(name: str, board: Board) -> Source:
    """Return the source that is the newest good value of another sensor's channel.

    MISSING where it is older than two periods of that sensor.
    """
    board.want(name)

    def found(values: Sequence[float | None], quality: Sequence[Quality], now_ms: int) -> Found:
        del values, quality
        posted = board.fresh(name, now_ms)
        return (posted.value, Quality.OK) if posted else (None, Quality.MISSING)

    return found


class Momentary:
    """A formula of values at one moment; as good as the worst of them."""

    def __init__(self, of: Callable[..., Found], sources: Sequence[Source]) -> None:
        self._of, self._sources = of, sources

    def opened(self) -> None:
        """Nothing is remembered."""

    def broken(self, place: int) -> None:
        """Nothing is summed up."""

    def derive(
        self, values: Sequence[float | None], quality: Sequence[Quality], now_ms: int
    ) -> Cell:
        found = [source(values, quality, now_ms) for source in self._sources]
        told = worst(how for _, how in found)
        numbers = [value for value, _ in found if value is not None]
        if len(numbers) < len(found):
            return Cell(None, told)
        value, how = self._of(*numbers)
        return Cell(value, worst((told, how)))


class Flow:
    """The rate of a total: `each` times its units an hour, over the time since the sample before.

    Reads closer than half a period are joined to the next interval: until then the flow before
    stands. Over more than three periods it is estimated, as it is where the counter was not
    `watched` all the time. Where the total does not go on there is none.
    """

    def __init__(
        self, count: int, every_ms: int, *, each: float = 1.0, watched: bool = False
    ) -> None:
        self._count, self._every_ms, self._each, self._watched = count, every_ms, each, watched
        self._before: tuple[float, int] | None = None
        self._interrupted = False
        self._flow = Cell(None, Quality.SETTLING)

    def opened(self) -> None:
        """Remember that what passed in between was not counted, unless the part counts."""
        self._interrupted = not self._watched

    def broken(self, place: int) -> None:
        """Begin anew with the next total, if it is ours."""
        if place == self._count:
            self._before, self._flow = None, Cell(None, Quality.MISSING)

    def derive(
        self, values: Sequence[float | None], quality: Sequence[Quality], now_ms: int
    ) -> Cell:
        count, source = values[self._count], quality[self._count]
        if count is None:
            return Cell(None, source)
        if self._before is None:  # one count is no flow
            self._before, self._interrupted = (count, now_ms), False
        elif 2 * (now_ms - self._before[1]) >= self._every_ms:
            self._flow = self._since(*self._before, count, now_ms)
            self._before, self._interrupted = (count, now_ms), False
        return Cell(self._flow.value, worst((source, self._flow.quality)))

    def _since(self, before: float, then_ms: int, count: float, now_ms: int) -> Cell:
        past_ms = now_ms - then_ms
        if count < before:
            return Cell(None, Quality.FAULT)
        unsure = self._interrupted or past_ms > GAP_PERIODS * self._every_ms
        rate = (count - before) * self._each * HOUR_MS / past_ms
        return Cell(rate, Quality.ESTIMATED if unsure else Quality.OK)


class Energy:
    """Watts by the trapezoidal rule into a durable total, as a meter without a display would.

    Only numbers that are ok count. What is fed back (negative power) counts nothing. Where they
    are more than three periods apart, and over a restart, nothing is added: counter-reset tells
    for how long, and the next value is marked as estimated.
    """

    def __init__(self, power: int, index: int, group: Group, sink: Sink, every_ms: int) -> None:
        self._power, self._index, self._group, self._sink = power, index, group, sink
        channel = group.channels[index]
        self._name, self._per_wh = channel.name, 10.0**-channel.scale
        self._gap_ms = GAP_PERIODS * every_ms
        self._total: int | None = None  # in steps of the channel's resolution
        self._rest = 0.0  # of a step
        self._before: tuple[float, int] | None = None
        self._unsure = False

    def opened(self) -> None:
        """Whether the gap was short enough is seen at the next sample."""

    def broken(self, place: int) -> None:
        """Power does not go on from anything."""

    def derive(
        self, values: Sequence[float | None], quality: Sequence[Quality], now_ms: int
    ) -> Cell:
        power, source = values[self._power], quality[self._power]
        events = self._resumed(now_ms) if self._total is None else ()
        if power is not None and source is Quality.OK:
            events += self._add(max(power, 0.0), now_ms)
        if power is None:
            return Cell(None, source, events)
        if self._unsure and source is Quality.OK:
            source, self._unsure = Quality.ESTIMATED, False
        return Cell((self._total or 0) / self._per_wh, source, events)

    def _add(self, power: float, now_ms: int) -> tuple[Event, ...]:
        before, self._before = self._before, (power, now_ms)
        if before is None:
            return ()
        past_ms = now_ms - before[1]
        if past_ms > self._gap_ms:
            self._unsure = True
            return self._reset(past_ms, ResetReason.REOPENED)
        self._rest += (before[0] + power) / 2 * past_ms / HOUR_MS * self._per_wh
        steps = int(self._rest)
        self._rest -= steps
        self._total = (self._total or 0) + steps
        self._sink.set_total(self._name, self._total, now_ms)
        return ()

    def _resumed(self, now_ms: int) -> tuple[Event, ...]:
        known = self._sink.total(self._name)
        self._total = known.value if known else 0
        self._sink.set_total(self._name, self._total, now_ms)
        if known is None:
            return ()
        self._unsure = True
        return self._reset(*self._gap(known, now_ms))

    def _gap(self, known: Total, now_ms: int) -> tuple[int, ResetReason]:
        gap_ms = unwatched_ms(known, self._sink, now_ms)
        return gap_ms, ResetReason.REBOOT if gap_ms == UNKNOWN_MS else ResetReason.RESTART

    def _reset(self, gap_ms: int, reason: ResetReason) -> tuple[Event, ...]:
        total = self._total or 0
        value = (total, total, gap_ms, int(reason))
        return (Event(EventCode.COUNTER_RESET, self._index, value),)


def formula(
    derived: Derived,
    index: int,
    group: Group,
    sink: Sink,
    every_ms: int,
    board: Board,
    lenders: Mapping[str, str],
) -> Formula:
    """Return what computes the channel at `index` of the group.

    `lenders` names the channel of another sensor for each source that is not of this one. Raises
    KeyError for a quantity whose sources the group lacks.
    """
    places = {quantity(channel): n for n, channel in enumerate(group.channels)}
    name, sources = derived.channel.name, derived.sources
    if name in MOMENTARY:
        made = [lent(lenders[s], board) if s in lenders else own(places[s]) for s in sources]
        return Momentary(MOMENTARY[name], made)
    (source,) = (places[s] for s in sources)
    if derived.each:
        here = name == "flow" or isinstance(group.channels[source], Weighed)
        return Flow(source, every_ms, each=derived.each, watched=not here)
    return Energy(source, index, group, sink, every_ms)
