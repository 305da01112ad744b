"""What a fleet is: how many nodes, what they sense, which brokers, what goes wrong and when."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from edgenode.errors import ConfigError
from edgenode.uplink import Broker, Custody

MARK = b"\xf1\xee"  # the first bytes of every simulated node's id
MOST_NODES = 1 << 16
MOST_CHANNELS = 1_000
LEDGER = "ledger"  # the file of truth in a fleet's directory


class Outage(NamedTuple):
    """All links are down from `at_s` after the start on, for `for_s`."""

    at_s: float
    for_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A whole run. Times in ms unless their name says s."""

    run: int  # 0 to 65535: tells the nodes of one run from those of another
    directory: Path  # ledger, spools, what real daemons need
    brokers: tuple[Broker, ...]
    spools: Path | None = None  # where spools are kept; default: in `directory`
    nodes: int = 10
    channels: int = 20
    every_ms: int = 1_000
    seconds: float = 60.0
    real: int = 0
    processes: int = 1
    prefix: str = "edgenode/v1"
    custody: Custody = "city"
    commit_ms: int = 5_000
    window_ms: int = 60_000
    offline_window_ms: int = 600_000
    ramp_s: float = 5.0  # the nodes start within this time
    settle_s: float = 120.0  # so long it may take until all is acknowledged
    outage: Outage | None = None
    flaps_per_h: float = 1.0  # outages of each node by itself
    kills: int = 0  # nodes that lose what they hold in memory, once each
    clock_error_ms: int = 500  # of wall clocks, at most, either way

    def __post_init__(self) -> None:
        """Raise ConfigError for what cannot be run."""
        problems = [
            f"{name} {value:g}: from {least:g} to {most:g}"
            for name, value, least, most in (
                ("--nodes", self.nodes, 0, MOST_NODES),
                ("--real", self.real, 0, 200),
                ("--channels", self.channels, 1, MOST_CHANNELS),
                ("--every", self.every_ms / 1000, 0.1, 3_600),
                ("--seconds", self.seconds, 1, 604_800),
                ("--processes", self.processes, 1, 64),
                ("--ramp", self.ramp_s, 0, 3_600),
                ("--settle", self.settle_s, 1, 86_400),
                ("--window", self.window_ms / 1000, 0.5, 3_600),
                ("--offline-window", self.offline_window_ms / 1000, 0.5, 86_400),
                ("--flaps", self.flaps_per_h, 0, 60),
                ("--kills", self.kills, 0, self.nodes),
                ("--clock-error", self.clock_error_ms, 0, 86_400_000),
            )
            if not least <= value <= most
        ]
        if self.nodes + self.real == 0:
            problems.append("no node at all: give --nodes or --real")
        if self.outage and (self.outage.at_s < 0 or self.outage.for_s <= 0):
            problems.append("--outage AT:S: AT must be 0 or more, S more than 0")
        if problems:
            raise ConfigError(problems)

    def node(self, index: int) -> bytes:
        """Return the id of a simulated node."""
        return MARK + self.run.to_bytes(2, "big") + index.to_bytes(2, "big")

    def mine(self, worker: int) -> range:
        """Return the nodes of one process."""
        return range(worker, self.nodes, self.processes)


def foreign(brokers: tuple[Broker, ...]) -> list[str]:
    """Return a sentence for each broker that is not on this machine's loopback."""
    return [
        f"{broker.address} is not on loopback: a load test belongs on a machine of its own; "
        "--really sends it there all the same"
        for broker in brokers
        if not _on_loopback(broker.host)
    ]


def _on_loopback(host: str) -> bool:
    try:
        found = {row[4][0] for row in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return False
    return bool(found) and all(
        ipaddress.ip_address(str(address).partition("%")[0]).is_loopback for address in found
    )
