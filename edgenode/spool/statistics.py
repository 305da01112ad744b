"""The figures of the spool for `status` and the watchdog."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edgenode.spool.core import Core
from edgenode.spool.database import FULL_SHARE, PAGE
from edgenode.spool.model import Left, SpoolStats
from edgenode.spool.options import SpoolOptions
from edgenode.spool.quarantine import entries
from edgenode.spool.rate import Rate
from edgenode.spool.window import Window


def statistics(
    cores: Sequence[Core],
    window: Window,
    options: SpoolOptions,
    rate: Rate,
    now: int,
    *,
    progress: int,
    degraded: str,
    left: tuple[Left, ...],
) -> SpoolStats:
    """Gather the figures; waits for the store's lock."""
    core = cores[0]
    database = core.store.database
    used, filling = database.used_pages() * PAGE, rate.per_day()
    oldest = core.store.oldest(core.identity.epoch)
    return SpoolStats(
        spool=core.identity.spool.hex(),
        epoch=core.identity.epoch,
        progress=progress,
        degraded=degraded,
        cap_bytes=database.cap_pages * PAGE,
        cap_short_bytes=(database.asked_pages - database.cap_pages) * PAGE,
        used_bytes=used,
        held_batches=core.outbox.held,
        unconfirmed_batches=core.outbox.unconfirmed(),
        window_readings=core.unsealed.readings(),
        oldest_ms=None if oldest is None else now - oldest,
        readings=window.readings,
        events=window.events,
        commits=core.counts.commits,
        sampled=core.counts.sampled,
        seals=core.counts.seals,
        sealed_bytes=core.counts.sealed_bytes,
        sealed_bytes_per_day=filling,
        outage_days_left=_days_left(database.cap_pages * PAGE, used, filling),
        written_bytes=core.wear.written(),
        lifetime_written_bytes=core.wear.lifetime(),
        evicted_readings=core.counts.evicted,
        overflow_readings=window.dropped,
        pruned_batches=core.counts.pruned,
        resent_batches=core.outbox.resent,
        drains=len(cores) - 1,
        quarantined=tuple(entries(options.directory))
        + tuple(entries(core.path or Path("/nonexistent"))),
        left=left,
        totals=core.totals.values(),
    )


def _days_left(cap: int, used: int, filling: int | None) -> float | None:
    """Return for how many days without a link there is room; None where nothing tells the rate."""
    return max(0.0, FULL_SHARE * cap - used) / filling if filling else None
