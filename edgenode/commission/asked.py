"""What the daemon answers about its sensors, joined with what the configuration knows of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edgenode.commission.evidence import Delivery, Measured, SensorSeen
from edgenode.config import Config
from edgenode.control import Refused, ask
from edgenode.node.sensors import groups
from edgenode.reading import Channel, Stream

ASK_S: Final = 3.0
READ_S: Final = 12.0  # the daemon itself answers within 10 s
LOOK_S: Final = 0.25  # between two looks at how far a batch has come

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """Sensors as they answered, and those for which there was no time."""

    sensors: tuple[SensorSeen, ...]
    unread: tuple[str, ...] = ()


def sensors(socket: Path, config: Config, read_s: float, say: Callable[[str], None]) -> Asked:
    """Read each sensor out of turn for `read_s` seconds at most; 0: take what was read last.

    Raises NoDaemon or Refused where the daemon does not answer at all.
    """
    until = time.monotonic() + read_s
    rows = {row["sensor"]: row for row in ask(socket, "sensors", ASK_S)["sensors"]}
    unread = []
    for name, row in rows.items() if read_s else ():
        if time.monotonic() > until:
            unread.append(name)
            continue
        say(f"reading {name}")
        rows[name] = row | _read(socket, name, row)
    known = {c.name: (c, g.stream) for g in groups(config).values() for c in g.channels}
    return Asked(tuple(_seen(config, row, known) for row in rows.values()), tuple(unread))


def _read(socket: Path, name: str, row: Document) -> Document:
    """Return what is different after a read; one that is refused says why."""
    try:
        answer = ask(socket, "read", READ_S, sensor=name)
    except Refused as exc:
        return {"reason": row["reason"] or "no-answer", "detail": str(exc)}
    return {key: answer[key] for key in ("reason", "detail", "channels")}


def _seen(config: Config, row: Document, known: Mapping[str, tuple[Channel, int]]) -> SensorSeen:
    streams = {known[one["channel"]][1] for one in row["channels"] if one["channel"] in known}
    return SensorSeen(
        sensor=row["sensor"],
        model=row["driver"],
        bus=row["bus"],
        state=row["state"],
        reason=row["reason"],
        detail=row["detail"],
        health=streams == {Stream.HEALTH},
        channels=tuple(_channels(config, row, known)),
    )


def _channels(
    config: Config, row: Document, known: Mapping[str, tuple[Channel, int]]
) -> Iterator[Measured]:
    tables = {s.name: s.channel for s in config.sensors}.get(row["sensor"], {})
    for one in row["channels"]:
        name = one["channel"]
        channel = known[name][0] if name in known else Channel(name, one["unit"])
        table = tables.get(name.partition("/")[2])
        sure = channel.uncertainty
        yield Measured(
            channel=name,
            unit=one["unit"],
            observed=channel.observed,
            value=one["value"],
            quality=one["quality"],
            uncertainty=None if sure is None else float(sure * 10.0**channel.scale),
            twin=table.twin if table else "",
            tolerance=table.tolerance if table else None,
        )


def delivered(socket: Path, custody: str, patience_s: float) -> Delivery:
    """Have a batch made, and wait until it has arrived where custody ends; raises NoDaemon."""
    began = time.monotonic()
    try:
        marked = ask(socket, "mark", ASK_S)
        place = {"stream": marked["stream"], "seq": marked["seq"]}
        while True:
            reached = str(ask(socket, "custody", ASK_S, **place)["reached"])
            waited_s = round(time.monotonic() - began, 1)
            if reached == "city" or waited_s > patience_s:
                return Delivery(reached, waited_s, custody)
            time.sleep(LOOK_S)
    except Refused as exc:
        return Delivery("", custody=custody, problem=str(exc))
