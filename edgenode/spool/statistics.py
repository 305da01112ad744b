"""The figures of the spool for `status` and the watchdog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgenode.spool.block import BLOCK
from edgenode.spool.core import Core
from edgenode.spool.database import PAGE
from edgenode.spool.model import SpoolStats
from edgenode.spool.options import SpoolOptions
from edgenode.spool.quarantine import entries
from edgenode.spool.window import Window

_IO = Path("/proc/self/io")


def statistics(
    cores: Sequence[Core],
    window: Window,
    options: SpoolOptions,
    now: int,
    *,
    progress: int,
    degraded: str,
) -> SpoolStats:
    """Gather the figures; waits for the store's lock."""
    core = cores[0]
    database = core.store.database
    oldest = core.store.oldest(core.identity.epoch)
    return SpoolStats(
        spool=core.identity.spool.hex(),
        epoch=core.identity.epoch,
        progress=progress,
        degraded=degraded,
        cap_bytes=database.cap_pages * PAGE,
        used_bytes=database.used_pages() * PAGE,
        held_batches=core.outbox.held,
        unconfirmed_batches=core.outbox.unconfirmed(),
        window_readings=core.unsealed.readings(),
        oldest_ms=None if oldest is None else now - oldest,
        readings=window.readings,
        events=window.events,
        commits=core.counts.commits,
        seals=core.counts.seals,
        written_bytes=_written(core),
        evicted_readings=core.counts.evicted,
        overflow_readings=window.dropped,
        pruned_batches=core.counts.pruned,
        resent_batches=core.outbox.resent,
        drains=len(cores) - 1,
        quarantined=tuple(entries(options.directory))
        + tuple(entries(core.path or Path("/nonexistent"))),
        conditions=core.conditions.all(),
        totals=core.totals.values(),
    )


def _written(core: Core) -> int:
    """Return what this process gave the block layer to write; it writes for the spool alone.

    Without /proc the blocks of the journal and the sealed bytes stand in for it.
    """
    try:
        for line in _IO.read_text(encoding="ascii").splitlines():
            if line.startswith("write_bytes:"):
                return int(line.split()[1])
    except OSError:
        pass
    return core.counts.blocks * BLOCK + core.counts.sealed_bytes
