"""The node: composes the rooms, starts and stops them in order, answers for them."""

from edgenode.node.daemon import Daemon
from edgenode.node.drain import Drained, drain
from edgenode.node.notify import Notifier
from edgenode.node.stop import Stop

__all__ = ["Daemon", "Drained", "Notifier", "Stop", "drain"]
