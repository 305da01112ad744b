"""What a wired M-Bus meter says: the header of its telegram and its data records.

EN 13757-3:2018 (DIF and DIFE §6.3, VIF §6.4 and tables 10 to 14, VIFE table 15, LVAR §6.5, status
byte §7.5.6); the free edition is "The M-Bus: A Documentation" 4.8, §6.3, §8.4. Second source of
every row of the tables: libmbus (mbus-protocol.c) and pyMeterBus (core_objects.py). The
identification number names a household's meter: it serves to notice another one, nothing else.
"""

from __future__ import annotations

import math
import struct
from typing import Final, Literal, NamedTuple

from edgenode.errors import BadFrame, WrongDevice

Function = Literal["current", "maximum", "minimum", "error"]
FUNCTIONS: Final[tuple[Function, ...]] = ("current", "maximum", "minimum", "error")
HEADER_BYTES: Final = {0x72: 12, 0x7A: 4, 0x78: 0}  # by CI: long, short, none
EXTENSIONS_MOST: Final = 10  # DIFE, and VIFE, of one record
MORE: Final = 0x80  # in DIF, VIF and their extensions: another one follows
MANUFACTURER, MORE_FOLLOWS, IDLE = 0x0F, 0x1F, 0x2F
INTEGERS: Final = {1: 1, 2: 2, 3: 3, 4: 4, 6: 6, 7: 8}  # data field: bytes
DIGITS: Final = {0x9: 1, 0xA: 2, 0xB: 3, 0xC: 4, 0xE: 6}
FLOAT, VARIABLE, SPECIAL = 0x5, 0xD, 0xF
PLAIN_TEXT: Final = 0x7C
NO_DATA: Final = 0x15  # VIFE
ERRORS: Final = range(0x01, 0x20)  # VIFE: what went wrong with the record
HOUR_S: Final = 3600.0
J_IN_KWH: Final = 3.6e6


class Scale(NamedTuple):
    """How the number of a record becomes a quantity in its unit: times `factor` times 10^power."""

    quantity: str
    power: int = 0
    factor: float = 1.0


class Row(NamedTuple):
    """Codes that differ in their power of ten: the first one, how many, and the scale of it."""

    first: int
    codes: int
    scale: Scale


# Units: kWh, m3, kg, W, m3/h, kg/h, Cel, K, kPa, s, V, A.
PRIMARY: Final = (
    Row(0x00, 8, Scale("energy", -6)),  # 0.001 Wh
    Row(0x08, 8, Scale("energy", 0, 1 / J_IN_KWH)),  # 1 J
    Row(0x10, 8, Scale("volume", -6)),
    Row(0x18, 8, Scale("mass", -3)),
    Row(0x28, 8, Scale("power", -3)),
    Row(0x30, 8, Scale("power", 0, 1 / HOUR_S)),  # 1 J/h
    Row(0x38, 8, Scale("flow", -6)),
    Row(0x40, 8, Scale("flow", -7, 60.0)),  # m3/min
    Row(0x48, 8, Scale("flow", -9, HOUR_S)),  # m3/s
    Row(0x50, 8, Scale("mass_flow", -3)),
    Row(0x58, 4, Scale("flow_temperature", -3)),
    Row(0x5C, 4, Scale("return_temperature", -3)),
    Row(0x60, 4, Scale("temperature_difference", -3)),
    Row(0x64, 4, Scale("external_temperature", -3)),
    Row(0x68, 4, Scale("pressure", -1)),  # 0.001 bar
    Row(0x6E, 1, Scale("heat_units")),  # of a heat cost allocator
)
TIMES: Final = (1.0, 60.0, HOUR_S, 24 * HOUR_S)
ON_TIME, OPERATING_TIME = 0x20, 0x24
FIRST_EXTENSION, SECOND_EXTENSION = 0xFB, 0xFD
EXTENDED: Final = {
    FIRST_EXTENSION: (
        Row(0x00, 2, Scale("energy", 2)),  # 0.1 MWh
        Row(0x08, 2, Scale("energy", 8, 1 / J_IN_KWH)),  # 0.1 GJ
        Row(0x10, 2, Scale("volume", 2)),
        Row(0x18, 2, Scale("mass", 5)),  # 100 t
        Row(0x28, 2, Scale("power", 5)),  # 0.1 MW
        Row(0x30, 2, Scale("power", 8, 1 / HOUR_S)),  # 0.1 GJ/h
    ),
    SECOND_EXTENSION: (
        Row(0x40, 16, Scale("voltage", -9)),
        Row(0x50, 16, Scale("current", -12)),
    ),
}


