"""DSMR P1: what a smart meter of the Netherlands, Belgium or Luxembourg tells by itself.

Datasheet: Netbeheer Nederland, "P1 Companion Standard" V5.0.2, and V2.2, V3.0, V4.2 for older
telegrams; the Belgian additions in Fluvius, "e-MUCS P1" 1.7.1. Second source of the codes and
of the CRC: dsmr_parser (telegram_specifications.py), nielsbasjes/dsmr-tools (Dsmr.g4).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.bus.held import aged
from edgenode.bus.newest import Newest, Talk
from edgenode.bus.obis import Amount, in_unit
from edgenode.bus.p1 import Measured, Telegram, Telegrams, Version
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BusError
from edgenode.reading import Channel, Event, Kind, Quality, Sample, SerialLine

LINE: Final = SerialLine(115_200)
OLD_BAUD: Final = 9600  # of versions 2 and 3: 7 bits and even parity, no CRC
PERIOD_MS: Final = {2: 10_000, 3: 10_000, 4: 10_000, 5: 1_000}
LATE: Final = 2.5  # periods: what is older is stale
SILENT_MS: Final = 10_000  # at least

Device = Literal["gas", "water", "hot_water", "heat", "cold"]
# The media of EN 13757-3 that stand for each: heat and cold are told by where the meter sits.
MEDIA: Final[Mapping[Device, tuple[int, ...]]] = {
    "gas": (3,),
    "water": (7,),
    "hot_water": (6,),
    "heat": (4, 12),
    "cold": (10, 11),
}


def counted(name: str, unit: str, most: float, observed: str = "") -> Channel:
    """Return a total of the meter, which has three decimals."""
    return Channel(name, unit, -3, Kind.COUNTER, observed, low=0, high=most)


def energy(name: str, observed: str = "") -> Channel:
    """Return a total of active energy; the meter shows six digits of kWh."""
    return counted(name, "kWh", 1e6, observed)


def watts(name: str, low: float = 0, observed: str = "") -> Channel:
    """Return active power; what is sent is kW with three decimals, of two digits before them."""
    return Channel(name, "W", observed=observed, low=low, high=100_000)


DEVICES: Final[Mapping[Device, Channel]] = {
    "gas": counted("gas_volume", "m3", 1e5),
    "water": counted("water_volume", "m3", 1e5, "WaterConsumptionObserved/waterConsumption"),
    "hot_water": counted("hot_water_volume", "m3", 1e5),
    "heat": counted("heat_energy", "GJ", 1e5),
    "cold": counted("cold_energy", "GJ", 1e5),
}


class DSMROptions(Options, frozen=True):
    """What the meter tells; a scan finds it out."""

    version: Annotated[Version, Meta(title="of its telegrams", description="2, 3, 4 or 5")] = 5
    phases: Annotated[Literal[1, 3], Meta(title="how many it tells of", description="1 or 3")] = 1
    tariffs: Annotated[
        int,
        Meta(
            ge=0, le=4, title="of how many the energy is sent too", description="a number, 0 to 4"
        ),
    ] = 2
    devices: Annotated[
        tuple[Device, ...],
        Meta(
            max_length=5,
            title="what is connected to it",
            description='a list of "gas", "water", "hot_water", "heat", "cold"',
        ),
    ] = ()


def of_phase(n: int, version: Version) -> list[Channel]:
    """Return what a version tells of phase `n`."""
    volts = Channel(
        f"voltage_l{n}", "V", -1, observed="ACMeasurement/phaseVoltage", low=0, high=300
    )
    amperes = Channel(f"current_l{n}", "A", -2, observed="ACMeasurement/current", low=0, high=1000)
    power = watts(f"power_l{n}", -100_000, "ACMeasurement/activePower")
    if version < 4:
        return []
    return [volts, amperes, power] if version == 5 else [amperes, power]


def channels(options: DSMROptions) -> tuple[Channel, ...]:
    """Return totals, then power, then what is told of each phase and of each device."""
    tariffs = range(1, options.tariffs + 1)
    phases = range(1, options.phases + 1)
    return (
        energy("import_energy", "ACMeasurement/totalActiveEnergyImport"),
        energy("export_energy", "ACMeasurement/totalActiveEnergyExport"),
        *(energy(f"import_energy_t{n}") for n in tariffs),
        *(energy(f"export_energy_t{n}") for n in tariffs),
        watts("import_power", observed="ACMeasurement/totalActivePower"),
        watts("export_power"),
        *(one for n in phases for one in of_phase(n, options.version)),
        *(DEVICES[device] for device in dict.fromkeys(options.devices)),
    )


class DSMR(Driver):
    """One meter that talks each second (version 5) or each 10 s, and is only listened to."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "DSMR P1"
    options: ClassVar[type[Options]] = DSMROptions
    channels: ClassVar[tuple[Channel, ...]] = channels(
        DSMROptions(phases=3, devices=tuple(DEVICES))
    )
    budget_s: ClassVar[float] = 0.1  # it never waits
    fastest_s: ClassVar[float] = 10.0  # what every version can do
    line: ClassVar[SerialLine | None] = LINE
    alone: ClassVar[bool] = True
    metered: ClassVar[bool] = True
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self,
        wire: SerialPort,
        options: DSMROptions,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._late_ms = LATE * PERIOD_MS[options.version]
        if options.version in (2, 3):
            _slow(wire)
        self._stream = Newest(wire, Telegrams(options.version), _talk(options.version), clock)

    @classmethod
    def declare(cls, options: DSMROptions) -> tuple[Channel, ...]:
        """Return what a meter with these options tells."""
        return channels(options)

    @classmethod
    def recognise(cls, heard: bytes) -> Found | None:
        """Return the meter where a whole telegram of version 4 or 5 was heard."""
        telegrams = Telegrams(5).cut(heard)
        if not telegrams:
            return None
        told = Telegram(telegrams[-1])
        media = told.devices()
        asked = {
            "version": told.version,
            "phases": told.phases,
            "tariffs": told.tariffs,
            "devices": [one for one, of in MEDIA.items() if any(n in media for n in of)],
        }
        maker = telegrams[-1][1:4].decode("ascii")  # no more of it: serial numbers may follow
        usual = {"version": 5, "phases": 1, "tariffs": 2, "devices": []}
        return Found(
            f"DSMR P1 version {told.version}, maker {maker}",
            {key: value for key, value in asked.items() if value != usual[key]},
        )

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels that `declare` gives for its options."""
        return self.declare(self._options)

    def fileno(self) -> int:
        """Return the port's descriptor, readable when the meter has spoken."""
        return self._stream.fileno()

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Take in what it said. Raises BusError when the port is gone."""
        self._stream.feed(now_ms)
        return ()

    def read(self, now_ms: int) -> Sample:
        """Return the newest telegram, as stale where it is older than 2.5 periods.

        No number, as settling, before the first. Raises BusError, and after some periods without
        a telegram BusTimeout, or BadFrame where there was only noise.
        """
        self._stream.feed(now_ms)
        age_ms = self._stream.age_ms(now_ms)
        if not self._stream.frame:
            width = len(self.measures())
            return Sample((None,) * width, (Quality.SETTLING,) * width)
        sample = decode(self._stream.frame, self._options)
        return aged(sample) if age_ms > self._late_ms else sample

    def identities(self) -> dict[str, str]:
        """Return the number of the meter for its own totals, and of each device for its."""
        if not self._stream.frame:
            return {}
        told = Telegram(self._stream.frame)
        own = [one.name for one in self.measures() if one.unit == "kWh"]
        named = dict.fromkeys(own, told.meter)
        for device in self._options.devices:
            one = _measured(told, device)
            named[DEVICES[device].name] = one.number if one else ""
        return named

    def close(self) -> None:
        """Give the port back; the meter goes on talking to nobody."""
        self._stream.close()


def decode(telegram: bytes, options: DSMROptions) -> Sample:
    """Turn a proved telegram into the values of the channels that the options declare."""
    told = Telegram(telegram)
    tariffs = range(1, options.tariffs + 1)
    values = [told.total(1), told.total(2)]
    values += [told.number(f"1-0:{d}.8.{n}", "kWh") for d in (1, 2) for n in tariffs]
    values += [told.number(f"1-0:{d}.7.0", "W") for d in (1, 2)]
    for phase in range(1, options.phases + 1):
        if options.version == 5:
            values.append(told.number(f"1-0:{20 * phase + 12}.7.0", "V"))
        if options.version >= 4:
            values.append(told.number(f"1-0:{20 * phase + 11}.7.0", "A"))
            values.append(told.power(phase))
    quality = [Quality.MISSING if value is None else Quality.OK for value in values]
    for device in dict.fromkeys(options.devices):
        value, how = _of_device(told, device)
        values.append(value)
        quality.append(how)
    return Sample(tuple(values), tuple(quality))


def _measured(told: Telegram, device: Device) -> Measured | None:
    """Return what a device of this kind measured last; None where there is none."""
    measured = told.devices()
    return next((measured[n] for n in MEDIA[device] if n in measured), None)


def _of_device(told: Telegram, device: Device) -> tuple[float | None, Quality]:
    """Return the total of an M-Bus device, as stale where the meter has not read it for hours."""
    one = _measured(told, device)
    if one is None:
        return None, Quality.MISSING
    value = in_unit(Amount(one.value, one.unit), DEVICES[device].unit)
    if value is None:
        return None, Quality.FAULT
    return value, Quality.STALE if one.late else Quality.OK


def _talk(version: Version) -> Talk:
    period_ms = PERIOD_MS[version]
    return Talk(
        f"DSMR P1 version {version}",
        silent_ms=max(SILENT_MS, 4 * period_ms),
        unheard_ms=3 * period_ms,
        gap_ms=500,  # within a telegram there is none
        opening_s=0,  # 10 s are too long to wait
        if_silent="check that data request (pin 2) has 5 V and that the data line has its pull-up",
        if_noisy="check `version`, that the signal is inverted, and that it is not encrypted",
    )


def _slow(wire: SerialPort) -> None:
    """Set the port for versions 2 and 3, unless [[bus]] says a speed."""
    if wire.line.parity != "none":
        raise BusError("DSMR P1: leave parity out of [[bus]]; it is checked here")
    if wire.line.baud == LINE.baud:
        wire.speed(OLD_BAUD)
