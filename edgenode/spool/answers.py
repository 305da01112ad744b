"""What the City OS is told where it asks for batches that are not held any more."""

from __future__ import annotations

from edgenode.spool.store import Held, Store, batch_id
from edgenode.wire import Loss, LossReason

ASKED_ROWS = 2_000  # of one request of the City OS that are looked at


def missing(store: Store, stream: int, low: int, high: int, end: Held) -> list[Loss]:
    """Return what of low..high is missing, its ordinals as far as the neighbours tell.

    `end` is where the next batch will begin. Before the first batch held nobody knows where it
    began: then it counts no ordinals.
    """
    rows = store.all(
        "SELECT id & ?, r0, readings FROM batch WHERE id BETWEEN ? AND ? ORDER BY id LIMIT ?",
        batch_id(1, 0) - 1,
        batch_id(stream, max(0, low - 1)),
        batch_id(stream + 1, 0) - 1,
        ASKED_ROWS,
    )
    losses: list[Loss] = []
    known = low == 1
    seq, ordinal = low, 0
    for held, r0, readings in [*rows, (*end, 0)]:
        upto = min(held, high + 1)
        if upto > seq:
            start = ordinal if known else r0
            gone = r0 - start if upto == held else 0
            losses.append(Loss(stream, start, gone, LossReason.TTL, seq, upto - seq))
        seq, ordinal, known = max(seq, held + 1), r0 + readings, True
        if held >= high:
            break
    return losses