class Header(NamedTuple):
    """Who sent a telegram; None where it has no header for it."""

    maker: str | None
    medium: int | None
    status: int
    number: str = ""  # identification, maker, version and medium, in hex; never shown


class Record(NamedTuple):
    """One data record; without a number `value` is None, `missing` where the meter has none yet."""

    quantity: str  # empty for what is none of the tables
    value: float | None
    missing: bool
    plain: bool  # without a VIFE that changes its meaning
    function: Function
    storage: int
    tariff: int
    subunit: int


class Telegram(NamedTuple):
    """What a telegram holds, and whether the meter has another one."""

    header: Header
    records: tuple[Record, ...]
    more: bool


def parsed(payload: bytes) -> Telegram:
    """Take the payload of a long frame apart, from its CI field on.

    Raises WrongDevice for what is no such telegram, or encrypted, BadFrame where it is cut short.
    """
    if not payload or payload[0] not in HEADER_BYTES:
        raise WrongDevice(
            f"M-Bus: a telegram of type {payload[:1].hex() or 'none'} came, not one of 72, 78, 7a;"
            " the meter is of an older or another kind, which this driver does not read"
        )
    end = 1 + HEADER_BYTES[payload[0]]
    if len(payload) < end:
        raise BadFrame("M-Bus: the telegram ends within its header")
    records, more = _Reader(payload[end:]).all()
    return Telegram(_header(payload[1:end]), records, more)


def _header(data: bytes) -> Header:
    if not data:
        return Header(None, None, 0)
    status, _, mode = data[-3:]
    if mode & 0x1F:
        raise WrongDevice(
            "M-Bus: the telegram is encrypted; have the supplier switch encryption off"
        )
    if len(data) == HEADER_BYTES[0x7A]:
        return Header(None, None, status)
    letters = int.from_bytes(data[4:6], "little")
    maker = "".join(chr(64 + (letters >> shift & 0x1F)) for shift in (10, 5, 0))
    return Header(maker, data[7], status, data[:8].hex())


