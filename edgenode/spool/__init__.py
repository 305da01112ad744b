"""The spool: a journal for the open window, a store for sealed batches, and custody of both."""

from edgenode.spool.lasttime import last_utc_ms
from edgenode.spool.model import Condition, Moment, Sealed, SpoolStats, Trouble
from edgenode.spool.options import SpoolOptions
from edgenode.spool.outbox import Outbox
from edgenode.spool.spool import Spool
from edgenode.spool.traffic import Bytes, Figures, Traffic

__all__ = [
    "Bytes",
    "Condition",
    "Figures",
    "Moment",
    "Outbox",
    "Sealed",
    "Spool",
    "SpoolOptions",
    "SpoolStats",
    "Traffic",
    "Trouble",
    "last_utc_ms",
]
