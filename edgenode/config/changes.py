"""What differs between two configurations, so that a reload touches nothing else. Pure."""

from __future__ import annotations

from typing import Final

import msgspec

from edgenode.config.model import Config

# What was told to its room once, when the daemon started: table, keys (all where none are named).
AT_START: Final = (("node", ()), ("spool", ()), ("clock", ()), ("uplink", ("custody",)))


class Changes(msgspec.Struct, frozen=True):
    """Names of buses by what became of them, and which of the other tables differ.

    A bus is untouched when its own table and all its sensors, with their options and rules, are
    what they were. `restart` has a sentence for each key that only a restart can change.
    """

    untouched: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    altered: tuple[str, ...] = ()
    site: bool = False
    uplink: bool = False
    budget: bool = False
    recovery: bool = False
    lamp: bool = False
    restart: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether both are the same."""
        return self == Changes(untouched=self.untouched)


def changes(old: Config, new: Config) -> Changes:
    """Compare two configurations that were loaded; warnings and order of the file do not count."""
    before, after = _buses(old), _buses(new)
    both = [name for name in after if name in before]
    return Changes(
        untouched=tuple(name for name in both if before[name] == after[name]),
        new=tuple(name for name in after if name not in before),
        gone=tuple(name for name in before if name not in after),
        altered=tuple(name for name in both if before[name] != after[name]),
        site=old.site != new.site,
        uplink=_uplink(old) != _uplink(new),
        budget=old.budget != new.budget,
        recovery=old.recovery != new.recovery,
        lamp=old.lamp != new.lamp,
        restart=tuple(_restart(old, new)),
    )


def _buses(config: Config) -> dict[str, object]:
    """Return all that a bus thread is told, by the name of the bus."""
    return {
        bus.name: (bus, {s.name: s for s in config.sensors if s.bus.name == bus.name})
        for bus in config.buses
    }


def _uplink(config: Config) -> object:
    return msgspec.structs.replace(config.uplink, custody="city")  # custody is told at the start


def _restart(old: Config, new: Config) -> list[str]:
    found = []
    for table, keys in AT_START:
        before, after = getattr(old, table), getattr(new, table)
        found += [
            f"{table}.{key} needs a restart: systemctl restart edgenode"
            for key in keys or before.__struct_fields__
            if getattr(before, key) != getattr(after, key)
        ]
    return found