class _Reader:
    """Walks through the records of one telegram."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def all(self) -> tuple[tuple[Record, ...], bool]:
        """Return the records, and whether others follow in the next telegram."""
        records: list[Record] = []
        while self._at < len(self._data):
            dif = self._take(1)[0]
            if dif == IDLE:
                continue
            if dif & SPECIAL == SPECIAL:  # the rest is the manufacturer's own
                return tuple(records), dif == MORE_FOLLOWS
            records.append(self._record(dif))
        return tuple(records), False

    def _take(self, size: int) -> bytes:
        data = self._data[self._at : self._at + size]
        if len(data) < size:
            raise BadFrame(f"M-Bus: a record is cut short at byte {self._at} of its telegram")
        self._at += size
        return data

    def _extensions(self, before: int) -> list[int]:
        """Return the bytes that extend `before`."""
        found: list[int] = []
        while before & MORE:
            before = self._take(1)[0]
            found.append(before)
            if len(found) > EXTENSIONS_MOST:
                raise BadFrame(f"M-Bus: a record has more than {EXTENSIONS_MOST} extensions")
        return found

    def _record(self, dif: int) -> Record:
        storage, tariff, subunit = dif >> 6 & 1, 0, 0
        for n, dife in enumerate(self._extensions(dif)):
            storage |= (dife & 0xF) << 1 + 4 * n
            tariff |= (dife >> 4 & 3) << 2 * n
            subunit |= (dife >> 6 & 1) << n
        scale, changes = self._meaning()
        number = self._number(dif & 0xF)
        value, errors, plain = _value(number, scale, changes)
        return Record(
            quantity=scale.quantity if scale else "",
            value=value,
            missing=value is None and (NO_DATA in errors or dif & 0xF == 0),
            plain=plain,
            function=FUNCTIONS[dif >> 4 & 3],
            storage=storage,
            tariff=tariff,
            subunit=subunit,
        )

    def _meaning(self) -> tuple[Scale | None, list[int]]:
        """Return the scale of the value information, and the VIFE that change it."""
        vif = self._take(1)[0]
        if vif & 0x7F == PLAIN_TEXT:
            self._take(self._take(1)[0])
        extensions = [one & 0x7F for one in self._extensions(vif)]
        if vif in EXTENDED:
            return _scale(EXTENDED[vif], extensions[0]), extensions[1:]
        return _of_primary(vif & 0x7F), extensions

    def _number(self, field: int) -> float | None:
        """Return the number of a data field; None where it has none, or an invalid one."""
        if field in INTEGERS:
            return _integer(self._take(INTEGERS[field]))
        if field in DIGITS:
            return _bcd(self._take(DIGITS[field]))
        if field == FLOAT:
            (number,) = struct.unpack("<f", self._take(4))
            return float(number) if math.isfinite(number) else None
        return self._variable() if field == VARIABLE else None

    def _variable(self) -> float | None:
        """Return the number of variable length; None for text, which is nobody's business."""
        lvar = self._take(1)[0]
        if lvar < 0xC0:
            self._take(lvar)
            return None
        kind, size = lvar & 0xF0, lvar & 0xF
        if kind in (0xC0, 0xD0):
            number = _bcd(self._take(size))
            return -number if number is not None and kind == 0xD0 else number
        if kind == 0xE0:
            return _integer(self._take(size))
        self._take({5: 48, 6: 64}.get(size, 4 * (size + 4)))
        return None


def _integer(data: bytes) -> float | None:
    """Return a signed integer; the lowest one means "invalid"."""
    number = int.from_bytes(data, "little", signed=True)
    return None if number == -(1 << 8 * len(data) - 1) and len(data) > 1 else float(number)


def _bcd(data: bytes) -> float | None:
    """Return a packed decimal, F before it meaning minus; None where a digit is none."""
    text = data[::-1].hex()
    sign = -1 if text.startswith("f") else 1
    digits = text[1:] if sign < 0 else text
    return sign * float(digits) if digits.isdecimal() else None


def _scale(rows: tuple[Row, ...], code: int) -> Scale | None:
    for first, codes, scale in rows:
        if first <= code < first + codes:
            return scale._replace(power=scale.power + code - first)
    return None


def _of_primary(code: int) -> Scale | None:
    for first, quantity in ((ON_TIME, "on_time"), (OPERATING_TIME, "operating_time")):
        if first <= code < first + len(TIMES):
            return Scale(quantity, factor=TIMES[code - first])
    return _scale(PRIMARY, code)


def _value(
    number: float | None, scale: Scale | None, changes: list[int]
) -> tuple[float | None, list[int], bool]:
    """Return the value in its unit, the errors that are told of it, and whether it is plain."""
    errors = [one for one in changes if one in ERRORS]
    plain, power = True, scale.power if scale else 0
    for one in changes:
        if 0x70 <= one <= 0x77:
            power += one - 0x76
        elif one == 0x7D:
            power += 3
        elif one and one not in ERRORS:
            plain = False
    if number is None or scale is None or errors:
        return None, errors, plain
    shifted = number * 10.0**power if power >= 0 else number / 10.0**-power
    return shifted * scale.factor, errors, plain
