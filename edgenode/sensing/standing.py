"""Totals that a part keeps by itself, such as the energy of a meter: none of them goes back."""

from __future__ import annotations

from typing import Final

from edgenode.driver import Driver, Identified
from edgenode.reading import Channel, Group, Kind, Quality, Sample, Weighed
from edgenode.sensing.channels import quantity, shows_register
from edgenode.sensing.dial import dial
from edgenode.sensing.identity import Identities
from edgenode.sensing.job import Sink
from edgenode.sensing.register import Register
from edgenode.sensing.rules import ChannelRules, MeterRules, SensorRules

NONE: Final[dict[str, int]] = {}


def _is_kept(channel: Channel) -> bool:
    """Whether a total is durable by itself, not by the counter that it follows from."""
    return channel.kind is Kind.COUNTER and not isinstance(channel, Weighed)


class Standing:
    """The counters of one sensor that go on whatever becomes of us."""

    def __init__(self, group: Group, rules: SensorRules, sink: Sink) -> None:
        self._group, self._rules = group, rules
        self._registers = {
            quantity(channel): Register(index, channel, sink)
            for index, channel in enumerate(group.channels)
            if _is_kept(channel) and quantity(channel) not in rules.derived
        }
        names = {name: register.name for name, register in self._registers.items()}
        self._identities = Identities(names, sink)
        self._places: list[tuple[str, int, Register]] = []
        self._shown: list[int] = []  # whose registers travel too
        self._identified: Identified | None = None

    def opened(self, driver: Driver) -> None:
        """Take note which counters the part keeps, and how fast and far they can go."""
        measured = driver.measures()
        self._identified = driver if isinstance(driver, Identified) else None
        self._places, self._shown = [], []
        for index, channel in enumerate(measured):
            name = channel.name
            if name not in self._registers or name in driver.since_open:
                continue
            rule = self._rules.channels.get(name, ChannelRules()).meter or MeterRules()
            register = self._registers[name]
            from_boot = name in driver.since_boot
            register.opened(channel, dial(channel, measured, rule), from_boot=from_boot)
            self._places.append((name, index, register))
            if shows_register(self._rules, name):
                self._shown.append(index)

    def judged(self, sample: Sample, now_ms: int) -> Sample:
        """Return the sample with totals in place of what the registers show.

        Behind its own values stand the registers that travel too, as they are.
        """
        if not self._places:
            return sample
        values, events = list(sample.values), list(sample.events)
        given = sample.quality or (Quality.OK,) * len(values)
        quality = list(given)
        meters = self._meters()
        for name, index, register in self._places:
            told = register.judged(values[index], given[index], meters.get(name, 0), now_ms)
            values[index], quality[index] = told.value, told.quality
            if told.event:
                events.append(told.event)
        self._identities.keep(now_ms)
        values += [sample.values[index] for index in self._shown]
        quality += [given[index] for index in self._shown]
        fine = all(q is Quality.OK for q in quality)
        return Sample(tuple(values), () if fine else tuple(quality), tuple(events))

    def _meters(self) -> dict[str, int]:
        if self._identified is None:
            return NONE
        return self._identities.of(self._identified.identities(), self._registers)
