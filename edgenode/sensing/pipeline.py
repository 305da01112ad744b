"""From what a driver read to the sample that is kept: corrected, judged, derived, posted."""

from __future__ import annotations

import math
from dataclasses import replace

from edgenode.clock import Clock
from edgenode.derived import derivable
from edgenode.reading import Event, EventCode, Group, Quality, Sample
from edgenode.sensing.board import Board, Posted
from edgenode.sensing.calibration import correction
from edgenode.sensing.channels import keeps_raw, quantity
from edgenode.sensing.derived import formula
from edgenode.sensing.job import Sink
from edgenode.sensing.judge import Judge, Twin
from edgenode.sensing.leak import Leak
from edgenode.sensing.life import Life
from edgenode.sensing.quality import judged, limits
from edgenode.sensing.rules import ChannelRules, SensorRules
from edgenode.sensing.totals import ResetReason

POSTED = frozenset({Quality.OK, Quality.DISAGREES})  # two that disagree must see each other


class Pipeline:
    """The rules of one sensor at work. `docs/sensing.md` has their order and why it is so.

    The channels of `group` are those of `channels_of`. Raises KeyError for a quantity that
    cannot be derived from them.
    """

    def __init__(
        self,
        group: Group,
        rules: SensorRules,
        every_ms: int,
        sink: Sink,
        board: Board,
        clock: Clock | None = None,
    ) -> None:
        names = [quantity(channel) for channel in group.channels]
        raws = sum(keeps_raw(rules, name) for name in names)
        own = len(names) - raws - len(rules.derived)
        self._limits = limits(group.channels[:own])
        self._raws = [n for n in range(own) if keeps_raw(rules, names[n])]
        self._corrections = [
            (n, correction(rule.calibration))
            for n, name in enumerate(names[:own])
            if (rule := rules.channels.get(name)) and rule.calibration
        ]
        judges = {
            n: Judge(channel, rules.channels[name], every_ms, board)
            for n, (name, channel) in enumerate(zip(names, group.channels, strict=True))
            if rules.channels.get(name, ChannelRules()) != ChannelRules()
        }
        self._judges = [(n, judge) for n, judge in judges.items() if n < own]
        known = derivable([replace(c, name=quantity(c)) for c in group.channels[:own]])
        self._derived = [
            (
                formula(known[name], n, group, sink, every_ms, board, rules.sources),
                judges.get(n),
            )
            for n, name in enumerate(rules.derived, own + raws)
        ]
        self.twins: dict[int, Twin] = {n: j.twin for n, j in judges.items() if j.twin}
        self.leaks: dict[int, Leak] = {
            n: Leak(n, group.channels[n], rule.leak, every_ms, sink)
            for n, name in enumerate(names[:own])
            if (rule := rules.channels.get(name)) and rule.leak
        }
        self.life = Life(rules.life, group, sink, clock) if rules.life and clock else None
        self._plain = not (judges or self._derived or self.life)
        self._names = [channel.name for channel in group.channels]
        self._every_ms, self._board = every_ms, board
        self._wanted: frozenset[str] = frozenset()
        self._shown: list[int] = []  # which channels others are compared with

    def opened(self) -> None:
        """Tell what remembers that the sensor was not watched."""
        for derived, _ in self._derived:
            derived.opened()
        for leak in self.leaks.values():
            leak.opened()

    def passed(self, sample: Sample, now_ms: int, *, settling: bool) -> Sample:
        """Return the sample that is kept, one value for each channel of the group.

        Raises ValueError when the driver did not give one value for each of its own.
        """
        kept = judged(sample, self._limits, settling=settling)
        if not self._plain:
            kept = self._ruled(kept, now_ms)
        if self._board.wanted:
            self._post(kept, now_ms)
        return kept

    def _ruled(self, sample: Sample, now_ms: int) -> Sample:
        values = [*sample.values, *(sample.values[n] for n in self._raws)]
        given = sample.quality or (Quality.OK,) * len(sample.values)
        quality = [*given, *(given[n] for n in self._raws)]
        self._correct(values, quality)
        for n, judge in self._judges:
            value = values[n]
            if value is not None:
                quality[n] = judge.quality(value, quality[n], now_ms)
        self._break(sample.events)
        events = sample.events + self._watch(values, quality, now_ms)
        events += self._derive(values, quality, now_ms)
        fine = all(q is Quality.OK for q in quality)
        return Sample(tuple(values), () if fine else tuple(quality), events)

    def _correct(self, values: list[float | None], quality: list[Quality]) -> None:
        for n, corrected in self._corrections:
            value = values[n]
            if value is None:
                continue
            value = corrected(value)
            if math.isfinite(value):
                values[n] = value
            else:
                values[n], quality[n] = None, Quality.FAULT

    def _break(self, events: tuple[Event, ...]) -> None:
        """Tell what is made from totals which of them do not go on."""
        for event in events:
            if event.code == EventCode.COUNTER_RESET and not _rolled_over(event):
                for derived, _ in self._derived:
                    derived.broken(event.channel)

    def _watch(
        self, values: list[float | None], quality: list[Quality], now_ms: int
    ) -> tuple[Event, ...]:
        """Look for leaks and for the end of the part's life."""
        events: tuple[Event, ...] = ()
        for n, leak in self.leaks.items():
            events += leak.look(values[n], quality[n], now_ms)
        if self.life:
            events += self.life.look(values, now_ms)
            self.life.mark(quality)
        return events

    def _derive(
        self, values: list[float | None], quality: list[Quality], now_ms: int
    ) -> tuple[Event, ...]:
        events: tuple[Event, ...] = ()
        for derived, judge in self._derived:
            value, how, told = derived.derive(values, quality, now_ms)
            if judge and value is not None:
                how = judge.quality(value, how, now_ms)
            values.append(value)
            quality.append(how)
            events += told
        return events

    def _post(self, sample: Sample, now_ms: int) -> None:
        if self._wanted is not self._board.wanted:
            self._wanted = self._board.wanted
            self._shown = [n for n, name in enumerate(self._names) if name in self._wanted]
        for n in self._shown:
            value = sample.values[n]
            if value is not None and (not sample.quality or sample.quality[n] in POSTED):
                self._board.post(self._names[n], Posted(value, now_ms, self._every_ms))


def _rolled_over(event: Event) -> bool:
    value = event.value
    return isinstance(value, tuple) and value[3:] == (ResetReason.ROLLED_OVER,)
