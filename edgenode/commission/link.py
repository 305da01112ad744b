"""How good the way to each broker is, tried as the node itself would connect."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from edgenode.clock import SystemClock
from edgenode.commission.evidence import LinkSeen
from edgenode.config import Config
from edgenode.errors import NodeError
from edgenode.node.parts import uplink_options


def links(
    config: Config, trips: int, seconds: float, say: Callable[[str], None]
) -> tuple[LinkSeen, ...]:
    """Try every broker; those for which no time is left are told as not tried."""
    try:
        options = uplink_options(config)
    except NodeError as exc:  # a credential that systemd hands to the daemon alone
        return (LinkSeen("uplink", problems=(str(exc),)),)
    stop = threading.Event()
    timer = threading.Timer(seconds, stop.set)
    timer.daemon = True
    timer.start()
    try:
        return tuple(_link(options, broker, stop, trips, say) for broker in options.brokers)
    finally:
        timer.cancel()


def _link(
    options: Any, broker: Any, stop: threading.Event, trips: int, say: Callable[[str], None]
) -> LinkSeen:
    from edgenode.uplink import trial  # noqa: PLC0415 - paho is slow to import
    from edgenode.uplink.roundtrips import round_trips  # noqa: PLC0415 - the same

    if stop.is_set():
        return LinkSeen(broker.address, problems=("not tried: there was no time left",))
    say(f"trying the broker {broker.address}")
    clock = SystemClock()
    tried = trial(options, broker, clock, stop)
    if tried.problems:
        return LinkSeen(broker.address, tried.protocol, tried.problems, tried.warnings)
    found = round_trips(options, broker, clock, stop, trips)
    return LinkSeen(
        broker=broker.address,
        protocol=tried.protocol,
        problems=() if found.connect_ms is not None else ("a second connection failed",),
        warnings=tried.warnings,
        connect_ms=found.connect_ms,
        acks_ms=found.acks_ms,
        sent=found.sent,
        repeated=found.repeated,
    )
