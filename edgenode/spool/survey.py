"""What the spools of a directory hold, read from their files, also while no daemon answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from edgenode.errors import SpoolError
from edgenode.spool.conditions import Conditions
from edgenode.spool.database import PAGE
from edgenode.spool.directory import bytes_of, spools_in
from edgenode.spool.glance import Glance, glance, in_use, tree_of
from edgenode.spool.model import STREAMS, Condition, Moment
from edgenode.spool.quarantine import entries
from edgenode.spool.remembered import last_moment, loaded, times_of
from edgenode.spool.store import Custody, Meta, StoredBatch, place_of
from edgenode.spool.traffic import Figures, Traffic
from edgenode.spool.tree import Tree
from edgenode.spool.wear import Wear


@dataclass
class StreamSurvey:
    """The sealed batches of one stream. The moments are those of their earliest readings."""

    batches: int = 0
    readings: int = 0
    alarms: int = 0
    bytes: int = 0
    oldest: Moment | None = None
    newest: Moment | None = None


@dataclass
class SpoolSurvey:
    """One spool id. `problem` says why no more is told, empty where all is."""

    spool: str
    epoch: int = 0
    written: Moment | None = None  # when it was last written to
    open_readings: int = 0  # committed, in no batch yet
    held_batches: int = 0
    broker_batches: int = 0  # of those, acknowledged by a broker, not yet by the City OS
    set_aside_batches: int = 0  # of those, not sent any more
    used_bytes: int = 0  # pages of the store that hold something
    file_bytes: int = 0
    lifetime_written_bytes: int = 0
    traffic: Figures | None = None
    streams: dict[int, StreamSurvey] = field(default_factory=dict)
    history: tuple[Condition, ...] = ()
    quarantined: tuple[tuple[str, str, int], ...] = ()
    damaged: int = 0  # rows and pages that could not be read; `verify` names them
    problem: str = ""


@dataclass(frozen=True)
class Survey:
    """All spools of a directory. `steady` is false where a daemon wrote while it was read."""

    running: bool
    steady: bool
    spools: tuple[SpoolSurvey, ...]
    quarantined: tuple[tuple[str, str, int], ...]


def survey(directory: Path) -> Survey:
    """Look at a spool directory, changing nothing; it needs no lock and may run beside a daemon.

    Raises SpoolError where the directory cannot be read.
    """
    try:
        seen = [_spool(path) for path in spools_in(directory)]
        quarantined = tuple(entries(directory))
        running = in_use(directory)
    except OSError as error:
        raise SpoolError(f"the spool in {directory} cannot be read: {error.strerror}") from error
    return Survey(running, all(ok for _, ok in seen), tuple(one for one, _ in seen), quarantined)


def _spool(path: Path) -> tuple[SpoolSurvey, bool]:
    with tree_of(path) as tree:
        seen = glance(path, tree)
        told = SpoolSurvey(
            path.name,
            epoch=seen.epoch,
            written=last_moment(seen.found, seen.state),
            history=loaded(Conditions.load, seen.meta.get(Meta.CONDITIONS), Conditions()).history(),
            quarantined=tuple(entries(path)),
            file_bytes=bytes_of(path),
            lifetime_written_bytes=loaded(Wear.load, seen.meta.get(Meta.WEAR), Wear()).lifetime(),
            problem=seen.problem,
        )
        if Meta.TRAFFIC in seen.meta:
            told.traffic = loaded(Traffic.load, seen.meta[Meta.TRAFFIC], Traffic()).figures()
        told.open_readings = _open_readings(seen)
        if tree is None:
            told.problem = told.problem or "it has no store"
        elif not seen.problem:
            _batches(tree, seen, told)
        return told, tree is None or tree.steady


def _open_readings(seen: Glance) -> int:
    """Count what is committed and not sealed: the journal says how far both have come."""
    if seen.found.status is None:
        return 0
    stored = seen.state[9] if seen.state else [[1, 0]] * len(STREAMS)
    return sum(
        max(0, mark.next_ordinal - max(mark.sealed_to, of_store[1]))
        for mark, of_store in zip(seen.found.status.marks, stored, strict=False)
    )


def _batches(tree: Tree, seen: Glance, told: SpoolSurvey) -> None:
    times = times_of(seen.found, seen.meta, seen.epoch)
    states = [row.columns[1] for row in tree.rows("custody") if row.sound]
    told.broker_batches = states.count(Custody.BROKER)
    told.set_aside_batches = states.count(Custody.SET_ASIDE)
    for row in tree.rows("batch"):
        if not row.sound:
            told.damaged += 1
            continue
        batch = StoredBatch(*row.columns)
        moment = Moment(batch.epoch, batch.t, times.utc_at(batch.epoch, batch.t))
        told.held_batches += 1
        _add(told.streams, batch, moment)
    told.damaged += len(tree.faults)
    told.used_bytes = tree.used * PAGE


def _add(streams: dict[int, StreamSurvey], batch: StoredBatch, moment: Moment) -> None:
    stream = streams.setdefault(place_of(batch.id)[0], StreamSurvey())
    stream.batches += 1
    stream.readings += batch.readings
    stream.alarms += batch.alarm
    stream.bytes += len(batch.data)
    stream.oldest = min(stream.oldest or moment, moment, key=lambda item: item[:2])
    stream.newest = max(stream.newest or moment, moment, key=lambda item: item[:2])
