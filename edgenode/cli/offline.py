"""What the files of the spool tell, where no daemon answers; they are read and never changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgenode.cli.history import entry
from edgenode.cli.spool import aside, quarantined
from edgenode.cli.words import many, size, table, when
from edgenode.errors import NodeError
from edgenode.reading import Stream

if TYPE_CHECKING:  # it reads SQLite's pages and decodes batches: not for who has a daemon to ask
    from edgenode.spool.model import Condition, Moment
    from edgenode.spool.offline import SpoolSurvey, Survey

SPOOL = "spool"  # of the state directory

Told = tuple[dict[str, Any], list[str]]  # fields for the document, lines for people


def spool_without(state: str) -> Told:
    """Return what `spool` tells without a daemon."""
    return _told("survey", state, surveyed, _spool_lines)


def history_without(state: str, limit: int, since_utc_ms: int = 0) -> Told:
    """Return what `history` tells without a daemon: the newest, and not what ended earlier."""

    def wanted(found: Survey) -> list[dict[str, Any]]:
        kept = [entry for entry in _log(found) if not entry.ended_before(since_utc_ms)]
        return [entry.document() for entry in kept[-limit:]]

    return _told("entries", state, wanted, _history_lines)


def _told(
    field: str,
    state: str,
    fields: Callable[[Survey], Any],
    lines: Callable[[Any], Iterator[str]],
) -> Told:
    from edgenode.spool.offline import survey  # noqa: PLC0415 - see above

    try:
        found = fields(survey(Path(state) / SPOOL))
    except NodeError as exc:
        advice = "" if "Permission" not in str(exc) else "; ask with sudo"
        return {field: None, "spool_problem": str(exc)}, ["", f"{exc}{advice}"]
    return {field: found, "spool_problem": None}, ["", *lines(found)]


def surveyed(found: Survey) -> dict[str, Any]:
    """Return the document of a survey, as docs/cli.md has it."""
    return {
        "running": found.running,
        "steady": found.steady,
        "spools": [_spool(spool) for spool in found.spools],
        "quarantined": quarantined(found.quarantined),
    }


def _spool(found: SpoolSurvey) -> dict[str, Any]:
    return {
        "spool": found.spool,
        "epoch": found.epoch,
        "problem": found.problem,
        "written_utc_ms": _utc(found.written),
        "open_readings": found.open_readings,
        "held_batches": found.held_batches,
        "broker_batches": found.broker_batches,
        "set_aside_batches": found.set_aside_batches,
        "used_bytes": found.used_bytes,
        "file_bytes": found.file_bytes,
        "lifetime_written_bytes": found.lifetime_written_bytes,
        "damaged": found.damaged,
        "streams": [
            {
                "stream": number,
                "batches": stream.batches,
                "readings": stream.readings,
                "alarms": stream.alarms,
                "bytes": stream.bytes,
                "oldest_utc_ms": _utc(stream.oldest),
                "newest_utc_ms": _utc(stream.newest),
            }
            for number, stream in sorted(found.streams.items())
        ],
        "quarantined": quarantined(found.quarantined),
    }


def entries(found: Survey) -> list[dict[str, Any]]:
    """Return the condition logs of all spools, the latest to begin last."""
    return [entry.document() for entry in _log(found)]


def _log(found: Survey) -> list[Condition]:
    log = [entry for spool in found.spools for entry in spool.history]
    return sorted(log, key=lambda entry: (entry.begin.utc_ms or 0, *entry.begin[:2]))


def _utc(moment: Moment | None) -> int | None:
    return None if moment is None else moment.utc_ms


def _spool_lines(found: dict[str, Any]) -> Iterator[str]:
    if not found["spools"]:
        yield "there is no spool yet"
    for spool in found["spools"]:
        written = when(spool["written_utc_ms"])
        yield f"spool {spool['spool']} in epoch {spool['epoch']}, last written {written}"
        if spool["problem"]:
            yield f"  ! {spool['problem']}"
        held = many(spool["held_batches"], "batch")
        yield (
            f"  {held} held, {spool['broker_batches']} of them with a broker only;"
            f" {spool['open_readings']} readings in no batch yet"
        )
        used, files = size(spool["used_bytes"]), size(spool["file_bytes"])
        life = size(spool["lifetime_written_bytes"])
        yield f"  {used} in use of {files} on disk; {life} written over its life"
        for stream in spool["streams"]:
            yield f"  {_stream(stream)}"
        if spool["damaged"]:
            yield f"  ! {spool['damaged']} rows or pages cannot be read: edgenode spool verify"
        yield from aside(spool["quarantined"])
    yield from aside(found["quarantined"])
    if not found["steady"]:
        yield "(a daemon wrote meanwhile: ask again)"


def _stream(stream: dict[str, Any]) -> str:
    known = {int(number): number.name.lower() for number in Stream}
    name = known.get(stream["stream"], f"stream {stream['stream']}")
    held = f"{name}: {stream['readings']} readings in {many(stream['batches'], 'batch')}"
    oldest, newest = stream["oldest_utc_ms"], stream["newest_utc_ms"]
    if oldest is None or newest is None:
        return f"{held}; no clock has vouched for their time yet"
    return f"{held}, the first begins {when(oldest)}, the last {when(newest)}"


def _history_lines(found: list[dict[str, Any]]) -> Iterator[str]:
    if not found:
        yield "nothing was wrong, as far as the spool tells"
    yield from table([entry(row) for row in found])
