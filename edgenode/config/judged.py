"""How channels relate: their purposes, their rules, their twins and what is derived from them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from edgenode.config.channels import CalibrationTable, ChannelTable
from edgenode.config.check import Mistake, near
from edgenode.config.draft import Draft, Row
from edgenode.config.lines import Place
from edgenode.config.metering import unfit_leak, unfit_life, unfit_meter
from edgenode.derived import derivable
from edgenode.driver import declared
from edgenode.reading import Channel, Kind, Weighed

MAX_TOTALS = 64  # durable totals that every commit can carry


def unfit_channels(draft: Draft) -> Iterator[Mistake]:
    """Every mistake in how channels relate to their parts and to each other."""
    known = {
        f"{row.table.name}/{name}": channel
        for row in draft.sensors.values()
        for name, channel in channels_of(row).items()
    }
    totals = 0
    for index, row in draft.sensors.items():
        place: Place = ("sensor", index)
        yield from _purposes(place, row)
        yield from _derived(place, row, known, draft)
        yield from unfit_life(place, row)
        for name, rules in row.table.channel.items():
            channel = channels_of(row).get(name)
            there = (*place, "channel", name)
            if channel is None:
                yield Mistake(there, f"{row.driver.model} has no such quantity; {_near(name, row)}")
                continue
            yield from _rules(there, rules, channel, measured=name not in row.table.derived)
            yield from unfit_meter(there, rules, channel, row)
            yield from unfit_leak(there, rules, channel, row)
            yield from _twin(there, rules, f"{row.table.name}/{name}", known, draft)
        before, totals = totals, totals + _counters(row)
        if before <= MAX_TOTALS < totals:
            words = f"more than {MAX_TOTALS} counters, both energies of a meter included"
            yield Mistake(place, f"{words}; put the rest on another node")


def channels_of(row: Row) -> dict[str, Channel]:
    """Return the channels of a sensor by quantity, those derived included."""
    own = {channel.name: channel for channel in declared(row.driver, row.options)}
    can = derivable(tuple(own.values()))
    extra = {name: can[name].channel for name in row.table.derived if name in can}
    return extra | own


def _counters(row: Row) -> int:
    """Return how many totals are kept: of what is counted, here or by the part, and of leaks."""
    channels = channels_of(row).values()
    counters = sum(c.kind is Kind.COUNTER and not isinstance(c, Weighed) for c in channels)
    leaks = sum(rules.leak_after_h is not None for rules in row.table.channel.values())
    return counters + leaks


def _near(name: str, row: Row) -> str:
    return near(name, channels_of(row))


def _purposes(place: Place, row: Row) -> Iterator[Mistake]:
    if row.table.purpose.strip() or row.driver.purpose.strip():
        return
    own = row.table.channel
    names = [n for n in channels_of(row) if n not in own or not own[n].purpose.strip()]
    if names:
        yield Mistake(
            place,
            f'no purpose for {", ".join(names)}: write `purpose = "…"`, why this may be measured',
        )


def _derived(place: Place, row: Row, known: dict[str, Channel], draft: Draft) -> Iterator[Mistake]:
    there = (*place, "derived")
    own = {channel.name: channel for channel in declared(row.driver, row.options)}
    lent, can = row.table.sources, derivable(tuple(own.values()))
    for name in row.table.derived:
        if name not in can:
            yield Mistake(there, f"no quantity {name!r} can be derived; {near(name, can)}")
            continue
        made = can[name]
        if name in own:
            yield Mistake(there, f"{row.driver.model} measures {name} itself")
        if made.beside and made.beside not in own:
            words = f"{name} is true only of parts that measure {made.beside} too"
            yield Mistake(there, f"{words}; {row.driver.model} does not")
        for source, unit in made.sources.items():
            if made.moment and source in lent:
                yield from _lent((*place, "sources", source), lent[source], unit, known, draft)
            elif source not in own or own[source].unit != unit:
                words = f"{name} is derived from {source} in {unit}; {row.driver.model} has none"
                yield Mistake(there, words)
    if len(set(row.table.derived)) < len(row.table.derived):
        yield Mistake(there, "a quantity stands there twice")
    for source, unit in row.driver.borrows.items():
        if source in lent and source not in _makes(row):
            yield from _lent((*place, "sources", source), lent[source], unit, known, draft)
    yield from _unused((*place, "sources"), row)


def _lent(
    place: Place, name: str, unit: str, known: dict[str, Channel], draft: Draft
) -> Iterator[Mistake]:
    """Whether another sensor has this channel in this unit."""
    if name not in known:
        if not _unsure(draft):
            yield Mistake(place, f"no such channel, found {name!r}; {_likely(name, known)}")
    elif known[name].unit != unit:
        yield Mistake(place, f"expected a channel in {unit}; {name} is in {known[name].unit}")


def _makes(row: Row) -> set[str]:
    """Return the sources of what is derived here that another sensor may lend."""
    can = derivable(declared(row.driver, row.options))
    made = [can[name] for name in row.table.derived if name in can]
    return {source for one in made if one.moment for source in one.sources}


def _unused(place: Place, row: Row) -> Iterator[Mistake]:
    for source, name in row.table.sources.items():
        if source not in _makes(row) | row.driver.borrows.keys():
            yield Mistake((*place, source), "nothing that is derived here can be made from it")
        elif name.partition("/")[0] == row.table.name:
            yield Mistake((*place, source), "expected a channel of another sensor, found its own")


def _rules(
    place: Place, rules: ChannelTable, channel: Channel, *, measured: bool
) -> Iterator[Mistake]:
    low, high = rules.low, rules.high
    if low is not None and high is not None and low >= high:
        yield Mistake((*place, "low"), f"expected less than high, {high:g}, found {low:g}")
    for key, value in (("low", low), ("high", high)):
        if value is not None and not _means(channel, value):
            span = f"{channel.low:g} to {channel.high:g} {channel.unit}"
            yield Mistake((*place, key), f"the part means only {span}, found {value:g}")
    if rules.calibration:
        there = (*place, "calibration")
        if not measured:
            yield Mistake(there, "a derived quantity is not calibrated; calibrate its sources")
        elif channel.kind in {Kind.COUNTER, Kind.STATE}:
            yield Mistake(there, f"a {channel.kind.name.lower()} cannot be calibrated")
        yield from _calibration(there, rules.calibration)


def _means(channel: Channel, value: float) -> bool:
    return channel.low is None or channel.high is None or channel.low <= value <= channel.high


def _calibration(place: Place, table: CalibrationTable) -> Iterator[Mistake]:
    linear = (table.gain, table.offset) != (1.0, 0.0)
    if linear and table.polynomial:
        yield Mistake((*place, "polynomial"), "stands in place of gain and offset: leave one out")
    if table.gain == 0:
        yield Mistake((*place, "gain"), "a gain of 0 makes every value the same")
    if table.polynomial and not any(table.polynomial[1:]):
        yield Mistake((*place, "polynomial"), "this polynomial makes every value the same")
    if table.raw and not linear and table.polynomial in {(), (0.0, 1.0)}:
        yield Mistake((*place, "raw"), "nothing is corrected here, so the raw value is the value")
    try:
        date.fromisoformat(table.date)
    except ValueError:
        yield Mistake((*place, "date"), f"there is no such day, found {table.date!r}")


def _twin(
    place: Place, rules: ChannelTable, own: str, known: dict[str, Channel], draft: Draft
) -> Iterator[Mistake]:
    there = (*place, "twin")
    if not rules.twin:
        if rules.tolerance is not None:
            yield Mistake((*place, "tolerance"), "goes with twin: name the channel to compare with")
        return
    if rules.tolerance is None:
        yield Mistake(there, "goes with tolerance: by how much may the two differ?")
    if rules.twin == own:
        yield Mistake(there, "a channel is no twin of itself")
    elif rules.twin not in known:
        if not _unsure(draft):
            words = f"no such channel, found {rules.twin!r}; {_likely(rules.twin, known)}"
            yield Mistake(there, words)
    elif known[rules.twin].unit != known[own].unit:
        units = f"{known[rules.twin].unit}, not {known[own].unit}"
        yield Mistake(there, f"{rules.twin} is in {units}")


def _unsure(draft: Draft) -> bool:
    """Whether a channel that is not known may be one of a sensor that is itself faulty."""
    return len(draft.sensors) < len(draft.sensor_names)


def _likely(name: str, known: dict[str, Channel]) -> str:
    words = near(name, known)
    return words if words.startswith("did") else "write SENSOR/QUANTITY"
