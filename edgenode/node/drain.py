"""Send what the spool holds and sample nothing: the last act of a node that is taken away."""

from __future__ import annotations

from dataclasses import dataclass

from edgenode.clock import Clock
from edgenode.config import Config
from edgenode.errors import NodeError
from edgenode.node.rooms import Rooms
from edgenode.node.stop import Stop

LOOK_S = 0.1


@dataclass(frozen=True, slots=True)
class Drained:
    """What became of a drain."""

    held: int  # batches that still wait for their ack
    sent: int
    unsealed: int  # readings that are in no batch yet

    @property
    def empty(self) -> bool:
        """Whether nothing is left on the node."""
        return not (self.held or self.unsealed)


def drain(config: Config, clock: Clock, stop: Stop, timeout_s: float) -> Drained:
    """Send until everything is acked, `stop` is set or `timeout_s` has passed.

    Raises NodeError where no broker is named.
    """
    if not config.uplink.broker:
        raise NodeError("no broker is named: write a [[uplink.broker]] table, then drain again")
    rooms = Rooms(config, clock)
    rooms.start_uplink()
    until_ms = rooms.started_ms + timeout_s * 1000
    state = _state(rooms)
    while not state.empty and clock.boot_ms() < until_ms and not stop.wait(LOOK_S):
        state = _state(rooms)
    rooms.stop()
    return state


def _state(rooms: Rooms) -> Drained:
    held, unsealed = rooms.serve_spool()
    return Drained(held, rooms.uplink.stats().sent if rooms.uplink else 0, unsealed)
