"""Where comparable gateways stand: measured elsewhere (x86, 2 noisy cores), not by this run."""

from __future__ import annotations

from typing import NamedTuple


class Peer(NamedTuple):
    """One reading per channel per second, 20 and 200 channels; losses of about 2,700 readings."""

    name: str
    cpu_us_20: float
    cpu_us_200: float
    rss_mb: float
    sent_b: float  # bytes on the network per reading
    disk_b: float  # bytes to disk per reading at 20 channels; 0 = keeps nothing on disk
    first_publish_s: float
    lost_broker_down: int  # in 60 s
    lost_kill: int  # the same, and kill -9
    lost_half_open: int  # the broker's host vanishes for 60 s


PEERS = (
    Peer("collectd 5.12", 31, 20, 4.5, 40, 0, 0.02, 1219, 1200, 1140),
    Peer("Fluent Bit 5.1 (HTTP)", 77, 12.6, 13, 50, 550, 1.4, 0, 0, 0),
    Peer("mqtt-io 2.7 (QoS 0)", 230, 251, 34, 18, 0, 1.2, 1, 600, 360),
    Peer("Node-RED 4.1", 825, 114, 127, 13, 0, 0.8, 1300, 1200, 1020),
    Peer("thingsboard-gateway 3.8", 1543, 271, 64, 75, 1024, 1.5, 0, 0, 1020),
)

BYTES_PER_READING = {  # 20 real channels, 60 samples each, header included
    "SenML JSON": 39.9,
    "list of CBOR maps": 33.7,
    "SenML-CBOR": 23.6,
    "Sparkplug B": 15.2,
    "ThingsBoard JSON": 14.3,
    "Gorilla": 3.7,
}

TARGETS = {
    "wire_bytes_per_reading": {"traffic_nab": 1.24, "air_uci": 1.15, "utility_power": 0.73},
    "cpu_us_per_reading": {"20": 120, "200": 20},
    "rss_mb": 38,
    "rss_growth_mb": 4,
    "journal_bytes_per_commit": {"commit=60": 4500, "default": 5900},
    "disk_gb_per_day": {"commit=60": 0.11, "default": 0.135},
    "drain_readings_per_s": 200_000,
    "start_to_durable_s": 0.25,
    "start_to_puback_s": 0.4,
    "status_cpu_ms": 60,
    "lateness_ms": {"p99": 5},
}
