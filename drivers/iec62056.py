"""Meters with an optical head, IEC 62056-21 modes A, B and C: electricity, heat, water, gas.

Datasheet: IEC 62056-21:2002 (messages and times) and IEC 62056-61:2006 (OBIS codes; VDEW's EDIS
codes, such as F.F, before it). Second source: pwitab/iec62056-21, aquaticus/esphome-iec62056; see
edgenode/bus/iec62056.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.bus.held import aged
from edgenode.bus.iec62056 import SIGN_ON, Reader, identification
from edgenode.bus.obis import amount, in_unit, registers
from edgenode.bus.parity import with_parity, without_parity
from edgenode.driver import Driver, Found, Grade, Options, WireKind, one_name_each
from edgenode.errors import BadFrame, BusError, BusTimeout
from edgenode.reading import Channel, Event, Kind, Quality, Sample, SerialLine

AGAIN_MS: Final = 10_000  # after a readout that failed
READOUT_MS: Final = 120_000  # a long one at 300 baud; a value may be older by that
LISTENED_S: Final = 4.0  # to whoever is probed
FATAL: Final = ("F.F", "F.F.0")  # EDIS: the meter's own fatal errors, a bit each
NUMBERS: Final = ("C.1.0", "C.1", "0.0.0", "0.0")  # of the maker, or of the owner
OFTENEST_S: Final = 60


class Known(NamedTuple):
    """How a code is sent where the options say nothing else."""

    name: str
    unit: str
    decimals: int
    total: bool = False
    observed: str = ""


KNOWN: Final[Mapping[str, Known]] = {
    "1.8.0": Known("import_energy", "kWh", 3, True, "ACMeasurement/totalActiveEnergyImport"),
    "2.8.0": Known("export_energy", "kWh", 3, True, "ACMeasurement/totalActiveEnergyExport"),
    **{f"1.8.{n}": Known(f"import_energy_t{n}", "kWh", 3, True) for n in range(1, 5)},
    **{f"2.8.{n}": Known(f"export_energy_t{n}", "kWh", 3, True) for n in range(1, 5)},
    "3.8.0": Known("import_reactive_energy", "kvarh", 3, True),
    "4.8.0": Known("export_reactive_energy", "kvarh", 3, True),
    "1.7.0": Known("import_power", "W", 0),
    "2.7.0": Known("export_power", "W", 0),
    "16.7.0": Known("power", "W", 0, observed="ACMeasurement/totalActivePower"),
    "14.7.0": Known("frequency", "Hz", 2, observed="ACMeasurement/frequency"),
    **{
        f"{12 + 20 * n}.7.0": Known(f"voltage_l{n}", "V", 1, observed="ACMeasurement/phaseVoltage")
        for n in (1, 2, 3)
    },
    **{
        f"{11 + 20 * n}.7.0": Known(f"current_l{n}", "A", 3, observed="ACMeasurement/current")
        for n in (1, 2, 3)
    },
    "6.8": Known("energy", "kWh", 3, True),  # heat meters by Kamstrup
    "6.26": Known("volume", "m3", 3, True),
}


Code = Annotated[
    str, Meta(pattern=r"^[0-9A-Za-z.:*&-]{1,24}$", description='an OBIS code such as "1.8.0"')
]
Name = Annotated[
    str, Meta(pattern="^([a-z][a-z0-9_]{0,31})?$", description="a-z, 0-9 and _, up to 32")
]
Unit = Annotated[str, Meta(max_length=16, description="of SenML, else UCUM")]
Places = Annotated[int, Meta(ge=0, le=6, description="a number, 0 to 6")]


class Register(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One register of the readout that becomes a channel."""

    code: Annotated[Code, Meta(title="as the meter prints it")]
    name: Annotated[Name, Meta(title="of its channel; needed where the code is not known")] = ""
    unit: Annotated[Unit, Meta(title="of its channel; needed where the code is not known")] = ""
    decimals: Annotated[Places | None, Meta(title="that are sent")] = None
    total: Annotated[bool | None, Meta(title="whether it only grows")] = None

    def __post_init__(self) -> None:
        """Raise ValueError where nobody knows what the code means."""
        if self.code not in KNOWN and not (self.name and self.unit):
            raise ValueError(f"give the code {self.code} a `name` and a `unit`")

    def channel(self) -> Channel:
        """Return its channel."""
        known = KNOWN.get(self.code, Known(self.name, self.unit, 3))
        total = known.total if self.total is None else self.total
        decimals = known.decimals if self.decimals is None else self.decimals
        return Channel(
            self.name or known.name,
            self.unit or known.unit,
            -decimals,
            Kind.COUNTER if total else Kind.GAUGE,
            known.observed if not self.unit else "",
            low=0 if total else -1e9,
            high=1e9,
        )


class IEC62056Options(Options, frozen=True):
    """What an installer may choose."""

    registers: Annotated[
        tuple[Register, ...], Meta(max_length=64, title="which become channels; none: 1.8.0 does")
    ] = ()
    readout_s: Annotated[
        int,
        Meta(
            ge=OFTENEST_S,
            le=86_400,
            title="how often the meter is read out",
            description="seconds, 60 to 86400",
        ),
    ] = 300
    baud_most: Annotated[
        Literal[300, 600, 1200, 2400, 4800, 9600, 19200],
        Meta(title="the fastest that its head can do", description="300, 600 ... 19200"),
    ] = 9600

    def __post_init__(self) -> None:
        """Raise ValueError where two registers would have one name."""
        one_name_each([channel.name for channel in channels(self)], "registers")

    def wanted(self) -> tuple[Register, ...]:
        """Return the registers that become channels."""
        return self.registers or (Register("1.8.0"),)


