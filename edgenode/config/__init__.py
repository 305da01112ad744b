"""The node's TOML file as frozen values; every mistake in it is reported at once, by line."""

from edgenode.config.channels import CalibrationTable, ChannelTable
from edgenode.config.load import load, parse
from edgenode.config.model import (
    BrokerTable,
    BudgetTable,
    BusTable,
    ClearTable,
    ClockTable,
    Config,
    NodeTable,
    PinTable,
    RecoveryTable,
    Sensor,
    SiteTable,
    SpoolTable,
    UplinkTable,
)
from edgenode.config.wires import serial_line

__all__ = [
    "BrokerTable",
    "BudgetTable",
    "BusTable",
    "CalibrationTable",
    "ChannelTable",
    "ClearTable",
    "ClockTable",
    "Config",
    "NodeTable",
    "PinTable",
    "RecoveryTable",
    "Sensor",
    "SiteTable",
    "SpoolTable",
    "UplinkTable",
    "load",
    "parse",
    "serial_line",
]
