"""The uplink: sends what the spool has sealed to a broker, and takes the City OS's acks."""

from edgenode.uplink.options import Broker, Custody, UplinkOptions
from edgenode.uplink.outbox import Outbox
from edgenode.uplink.stats import UplinkStats
from edgenode.uplink.trial import Trial, trial
from edgenode.uplink.uplink import Uplink

__all__ = [
    "Broker",
    "Custody",
    "Outbox",
    "Trial",
    "Uplink",
    "UplinkOptions",
    "UplinkStats",
    "trial",
]