def channels(options: IEC62056Options) -> tuple[Channel, ...]:
    """Return a channel for each register, in their order."""
    return tuple(register.channel() for register in options.wanted())


class IEC62056(Driver):
    """One meter behind an optical head of its own, read out in the background.

    `read` gives the newest complete readout.
    """

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "IEC 62056-21 meter"
    options: ClassVar[type[Options]] = IEC62056Options
    channels: ClassVar[tuple[Channel, ...]] = channels(IEC62056Options())
    budget_s: ClassVar[float] = 1.0  # to acknowledge takes 0.23 s
    fastest_s: ClassVar[float] = OFTENEST_S
    line: ClassVar[SerialLine | None] = SerialLine(300)  # the parity is made and checked here
    alone: ClassVar[bool] = True
    pace_s: ClassVar[float] = 0.1
    metered: ClassVar[bool] = True
    varies: ClassVar[bool] = True
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: SerialPort, options: IEC62056Options) -> None:
        if wire.line.parity != "none":
            raise BusError("IEC 62056-21: leave parity out of [[bus]]; it is made and checked here")
        self._wire, self._options = wire, options
        self._period_ms = options.readout_s * 1000
        self._reader = Reader(wire, self._period_ms, AGAIN_MS, options.baud_most)
        self._text = b""
        self._newest_ms: int | None = None  # of the text, or of the first call

    @classmethod
    def declare(cls, options: IEC62056Options) -> tuple[Channel, ...]:
        """Return a channel for each register, in their order."""
        return channels(options)

    @classmethod
    def identify(
        cls, wire: SerialPort, sleep: Callable[[float], None] = time.sleep
    ) -> Found | None:
        """Return the meter that answers to the request with which every readout begins."""
        del sleep
        wire.discard()
        wire.write(with_parity(SIGN_ON))
        heard = without_parity(wire.receive(4096, LISTENED_S))
        found = identification(heard)
        if found:
            return Found(f"IEC 62056-21 meter of {found.maker}")
        if heard.replace(SIGN_ON, b""):
            return None
        raise BusTimeout("IEC 62056-21: nobody answers to /?!")

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels that `declare` gives for its options."""
        return self.declare(self._options)

    def fileno(self) -> int:
        """Return no descriptor: a readout has its own times, so it is fed each `pace_s`."""
        return -1

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Go on with the readout. Raises BusError when the port is gone."""
        if self._newest_ms is None:
            self._newest_ms = now_ms
        text = self._reader.feed(now_ms)
        if text is not None:
            self._text, self._newest_ms = text, now_ms
        return ()

    def read(self, now_ms: int) -> Sample:
        """Return the newest readout, as stale where the next one is overdue.

        No number, as settling, before the first. Raises BusError, and once two readouts in a row
        came to nothing BusTimeout, or BadFrame where what came was no readout.
        """
        self.feed(now_ms)
        age_ms = now_ms - (self._newest_ms or 0)
        if age_ms > 2 * self._period_ms + READOUT_MS:
            raise self._nothing(age_ms)
        if not self._text:
            width = len(self._options.wanted())
            return Sample((None,) * width, (Quality.SETTLING,) * width)
        sample = decode(self._text, self._options)
        return aged(sample) if age_ms > self._period_ms + READOUT_MS else sample

    def identities(self) -> dict[str, str]:
        """Return the number of the meter, of which all totals are; never shown."""
        told = _told(self._text)
        number = next((told[code] for code in NUMBERS if told.get(code)), "")
        return {one.name: number for one in self.measures() if one.kind is Kind.COUNTER}

    def close(self) -> None:
        """Give the port back; a meter that is left alone goes back to rest by itself."""
        self._wire.close()

    def _nothing(self, age_ms: int) -> BadFrame | BusTimeout:
        trouble = self._reader.trouble or "the readout has not ended"
        words = f"IEC 62056-21: no readout for {age_ms // 1000} s ({trouble})"
        if trouble == "no answer":
            return BusTimeout(f"{words}; check that the optical head sits straight, cable down")
        return BadFrame(f"{words}; try a lower baud_most, and keep sunlight off the head")


def decode(text: bytes, options: IEC62056Options) -> Sample:
    """Turn the text of a data block into the values of the registers that the options name."""
    told = _told(text)
    if any(told.get(code, "").strip("0") for code in FATAL):
        width = len(options.wanted())
        return Sample((None,) * width, (Quality.FAULT,) * width)
    cells = [_cell(told, one.code, one.channel().unit) for one in options.wanted()]
    return Sample(tuple(value for value, _ in cells), tuple(how for _, how in cells))


def _told(text: bytes) -> dict[str, str]:
    """Return what each register holds, by all forms of its code."""
    told: dict[str, str] = {}
    for register in registers(text):
        for form in _forms(register.code):
            told.setdefault(form, register.groups[0])
    return told


def _forms(code: str) -> tuple[str, ...]:
    """Return how a code may be asked for: as it is printed, and without what is understood."""
    plain = code.removesuffix("*255")
    return code, plain, plain.rpartition(":")[2]


def _cell(told: Mapping[str, str], code: str, unit: str) -> tuple[float | None, Quality]:
    if code not in told:
        return None, Quality.MISSING
    found = amount(told[code])
    value = in_unit(found, unit) if found else None
    return value, Quality.FAULT if value is None else Quality.OK
