"""What may be asked of totals and of parts that wear: registers, leaks and lives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Final

from edgenode.config.channels import ChannelTable
from edgenode.config.check import Mistake
from edgenode.config.draft import Row
from edgenode.config.lines import Place
from edgenode.reading import Channel, Kind, Weighed

QUIET_MIN: Final = 30.0
VOLUMES: Final = frozenset({"m3", "L", "count"})  # a pulse is a volume where water makes it
STEPS_MOST: Final = 1 << 50  # what travels as an integer is smaller


def quiet_min(rules: ChannelTable) -> float:
    """Return how long a pause of the flow has to be, in minutes."""
    return QUIET_MIN if rules.quiet_min is None else rules.quiet_min


def unfit_meter(place: Place, rules: ChannelTable, channel: Channel, row: Row) -> Iterator[Mistake]:
    """Every mistake in what is said of a register."""
    given = [key for key in ("modulus", "most_per_h") if getattr(rules, key) is not None]
    given += ["register"] * rules.register
    derived = channel.name in row.table.derived
    if given and (channel.kind is not Kind.COUNTER or derived):
        yield Mistake((*place, given[0]), "goes with a total that the part keeps; this is none")
    elif given and (channel.name in row.driver.since_open or isinstance(channel, Weighed)):
        yield Mistake((*place, given[0]), "this is counted here, without an end or a register")
    elif rules.modulus is not None:
        steps = rules.modulus / 10.0**channel.scale
        if round(steps) < 2 or abs(steps - round(steps)) > 1e-6 * steps or steps > STEPS_MOST:
            step = 10.0**channel.scale
            words = f"expected many whole steps of {step:g} {channel.unit}, found {rules.modulus:g}"
            yield Mistake((*place, "modulus"), words)


def unfit_leak(place: Place, rules: ChannelTable, channel: Channel, row: Row) -> Iterator[Mistake]:
    """Every mistake in when a leak is suspected."""
    if rules.leak_after_h is None:
        if rules.quiet_min is not None:
            yield Mistake(
                (*place, "quiet_min"), "goes with leak_after_h: after how long is it one?"
            )
        return
    there = (*place, "leak_after_h")
    if channel.kind is not Kind.COUNTER or channel.unit not in VOLUMES:
        units = ", ".join(sorted(VOLUMES))
        yield Mistake(there, f"goes with a total in one of {units}; this is none")
        return
    pause_min, every_min = quiet_min(rules), row.table.every_s / 60
    if pause_min < every_min:
        words = f"a pause of {pause_min:g} min is not seen by reads each {every_min:g} min"
        yield Mistake((*place, "quiet_min"), f"{words}; write quiet_min = {every_min:g} or more")
    if rules.leak_after_h * 60 <= pause_min:
        words = f"expected longer than the pause of {pause_min:g} min"
        yield Mistake(there, f"{words}, found {rules.leak_after_h:g} h")


def unfit_life(place: Place, row: Row) -> Iterator[Mistake]:
    """Every mistake in when a part was put in."""
    there, installed = (*place, "installed"), row.table.installed
    if not installed:
        return
    if row.driver.life is None:
        words = f"nothing is known of how long a {row.driver.model} lasts"
        yield Mistake(there, f"{words}; leave it out")
    try:
        date.fromisoformat(installed)
    except ValueError:
        yield Mistake(there, f"there is no such day, found {installed!r}")
