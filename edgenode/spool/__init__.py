"""The spool: a journal for the open window, a store for sealed batches, and custody of both."""

from edgenode.spool.lasttime import last_utc_ms
from edgenode.spool.model import Condition, Moment, Sealed, SpoolStats
from edgenode.spool.options import SpoolOptions
from edgenode.spool.outbox import Outbox
from edgenode.spool.spool import Spool
from edgenode.spool.traffic import Bytes, Figures, Traffic
from edgenode.spool.unended import Begun

__all__ = [
    "Begun",
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
    "last_utc_ms",
]
