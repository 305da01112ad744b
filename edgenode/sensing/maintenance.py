"""While somebody works on the node: readings say so, and alarms are silent."""

from __future__ import annotations

from dataclasses import replace

from edgenode.reading import Event, Quality, Sample, Total
from edgenode.sensing.job import Sink


class Maintenance:
    """A switch that all bus threads look at; whoever holds it sets `on`."""

    def __init__(self) -> None:
        self.on = False

    def marked(self, sample: Sample) -> Sample:
        """Return the sample with what was ok, and its events, marked while the switch is on."""
        if not self.on:
            return sample
        given = sample.quality or (Quality.OK,) * len(sample.values)
        quality = tuple(_marked(q) for q in given)
        return Sample(sample.values, quality, tuple(self.told(event) for event in sample.events))

    def told(self, event: Event) -> Event:
        """Return the event, marked while the switch is on."""
        return replace(event, quality=_marked(event.quality)) if self.on else event


class MaintainedSink:
    """A Sink that marks the events that pass, whoever of a bus tells them.

    Samples come marked: who keeps them wants to remember them so.
    """

    def __init__(self, sink: Sink, maintenance: Maintenance) -> None:
        self._sink, self._maintenance = sink, maintenance

    @property
    def epoch(self) -> int:
        return self._sink.epoch

    def append(self, gid: int, t_ms: int, sample: Sample) -> None:
        self._sink.append(gid, t_ms, sample)

    def event(self, t_ms: int, gid: int | None, event: Event) -> None:
        self._sink.event(t_ms, gid, self._maintenance.told(event))

    def set_total(self, channel: str, value: int, t_ms: int) -> None:
        self._sink.set_total(channel, value, t_ms)

    def total(self, channel: str) -> Total | None:
        return self._sink.total(channel)


def _marked(quality: Quality) -> Quality:
    return Quality.MAINTENANCE if quality is Quality.OK else quality
