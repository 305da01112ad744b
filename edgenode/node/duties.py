"""The work of the rooms that must get done, or a restart of the daemon is the cure."""

from __future__ import annotations

from edgenode.health import Duty
from edgenode.node.rooms import Rooms

STALLED_MS = 60_000
SENDING_MS = 600_000  # connected, with backlog, and no ack for so long
DIALLING_MS = 180_000  # a resolver may block for minutes; then something is wrong


def duties(rooms: Rooms) -> list[Duty]:
    """Return the duties of the spool and the uplink."""
    bucket_ms = round(60_000 / rooms.config.uplink.backlog_per_s)
    acked_ms = round(3_000 * rooms.config.spool.window_s)  # held until written down as acked
    return [
        Duty(
            "spool",
            lambda: rooms.spool.progress,
            lambda: True,
            STALLED_MS,
            "look at the disk: a card that stalls this long is failing",
        ),
        Duty(
            "uplink",
            lambda: rooms.uplink.progress if rooms.uplink else 0,
            lambda: rooms.uplink is not None,
            DIALLING_MS,
            "look at the resolver and the network",
        ),
        Duty(
            "sending",
            lambda: _acks(rooms),
            lambda: _must_send(rooms),
            max(SENDING_MS, bucket_ms, acked_ms),
            "look at the broker; the daemon is about to be restarted",
        ),
    ]


def _acks(rooms: Rooms) -> int:
    stats = rooms.uplink.stats() if rooms.uplink else None
    return stats.acked + stats.city_acks if stats else 0


def _must_send(rooms: Rooms) -> bool:
    """Whether batches wait that nothing but a defect keeps back."""
    picture = rooms.latest or rooms.picture()
    stats, spool = picture.uplink, picture.spool
    if stats is None or not stats.connected or stats.paused or stats.budget:
        return False
    return spool.held_batches - spool.unconfirmed_batches - stats.set_aside - stats.parked > 0
