"""What the uplink is told: the brokers in order, who keeps custody, and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgenode.errors import ConfigError

Custody = Literal["city", "broker"]


@dataclass(frozen=True, slots=True)
class Broker:
    """Where and how to reach one MQTT broker.

    Without `ca` the system's trust store is used; `cert` and `key` are the node's own, for mutual
    TLS. An empty `username` means the node id, which is what the rights on the broker go by.
    The password is read anew from `password_file` for every connection.
    """

    host: str
    port: int = 8883
    tls: bool = True
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    username: str = ""
    password_file: Path | None = None

    @property
    def address(self) -> str:
        """HOST:PORT, as it stands in messages."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class UplinkOptions:
    """Options of the uplink; times in ms unless named otherwise.

    The defaults are those of the design, chapter "The uplink". `backlog_per_s` is the rate of the
    token bucket for backlog in batches a second; infinity turns the bucket off.
    """

    node: bytes
    brokers: tuple[Broker, ...]
    custody: Custody = "city"
    prefix: str = "edgenode/v1"
    backlog_per_s: float = 5.0
    client: str = ""  # MQTT client id; the node id in hex unless given
    keepalive_s: int = 30
    connect_ms: int = 5_000  # TCP, and again TLS
    connack_ms: int = 5_000  # of MQTT 5; for 3.1.1 three times that
    puback_ms: int = 20_000
    backoff_ms: int = 1_000  # ceiling of the first delay; it doubles up to the next
    backoff_max_ms: int = 60_000
    resend_ms: int = 600_000
    resend_max_ms: int = 21_600_000
    outstanding_max: int = 1_000
    day_bytes: int | None = None  # both ways, of a day of UTC; budget.py says what is counted
    month_bytes: int | None = None
    farewell_ms: int = 2_000  # how long a stop waits for what is in flight

    def __post_init__(self) -> None:
        """Raise ConfigError for what cannot work."""
        problems = []
        if not self.brokers:
            problems.append("uplink: at least one broker is needed")
        if not self.backlog_per_s > 0:
            problems.append(f"uplink: backlog_per_s {self.backlog_per_s} is not greater than 0")
        limits = (self.day_bytes, self.month_bytes)
        if any(limit is not None and limit <= 0 for limit in limits):
            problems.append("uplink: day_bytes and month_bytes must be greater than 0")
        if not self.prefix or self.prefix.startswith("$") or set(self.prefix) & set("+#\0"):
            problems.append(f"uplink: prefix {self.prefix!r} is empty, begins with $ or has + or #")
        if problems:
            raise ConfigError(problems)
