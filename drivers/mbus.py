"""Wired M-Bus (EN 13757): water, heat, gas and electricity meters, several on two wires.

Datasheet: EN 13757-2:2018 and EN 13757-3:2018; free: "The M-Bus: A Documentation", 4.8. Second
source: libmbus and pyMeterBus; see edgenode/bus/mbus.py and edgenode/bus/mbus_records.py.
"""

from __future__ import annotations

from typing import ClassVar, Final

from drivers.mbus_choice import MEDIA, Chosen, MBusOptions, channels
from edgenode.bus import SerialPort
from edgenode.bus.mbus import ANY, Slave, request_s, reset_s
from edgenode.bus.mbus_records import Header, Record, parsed
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BusError, WrongDevice
from edgenode.reading import Channel, Event, EventCode, Kind, Quality, Sample, SerialLine

PROBED: Final = (ANY, *range(11))
BUSY, FAILED = 1, 2  # the lower two bits of the status
POWER_LOW, PERMANENT, TEMPORARY = 0x04, 0x08, 0x10


class MBus(Driver):
    """One meter, asked for as many of its telegrams as hold the records that are wanted."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "M-Bus meter"
    options: ClassVar[type[Options]] = MBusOptions
    channels: ClassVar[tuple[Channel, ...]] = channels(MBusOptions())
    line: ClassVar[SerialLine | None] = SerialLine(2400, "even")
    shares: ClassVar[str] = "mbus"
    addresses: ClassVar[tuple[int, ...]] = PROBED
    budget_s: ClassVar[float] = 4.9  # two of the longest telegrams at 2400 baud
    fastest_s: ClassVar[float] = 10.0  # many meters measure no faster, and some run on batteries
    metered: ClassVar[bool] = True
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: SerialPort, options: MBusOptions) -> None:
        self._wire, self._options = wire, options
        self._wanted = options.wanted()
        self._slave = Slave(wire, options.address)
        self._most = _telegrams(wire.line)
        self._low, self._number = False, ""
        self._slave.reset()
        _prove(parsed(self._slave.request()).header, options)

    @classmethod
    def declare(cls, options: MBusOptions) -> tuple[Channel, ...]:
        """Return a channel for each record that is wanted, in their order."""
        return channels(options)

    @classmethod
    def identify_at(cls, wire: SerialPort, address: int) -> Found | None:
        """Return the meter at an address, or at 254 the one that is alone on the cable."""
        sender, data = Slave(wire, address).met()
        header = parsed(data).header
        medium = MEDIA.get(header.medium or 0, "other")
        maker = header.maker or "an unnamed maker"
        wanted = {} if medium == "heat" else {"medium": medium}
        words = f"M-Bus meter of {maker}, {medium.replace('_', ' ')}"
        return Found(words, {"address": sender, **wanted})

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels that `declare` gives for its options."""
        return self.declare(self._options)

    def read(self, now_ms: int) -> Sample:
        """Ask for telegrams until every record is found.

        Raises BusError, BusTimeout, BadFrame or WrongDevice.
        """
        del now_ms
        self._slave.reset()
        found: dict[int, Record] = {}  # by the place of its channel
        status = seen = 0
        for _ in range(self._most):
            telegram = parsed(self._slave.request())
            self._number = telegram.header.number
            status |= telegram.header.status
            for index, record in enumerate(telegram.records, seen):
                for place, chosen in enumerate(self._wanted):
                    if place not in found and chosen.takes(index, record):
                        found[place] = record
            seen += len(telegram.records)
            if not telegram.more or len(found) == len(self._wanted):
                break
        cells = [_cell(found.get(n), one, status) for n, one in enumerate(self._wanted)]
        values, quality = (tuple(value for value, _ in cells), tuple(how for _, how in cells))
        return Sample(values, quality, self._told(status))

    def identities(self) -> dict[str, str]:
        """Return the number of the meter, of which all totals are."""
        return {one.name: self._number for one in self.measures() if one.kind is Kind.COUNTER}

    def close(self) -> None:
        """Give the share of the port back."""
        self._wire.close()

    def _told(self, status: int) -> tuple[Event, ...]:
        """Tell once that the supply of the meter, as a rule its battery, has become low."""
        before, self._low = self._low, bool(status & POWER_LOW)
        return (Event(EventCode.SUPPLY_LOW),) if self._low and not before else ()


def _cell(record: Record | None, chosen: Chosen, status: int) -> tuple[float | None, Quality]:
    """Return the value of a channel, and how far it can be trusted."""
    if status & PERMANENT or status & 3 == FAILED:
        return None, Quality.FAULT
    if record is None or record.missing:
        return None, Quality.MISSING
    if record.value is None or record.quantity != chosen.quantity:
        return None, Quality.FAULT
    if status & TEMPORARY:
        return record.value, Quality.ESTIMATED
    return record.value, Quality.STALE if status & 3 == BUSY else Quality.OK


def _telegrams(line: SerialLine) -> int:
    """Return how many telegrams fit into a read; raises BusError where none does."""
    fit = int((MBus.budget_s - reset_s(line)) / request_s(line))
    if fit < 1:
        raise BusError(
            f"M-Bus: at {line.baud} baud a telegram takes {request_s(line):.1f} s, too long for a "
            "read; set the meters to 2400 baud"
        )
    return fit


def _prove(header: Header, options: MBusOptions) -> None:
    """Raise WrongDevice where the meter says that it meters something else."""
    medium = MEDIA.get(header.medium or 0, "other")
    if "other" not in (medium, options.medium) and medium != options.medium:
        raise WrongDevice(
            f"M-Bus address {options.address}: this meter meters {medium}, not {options.medium}; "
            f'write medium = "{medium}", or the address of the other one'
        )
