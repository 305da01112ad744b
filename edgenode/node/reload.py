"""Taking up a changed configuration while everything that did not change goes on."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from edgenode.config import Config, load
from edgenode.config.changes import Changes, changes
from edgenode.errors import ConfigError, NodeError, WireError
from edgenode.node import commissioned, parts, sensors
from edgenode.node.lines import SystemdLines
from edgenode.node.rooms import Rooms

LOG = logging.getLogger(__name__)


class Reloaded(NamedTuple):
    """What came of it: where there is a problem, nothing was changed that is not named."""

    changed: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()
    what: Changes = Changes()


class Reloader:
    """Compares the file with what runs, and changes no more than what differs."""

    def __init__(self, path: Path, rooms: Rooms, lines: SystemdLines) -> None:
        self._path, self._rooms, self._lines = path, rooms, lines

    def reload(self) -> Reloaded:
        """Read the file and take up what is different. For the main thread."""
        try:
            wanted = load(self._path)
        except ConfigError as exc:
            return Reloaded(problems=tuple(exc.problems))
        for warning in wanted.warnings:
            if warning not in self._rooms.config.warnings:
                LOG.warning("%s", warning)
        what = changes(self._rooms.config, wanted)
        record = commissioned.record(wanted.node.state, wanted.node.id)
        recorded = self._rooms.uplink is not None and record != self._rooms.commissioned
        if what.restart:
            return Reloaded(problems=what.restart)
        if what.nothing and not recorded:
            return Reloaded()
        try:
            self._take_up(wanted, what, recorded=recorded)
        except (NodeError, WireError) as exc:
            return Reloaded(problems=(str(exc),))
        news = [*_sentences(what), *(["the record of commissioning is new"] if recorded else [])]
        return Reloaded(tuple(news), (), what)

    def _take_up(self, wanted: Config, what: Changes, *, recorded: bool) -> None:
        rooms = self._rooms
        if what.uplink and wanted.uplink.broker:
            parts.uplink_options(wanted)  # a credential that is missing is told before any change
        if what.new or what.gone or what.altered:
            self._change_buses(wanted, what)
        told = parts.about(rooms.config, "") != parts.about(wanted, "")
        rooms.config = wanted
        # `about` travels once a session
        if what.uplink or what.site or what.budget or told or recorded:
            self._change_uplink()

    def _change_buses(self, wanted: Config, what: Changes) -> None:
        """Send away who is concerned, let the spool know the new groups, then start their like.

        Where the spool refuses, what was sent away is taken back.
        """
        rooms = self._rooms
        numbers = sensors.gids(wanted, rooms.gids)
        groups = sensors.groups(wanted, rooms.gids)
        rooms.buses.retire({*what.gone, *what.altered})
        try:
            rooms.spool.regroup(groups)
        except (NodeError, WireError):
            rooms.buses.start(rooms.config, rooms.groups, {*what.gone, *what.altered})
            raise
        rooms.gids, rooms.groups = numbers, groups
        self._lines.retain(sensors.line_names(wanted))
        rooms.buses.start(wanted, groups, {*what.new, *what.altered})

    def _change_uplink(self) -> None:
        """Connect anew with what is different; where it was not started yet, it will be."""
        started = self._rooms.uplink is not None
        self._rooms.stop_uplink()
        if started:
            self._rooms.try_uplink()


def _sentences(what: Changes) -> Iterator[str]:
    for names, words in ((what.gone, "is gone"), (what.new, "is new"), (what.altered, "changed")):
        yield from (f"bus {name} {words}" for name in names)
    tables = ("site", "uplink", "budget", "recovery", "lamp")
    yield from (f"[{table}] changed" for table in tables if getattr(what, table))
