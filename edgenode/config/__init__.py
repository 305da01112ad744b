"""The node's TOML file as frozen values; every mistake in it is reported at once, by line."""

from edgenode.config.load import load, parse
from edgenode.config.model import (
    BrokerTable,
    BusTable,
    ClockTable,
    Config,
    NodeTable,
    Sensor,
    SiteTable,
    SpoolTable,
    UplinkTable,
)

__all__ = [
    "BrokerTable",
    "BusTable",
    "ClockTable",
    "Config",
    "NodeTable",
    "Sensor",
    "SiteTable",
    "SpoolTable",
    "UplinkTable",
    "load",
    "parse",
]
