"""Which records of an M-Bus meter become channels, and how they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from edgenode.bus.mbus_records import Function, Record
from edgenode.driver import Options, one_name_each
from edgenode.reading import Channel, Kind

Medium = Literal["heat", "cold", "water", "hot_water", "gas", "electricity", "other"]
# EN 13757-3, table of media. 0, 1 and what is not here is "other", which fits every meter.
MEDIA: Final[Mapping[int, Medium]] = {
    0x02: "electricity",
    0x03: "gas",
    0x04: "heat",
    0x06: "hot_water",
    0x07: "water",
    0x0A: "cold",
    0x0B: "cold",
    0x0C: "heat",
    0x0D: "heat",
    0x15: "hot_water",
    0x16: "water",
}


class Kept(NamedTuple):
    """How a quantity is sent: its unit, decimals and range, and whether it is a total."""

    unit: str
    decimals: int
    low: float
    high: float
    total: bool = False


KEPT: Final[Mapping[str, Kept]] = {
    "energy": Kept("kWh", 3, 0, 1e9, total=True),
    "volume": Kept("m3", 3, 0, 1e9, total=True),
    "mass": Kept("kg", 0, 0, 1e12, total=True),
    "heat_units": Kept("count", 0, 0, 1e9, total=True),
    "on_time": Kept("s", 0, 0, 1e10, total=True),
    "operating_time": Kept("s", 0, 0, 1e10, total=True),
    "power": Kept("W", 0, -1e9, 1e9),
    "flow": Kept("m3/h", 3, -1e6, 1e6),
    "mass_flow": Kept("kg/h", 0, -1e9, 1e9),
    "flow_temperature": Kept("Cel", 2, -50, 250),
    "return_temperature": Kept("Cel", 2, -50, 250),
    "external_temperature": Kept("Cel", 2, -60, 250),
    "temperature_difference": Kept("K", 2, -250, 250),
    "pressure": Kept("kPa", 1, 0, 10_000),
    "voltage": Kept("V", 1, 0, 1_000_000),
    "current": Kept("A", 3, -100_000, 100_000),
}
Quantity = Literal[
    "energy", "volume", "mass", "heat_units", "on_time", "operating_time", "power", "flow",
    "mass_flow", "flow_temperature", "return_temperature", "external_temperature",
    "temperature_difference", "pressure", "voltage", "current",
]  # fmt: skip
Places = Annotated[int, Meta(ge=0, le=6, description="a number, 0 to 6")]
Name = Annotated[
    str, Meta(pattern="^([a-z][a-z0-9_]{0,31})?$", description="a-z, 0-9 and _, up to 32")
]
Number = Annotated[int, Meta(ge=0, le=(1 << 41) - 1, description="a number, 0 up")]


class Chosen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One record of the meter that becomes a channel."""

    quantity: Annotated[Quantity, Meta(description="what it is")]
    name: Annotated[Name, Meta(title="of its channel, in place of the usual one")] = ""
    function: Annotated[Function, Meta(description="how the meter came by it")] = "current"
    storage: Annotated[Number, Meta(title="where the meter keeps it, 0: as it stands")] = 0
    tariff: Annotated[Number, Meta(title="which it belongs to, 0: all")] = 0
    subunit: Annotated[Number, Meta(title="of the meter")] = 0
    index: Annotated[
        Annotated[int, Meta(ge=0, le=1000, description="a number, 0 to 1000")] | None,
        Meta(title="its place among all records, in place of the four above"),
    ] = None
    decimals: Annotated[Places | None, Meta(title="that are sent")] = None

    def called(self) -> str:
        """Return the name of its channel: the quantity, and what sets it apart."""
        if self.name:
            return self.name
        parts = [self.quantity, "" if self.function == "current" else self.function]
        parts += [f"s{self.storage}" if self.storage else "", f"t{self.tariff}" * bool(self.tariff)]
        parts += [f"u{self.subunit}" if self.subunit else ""]
        parts += ["" if self.index is None else f"i{self.index}"]
        return "_".join(part for part in parts if part)

    def takes(self, index: int, record: Record) -> bool:
        """Return whether it is this record, the one at `index` of all telegrams."""
        if self.index is not None:
            return index == self.index
        mine = (self.quantity, self.function, self.storage, self.tariff, self.subunit)
        told = (record.quantity, record.function, record.storage, record.tariff, record.subunit)
        return record.plain and mine == told


USUAL: Final[Mapping[Medium, tuple[Quantity, ...]]] = {
    "heat": ("energy", "volume", "power", "flow", "flow_temperature", "return_temperature"),
    "cold": ("energy", "volume", "power", "flow", "flow_temperature", "return_temperature"),
    "water": ("volume",),
    "hot_water": ("volume",),
    "gas": ("volume",),
    "electricity": ("energy", "power"),
    "other": ("energy", "volume", "power", "flow"),
}
OBSERVED: Final = {
    ("water", "volume"): "WaterConsumptionObserved/waterConsumption",
    ("electricity", "energy"): "ACMeasurement/totalActiveEnergyImport",
    ("electricity", "power"): "ACMeasurement/totalActivePower",
}


class MBusOptions(Options, frozen=True):
    """What an installer may choose; every meter on a bus needs an address of its own."""

    address: Annotated[
        int,
        Meta(
            ge=0, le=250, title="its primary address on the bus", description="a number, 0 to 250"
        ),
    ] = 1
    medium: Annotated[
        Medium, Meta(description="what it meters, which decides the usual records")
    ] = "heat"
    records: Annotated[
        tuple[Chosen, ...],
        Meta(max_length=64, title="which become channels, in place of the usual ones"),
    ] = ()

    def __post_init__(self) -> None:
        """Raise ValueError where two records would have one name."""
        one_name_each([chosen.called() for chosen in self.records], "records")

    def wanted(self) -> tuple[Chosen, ...]:
        """Return the records that become channels."""
        return self.records or tuple(Chosen(quantity) for quantity in USUAL[self.medium])


def channels(options: MBusOptions) -> tuple[Channel, ...]:
    """Return a channel for each record that is wanted, in their order."""
    return tuple(_channel(chosen, options.medium) for chosen in options.wanted())


def _channel(chosen: Chosen, medium: Medium) -> Channel:
    """Return its channel: a counter where it is a total as it stands now, not as it was stored."""
    kept = KEPT[chosen.quantity]
    current = chosen.function == "current" and not chosen.storage
    return Channel(
        chosen.called(),
        kept.unit,
        -(kept.decimals if chosen.decimals is None else chosen.decimals),
        Kind.COUNTER if kept.total and current else Kind.GAUGE,
        OBSERVED.get((medium, chosen.called()), ""),
        low=kept.low,
        high=kept.high,
    )
