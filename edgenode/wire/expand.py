"""From a decoded batch and its birth to rows."""

from __future__ import annotations

from edgenode.wire.model import Batch, Birth


def expand(batch: Batch, birth: Birth) -> Batch:
    """Return the batch with Rows in place of every RawGroup."""
    raise NotImplementedError


def readings_in(batch: Batch) -> int:
    """Return the number of readings: cells of present columns, and events."""
    raise NotImplementedError
