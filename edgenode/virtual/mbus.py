"""M-Bus meters as slaves on one cable: what EN 13757-2 and EN 13757-3 say that they answer.

A reset is acknowledged; a request is answered by the next telegram, or by the same again where
its FCB did not change; what is damaged or meant for others earns silence. Several stand on one
cable, each at its address, and all of them answer to 254.
"""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.answering import Slave
from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

SHORT_BYTES: Final = 5
START, LONG, STOP = 0x10, 0x68, 0x16
NKE, REQUEST, FCB = 0x40, 0x5B, 0x20
ALL: Final = 254
SEED: Final = 13757  # garbage is random but the same every time
MEDIUM: Final = {"electricity": 0x02, "gas": 0x03, "heat": 0x04, "water": 0x07}
MORE_FOLLOW, OWN = b"\x1f", b"\x0f\x01\x02\x03"


class MbusSpec(Table, frozen=True, tag_field="kind", tag="mbus"):
    """[[instrument]] kind = "mbus": a meter, one row of its series each `every_ms`.

    Energy (kWh) and volume (m3) grow by the value of each row. With two `telegrams` the
    temperatures come in the second one.
    """

    sensor: str
    bus: str = "mbus"
    address: Annotated[int, Meta(ge=0, le=250)] = 1
    baud: Literal[300, 2400, 9600] = 2400
    parity: Literal["none", "even", "odd"] = "even"
    medium: Literal["electricity", "gas", "heat", "water"] = "heat"
    status: Annotated[int, Meta(ge=0, le=255)] = 0
    telegrams: Literal[1, 2] = 1
    every_ms: Period = 1000
    energy_from: Annotated[float, Meta(ge=0)] = 5272.0
    energy: Play = Play("utility_power:E_counter", gain=0.001, cumulative=True)
    volume_from: Annotated[float, Meta(ge=0)] = 54.321
    volume: Play = Play(offset=0.000_3)
    power: Play = Play("utility_power:P", gain=1000, decimals=0)
    flow: Play = Play("utility_power:I", gain=0.01, decimals=3)
    flow_temperature: Play = Play("air_uci:T", offset=60, decimals=1)
    return_temperature: Play = Play("air_uci:T", offset=30, decimals=1)


class VirtualMBus(Slave):
    """One meter; logs each quantity that it was asked for. Its totals are kept without power."""

    request_bytes: ClassVar = SHORT_BYTES

    def __init__(self, spec: MbusSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self._counted = 0  # rows whose energy and volume are in the totals
        self._energy, self._volume = spec.energy_from, spec.volume_from
        self._access = 0
        self._power_up(start_ns)

    def _power_up(self, now_ns: int) -> None:
        del now_ns
        self._fcb: int | None = None  # of the request before
        self._telegram = -1

    def _answer(self, frame: bytes, now_ns: int) -> bytes:
        start, control, address, check, stop = frame[:SHORT_BYTES]
        whole = len(frame) == SHORT_BYTES and (start, stop) == (START, STOP)
        if not whole or check != (control + address) % 256:
            return b""
        if address not in {self.spec.address, ALL}:
            return b""
        if control == NKE:
            self._power_up(now_ns)
            return b"\xe5"
        if control & ~FCB == REQUEST:
            return self._response(control & FCB, now_ns)
        return b""

    def _response(self, fcb: int, now_ns: int) -> bytes:
        if fcb != self._fcb:
            self._telegram = (self._telegram + 1) % self.spec.telegrams
            self._access = (self._access + 1) % 256
        self._fcb = fcb
        body = b"\x72" + self._header() + self._records(now_ns)
        user = bytes((0x08, self.spec.address)) + body
        length = len(user)
        return bytes((LONG, length, length, LONG)) + user + bytes((sum(user) % 256, STOP))

    def _header(self) -> bytes:
        maker = (ord("E") - 64) << 10 | (ord("D") - 64) << 5 | (ord("G") - 64)
        number = bytes.fromhex("78563412")  # 12345678, the number on the meter
        medium = MEDIUM[self.spec.medium]
        return struct.pack("<4sHBBBBH", number, maker, 1, medium, self._access, self.spec.status, 0)

    def _records(self, now_ns: int) -> bytes:
        """Return the records of the telegram that is due."""
        row = self._row(now_ns)
        self._count(row)
        first = b"\x0c\x78" + bytes.fromhex("78563412") + self._totals(now_ns)
        if self.spec.medium in ("heat", "electricity"):
            first += b"\x0b\x2b" + self._noted("power", self.spec.power.value(row), 0, 3, now_ns)
        if self.spec.medium == "electricity":
            return first
        flow = self._noted("flow", self.spec.flow.value(row), 3, 3, now_ns)
        rest = b"\x0b\x3b" + flow
        if self.spec.medium == "heat":
            for vif, name in ((0x5A, "flow_temperature"), (0x5E, "return_temperature")):
                celsius = getattr(self.spec, name).value(row)
                rest += bytes((0x0A, vif)) + self._noted(name, celsius, 1, 2, now_ns)
        if self.spec.telegrams == 1:
            return first + rest + OWN
        return rest + OWN if self._telegram else first + MORE_FOLLOW

    def _totals(self, now_ns: int) -> bytes:
        """Return energy in kWh, volume in litres, and what both were at the turn of the year."""
        kwh = self._noted("energy", self._energy, 0, 4, now_ns)
        litres = round(self._volume * 1000)
        cubic = struct.pack("<i", litres)
        heat = b"\x0c\x06" + kwh + b"\x4c\x06" + _bcd(round(self.spec.energy_from), 4)
        water = b"\x04\x13" + cubic + b"\x44\x13" + struct.pack("<i", 0)
        if self.spec.medium in ("heat", "water", "gas"):
            self._note("volume", litres / 1000, now_ns, self._fate)
        return {"heat": heat + water, "electricity": heat}.get(self.spec.medium, water)

    def _noted(self, name: str, value: float, decimals: int, size: int, now_ns: int) -> bytes:
        """Return a value as a packed decimal, and note what it says in the log."""
        number = round(value * 10**decimals)
        self._note(name, number / 10**decimals, now_ns, self._fate)
        return _bcd(number, size)

    def _count(self, row: int) -> None:
        """Count what every row that has ended took; a meter never counts back."""
        while self._counted < row:
            self._energy += max(0.0, self.spec.energy.value(self._counted))
            self._volume += max(0.0, self.spec.volume.value(self._counted))
            self._counted += 1


def _bcd(number: int, size: int) -> bytes:
    """Return a packed decimal, the last digits first; F is put before what is negative."""
    digits = f"{abs(number) % 10 ** (2 * size):0{2 * size}d}"
    return bytes.fromhex(f"f{digits[1:]}" if number < 0 else digits)[::-1]
