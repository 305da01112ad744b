"""The node: composes the rooms, starts and stops them in order, answers for them."""

from edgenode.node.daemon import Daemon, Stop
from edgenode.node.drain import Drained, drain
from edgenode.node.notify import Notifier

__all__ = ["Daemon", "Drained", "Notifier", "Stop", "drain"]
