"""A smart meter as bytes on its P1 port: what the P1 Companion Standards V3.0 to V5.0.2 say.

Version 5 talks each second at 115200 baud, version 4 each 10 s, both with a CRC; version 3 each
10 s at 9600 baud, 7 bits and even parity, without one.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.playing import Playing
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

SECOND_NS: Final = 1_000_000_000
PERIOD_NS: Final = {3: 10 * SECOND_NS, 4: 10 * SECOND_NS, 5: SECOND_NS}
TELEGRAMS_MOST: Final = 4  # in one go, when nobody asked for long: what a tty holds
DEVICE_S: Final = {3: 3600, 4: 3600, 5: 300}  # so often an M-Bus device is read
BEGAN: Final = datetime(2026, 1, 5, 12)  # noqa: DTZ001 - the clock of the meter, in winter time
SEED: Final = 62056  # garbage is random but the same every time


class DsmrSpec(Table, frozen=True, tag_field="kind", tag="dsmr"):
    """[[instrument]] kind = "dsmr": a household, one row of its series each `every_ms`.

    Phase n plays n rows ahead. A negative power is given to the grid. Energies and gas grow by
    the value of each row, in kWh and m3; two tariffs take turns, 100 rows each.
    """

    sensor: str
    bus: str = "p1"
    version: Literal[3, 4, 5] = 5
    phases: Literal[1, 3] = 3
    every_ms: Period = 1000
    voltage: Play = Play("utility_power:U", decimals=1)
    current: Play = Play("utility_power:I", decimals=2)
    power: Play = Play("utility_power:P", gain=1000, decimals=0)
    import_from: float = 1581.123
    export_from: float = 0.0
    energy: Play = Play("utility_power:E_counter", gain=0.001, cumulative=True)
    gas_from: Annotated[float, Meta(ge=0)] = 981.443
    gas: Play = Play(offset=0.000_5)


class VirtualDSMR(Playing):
    """One meter that plays a household and says so by itself; logs every telegram, heard or not."""

    def __init__(self, spec: DsmrSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.spec = spec
        self.baud = 9600 if spec.version == 3 else 115_200
        self._counted = 0  # rows whose energy is in the totals
        self._totals = [[spec.import_from, 0.0], [spec.export_from, 0.0]]
        self._gas = self._gas_read = spec.gas_from
        self._gas_at_s = 0
        self._power_up(start_ns)

    def next_ns(self) -> int | None:
        """Return when the next telegram is due."""
        return self._due_ns

    def speak(self, now_ns: int) -> bytes:
        """Return the telegrams that are due, the newest TELEGRAMS_MOST of them."""
        said = []
        while self._due_ns <= now_ns:
            said.append(self._said(self._due_ns))
            self._due_ns += PERIOD_NS[self.spec.version]
        return b"".join(said[-TELEGRAMS_MOST:])

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Return nothing: a P1 port has no wire for it."""
        del data, now_ns
        return b""

    def telegram(self, at_ns: int) -> bytes:
        """Return what it says at a time, as ASCII with its tail, and note it in the log."""
        text = self._text(at_ns).encode("ascii")
        if self.spec.version == 3:
            return text + b"\r\n"
        return text + b"%04X\r\n" % _check(text)

    def _power_up(self, now_ns: int) -> None:
        self._due_ns = now_ns + PERIOD_NS[self.spec.version]

    def _said(self, at_ns: int) -> bytes:
        telegram = self.telegram(at_ns)
        if self._fate in {"nack", "hang"}:
            return b""
        if self._fate == "garbage":
            return self._random.randbytes(len(telegram))
        return _seven_bits(telegram) if self.spec.version == 3 else telegram

    def _text(self, at_ns: int) -> str:
        row, passed_s = self._row(at_ns), (at_ns - self._start_ns) // SECOND_NS
        self._count(row, passed_s)
        lines = [
            *self._head(passed_s),
            "0-0:96.1.1(4B384547303034303436333935353037)",
            *self._energies(at_ns),
            *self._powers(row, at_ns),
            *(self._phases(row, at_ns) if self.spec.version > 3 else ()),
            *self._device(at_ns),
        ]
        return "".join(f"{line}\r\n" for line in lines) + "!"

    def _head(self, passed_s: int) -> list[str]:
        version = self.spec.version
        if version == 3:
            return ["/ISk5\\2MT382-1000", ""]
        now = f"0-0:1.0.0({_stamp(passed_s)})"
        return ["/ISk5\\2MT382-1000", "", f"1-3:0.2.8({version}0)", now]

    def _count(self, row: int, passed_s: int) -> None:
        """Count what every row that has ended took or gave, and read the M-Bus device."""
        while self._counted < row:
            used = self.spec.energy.value(self._counted)
            tariff = self._counted // 100 % 2
            self._totals[used < 0][tariff] += abs(used)
            self._gas += self.spec.gas.value(self._counted)
            self._counted += 1
        period_s = DEVICE_S[self.spec.version]
        if passed_s // period_s * period_s > self._gas_at_s:
            self._gas_at_s = passed_s // period_s * period_s
            self._gas_read = self._gas

    def _energies(self, at_ns: int) -> list[str]:
        lines = []
        for code, name, totals in zip((1, 2), ("import", "export"), self._totals, strict=True):
            for tariff, kwh in enumerate(totals, 1):
                text = f"{kwh:010.3f}"
                self._note(f"{name}_energy_t{tariff}", float(text), at_ns, self._fate)
                lines.append(f"1-0:{code}.8.{tariff}({text}*kWh)")
        return [*lines, "0-0:96.14.0(0002)"]

    def _powers(self, row: int, at_ns: int) -> list[str]:
        powers = [self.spec.power.value(row + n) for n in range(self.spec.phases)]
        lines = []
        for code, name, watts in (
            (1, "import_power", sum(max(0.0, one) for one in powers)),
            (2, "export_power", sum(max(0.0, -one) for one in powers)),
        ):
            text = f"{watts / 1000:06.3f}"
            self._note(name, round(float(text) * 1000), at_ns, self._fate)
            lines.append(f"1-0:{code}.7.0({text}*kW)")
        return lines

    def _phases(self, row: int, at_ns: int) -> list[str]:
        lines = []
        for n in range(self.spec.phases):
            watts = self.spec.power.value(row + n) / 1000
            amperes = f"{abs(self.spec.current.value(row + n)):06.2f}"
            told = [(f"{31 + 20 * n}", f"current_l{n + 1}", amperes, "A")]
            if self.spec.version == 5:
                volts = f"{self.spec.voltage.value(row + n):06.1f}"
                told.insert(0, (f"{32 + 20 * n}", f"voltage_l{n + 1}", volts, "V"))
            for code, name, text, unit in told:
                self._note(name, float(text), at_ns, self._fate)
                lines.append(f"1-0:{code}.7.0({text}*{unit})")
            lines.append(f"1-0:{21 + 20 * n}.7.0({max(0.0, watts):06.3f}*kW)")
            lines.append(f"1-0:{22 + 20 * n}.7.0({max(0.0, -watts):06.3f}*kW)")
        return lines

    def _device(self, at_ns: int) -> list[str]:
        text, at = f"{self._gas_read:09.3f}", _stamp(self._gas_at_s)
        self._note("gas_volume", float(text), at_ns, self._fate)
        number = "0-1:96.1.0(3232323241424344313233343536373839)"
        if self.spec.version == 3:
            value = [f"0-1:24.3.0({at[:-1]})(00)(60)(1)(0-1:24.2.1)(m3)", f"({text})"]
            return ["0-1:24.1.0(03)", number, *value]
        return ["0-1:24.1.0(003)", number, f"0-1:24.2.1({at})({text}*m3)"]


def _stamp(passed_s: int) -> str:
    return (BEGAN + timedelta(seconds=passed_s)).strftime("%y%m%d%H%M%SW")


def _seven_bits(text: bytes) -> bytes:
    """Return the characters as the wire carries them: with the parity that makes them even."""
    return bytes(code | (0x80 if code.bit_count() % 2 else 0) for code in text)


def _check(text: bytes) -> int:
    """Return the CRC of §6.2, bit by bit: x16+x15+x2+1, the least significant bit first."""
    register = 0
    for byte in text:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0xA001 if register & 1 else 0)
    return register
