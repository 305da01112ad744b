"""What outlives a session: options, counters, memories, and the outboxes themselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from edgenode.clock import Clock
from edgenode.uplink.acks import Acks
from edgenode.uplink.alarms import Alarms
from edgenode.uplink.bucket import TokenBucket
from edgenode.uplink.budget import Budget
from edgenode.uplink.options import UplinkOptions
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.poison import Suspects
from edgenode.uplink.resend import Resends
from edgenode.uplink.stats import UplinkStats
from edgenode.uplink.topics import Topics


@dataclass(frozen=True, slots=True)
class Office:
    """What outlives a session."""

    options: UplinkOptions
    topics: Topics
    boxes: Sequence[Outbox]
    about: bytes
    clock: Clock
    jitter: Random
    bucket: TokenBucket
    budget: Budget
    stats: UplinkStats
    alarms: Alarms
    acks: Acks
    suspects: Suspects
    resends: Sequence[Resends]
