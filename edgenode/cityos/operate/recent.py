"""Where in the sink a time begins, without an index on it."""

from __future__ import annotations

from edgenode.cityos.sink import Sink


def first_since(sink: Sink, arrival: int) -> int:
    """Return a raw.id from which on batches arrived at POSIX ms `arrival` or later.

    Ids follow arrivals but for what receivers stored at the same time or with clocks that differ,
    so a caller who needs the exact edge asks an earlier time and compares. By bisection: as many
    look-ups as an id has bits.
    """
    low, high = sink.db.execute("SELECT min(id), max(id) FROM raw").fetchone()
    if low is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        at, came = sink.db.execute(
            "SELECT id, arrival FROM raw WHERE id >= ? ORDER BY id LIMIT 1", (middle,)
        ).fetchone()
        if came >= arrival:
            high = middle
        else:
            low = at + 1
    return int(low)
