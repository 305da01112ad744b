"""Known answers of the M-Bus driver, its frames and its records, and changes that fail them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

from edgenode.bus.mbus import short
from edgenode.errors import EdgenodeError
from edgenode.reading import EventCode, Quality
from tests.support.fake_cable import FakeCable

CAPTURES = Path(__file__).parents[1] / "data" / "mbus"


def captured(name: str) -> bytes:
    """Return a frame that libmbus publishes."""
    return bytes.fromhex((CAPTURES / f"{name}.hex").read_text(encoding="ascii"))


HEAT = captured("minol_minocal_c2")
ANSWERS = (3.0, 0.073, 0.0, 0.0, 20.09, 19.27)  # by its .norm.xml

MUTANTS = [
    ("BUSY, FAILED = 1, 2", "BUSY, FAILED = 3, 2"),
    ("BUSY, FAILED = 1, 2", "BUSY, FAILED = 1, 3"),
    ("TEMPORARY = 0x04, 0x08, 0x10", "TEMPORARY = 2, 8, 16"),
    ("TEMPORARY = 0x04, 0x08, 0x10", "TEMPORARY = 4, 4, 16"),
    ("TEMPORARY = 0x04, 0x08, 0x10", "TEMPORARY = 4, 8, 1"),
    ("Quality.STALE if", "Quality.OK if"),
    ("Quality.ESTIMATED", "Quality.OK"),
    ("if self._low and not before", "if self._low"),
    ("SerialLine(2400", "SerialLine(9600"),
    ('"even")', '"none")'),
    ("enumerate(telegram.records, seen)", "enumerate(telegram.records)"),
    ("not telegram.more or", "telegram.more or"),
    ("if place not in found and", "if"),
    ("        self._slave.reset()\n        found", "        found"),
    ('if "other" not in', 'if "none" not in'),
]
OF_FRAMES = [
    ("SHORT, LONG, STOP = 0x10, 0x68, 0x16", "SHORT, LONG, STOP = 0x10, 0x68, 0x10"),
    ("SHORT, LONG, STOP = 0x10, 0x68, 0x16", "SHORT, LONG, STOP = 0x16, 0x68, 0x16"),
    ("SHORT, LONG, STOP = 0x10, 0x68, 0x16", "SHORT, LONG, STOP = 0x10, 0x86, 0x16"),
    ("SND_NKE: Final = 0x40", "SND_NKE: Final = 0x44"),
    ("REQ_UD2: Final = 0x5B", "REQ_UD2: Final = 0x5A"),
    ("FCB: Final = 0x20", "FCB: Final = 0x10"),
    ('ACK: Final = b"\\xe5"', 'ACK: Final = b"\\xa2"'),
    ("control + address & 0xFF", "control ^ address"),
    ("frame[HEAD_BYTES:-2]", "frame[HEAD_BYTES + 1 : -2]"),
    ("frame[6:-2]", "frame[7:-2]"),
    ("self._fcb ^= FCB", "self._fcb |= FCB"),
    ("frame[4:6]", "frame[5:7]"),
    ("0x08, 0x18", "0x09, 0x18"),
    ("head[1] + 2 if", "head[1] + 1 if"),
]
OF_RECORDS = [
    ('Scale("energy", -6)', 'Scale("energy", -3)'),
    ("1 / J_IN_KWH)),  # 1 J", "1 / HOUR_S)),  # 1 J"),
    ('Scale("volume", -6)', 'Scale("volume", -5)'),
    ("0x28, 8", "0x29, 8"),
    ('Scale("flow", -6)', 'Scale("flow", -7)'),
    ("-7, 60.0", "-7, 1.0"),
    ("-9, HOUR_S", "-9, 60.0"),
    ('0x58, 4, Scale("flow_temperature"', '0x58, 4, Scale("return_temperature"'),
    ('Scale("energy", 2)', 'Scale("energy", 3)'),
    ('Scale("energy", 8', 'Scale("energy", 9'),
    ('Scale("voltage", -9)', 'Scale("voltage", -10)'),
    ('Scale("current", -12)', 'Scale("current", -9)'),
    ("0x72: 12", "0x72: 13"),
    ("(dife & 0xF) << 1 + 4 * n", "(dife & 0xF) << 4 * n"),
    ("(dife >> 4 & 3) << 2 * n", "(dife >> 4 & 3) << 4 * n"),
    ("(dife >> 6 & 1) << n", "(dife >> 7 & 1) << n"),
    ("FUNCTIONS[dif >> 4 & 3]", "FUNCTIONS[dif >> 5 & 3]"),
    ("dif >> 6 & 1, 0, 0", "0, 0, 0"),
    ("signed=True", "signed=False"),
    ("6: 6, 7: 8}", "6: 6, 7: 7}"),
    ("0xE: 6}", "0xE: 5}"),
    ("sign = -1 if", "sign = 1 if"),
    ("one - 0x76", "one - 0x75"),
    ("power += 3", "power += 2"),
    ("NO_DATA: Final = 0x15", "NO_DATA: Final = 0x16"),
    ("MORE_FOLLOWS, IDLE = 0x0F, 0x1F, 0x2F", "MORE_FOLLOWS, IDLE = 0x0F, 0x0F, 0x2F"),
    ("(10, 5, 0)", "(0, 5, 10)"),
    ("data[7]", "data[6]"),
    ("mode & 0x1F", "mode & 0x00"),
    ("self._take(self._take(1)[0])", "self._take(1)"),
]


def framed(payload: bytes, address: int = 1, control: int = 0x08) -> bytes:
    """Put a long frame around a payload, from its CI field on."""
    user = bytes((control, address)) + payload
    return bytes((0x68, len(user), len(user), 0x68)) + user + bytes((sum(user) & 0xFF, 0x16))


def telegram(records: str, status: int = 0, medium: int = 4, mode: int = 0) -> bytes:
    """Return a payload with a header of a maker EDG, and these records."""
    head = bytes.fromhex("72 00 00 00 00 87 14 01") + bytes((medium, 1, status, 0, mode))
    return head + bytes.fromhex(records)


class Meter:
    """Answers from a list of payloads, one after another while the FCB changes."""

    def __init__(self, *payloads: bytes, address: int = 1) -> None:
        self.payloads, self.address = payloads, address
        self.at, self.fcb = -1, -1

    def __call__(self, asked: bytes) -> bytes:
        if (
            len(asked) != 5
            or asked[2] not in (self.address, 254)
            or asked[3] != sum(asked[1:3]) % 256
        ):
            return b""
        if asked[1] == 0x40:
            self.at = self.fcb = -1
            return b"\xe5"
        if asked[1] not in (0x5B, 0x7B):
            return b""
        if asked[1] != self.fcb:
            self.at, self.fcb = (self.at + 1) % len(self.payloads), asked[1]
        return framed(self.payloads[self.at], self.address)


def cable(*parts: Any, **line: Any) -> FakeCable:
    """Return a cable with these meters, at 2400 baud and even parity."""
    made = FakeCable(*parts)
    made.line = made.line._replace(**{"baud": 2400, "parity": "even", **line})
    return made


RECORDS = [  # with what EN 13757-3 and libmbus make of each
    ("04 06 98 14 00 00", ("energy", 5272.0)),
    ("04 0E 10 00 00 00", ("energy", 16e6 / 3.6e6)),
    ("0C 13 78 56 34 12", ("volume", 12345.678)),
    ("0B 2B 50 34 F2", ("power", -23450.0)),
    ("0B 3B 43 00 00", ("flow", 0.043)),
    ("02 40 10 27", ("flow", 0.06)),
    ("02 48 10 27", ("flow", 0.036)),
    ("02 59 D9 07", ("flow_temperature", 20.09)),
    ("02 5D 87 F8", ("return_temperature", -19.13)),
    ("05 5B 00 00 C8 41", ("flow_temperature", 25.0)),
    ("04 FB 00 08 00 00 00", ("energy", 800.0)),
    ("01 FB 09 01", ("energy", 1000 / 3.6)),
    ("0E 03 56 34 12 00 00 01", ("energy", 10_000_123.456)),
    ("07 03 00 E4 0B 54 02 00 00 00", ("energy", 10_000_000.0)),
    ("02 FD 48 DE 08", ("voltage", 227.0)),
    ("02 FD 59 10 27", ("current", 10.0)),
    ("02 93 74 10 27", ("volume", 0.1)),  # times 10^-2
    ("02 93 7D 10 27", ("volume", 10_000.0)),  # times 1000
    ("0D 13 C3 56 34 12", ("volume", 123.456)),
    ("0D 13 E2 10 27", ("volume", 10.0)),
    ("02 FC 03 6D 6D 6D 74 10 27", ("", None)),  # a unit in words
    ("0A 5A FA 0B", ("flow_temperature", None)),
    ("02 13 00 80", ("volume", None)),
    ("02 93 16 00 00", ("volume", None)),
]


def records_hold(module: ModuleType) -> bool:
    """Whether records are read as they are known to be."""
    try:
        return _records_hold(module)
    except (EdgenodeError, LookupError):
        return False


def _records_hold(module: ModuleType) -> bool:
    for text, (quantity, value) in RECORDS:
        (record,) = module.parsed(telegram(text)).records
        if record.quantity != quantity or (record.value is None) != (value is None):
            return False
        if value is not None and abs(record.value - value) > 1e-9 * abs(value):
            return False
    told = module.parsed(telegram("2F 84 B3 51 06 01 00 00 00 54 13 02 00 00 00 1F 01", 5, 7))
    one, two = told.records
    empty = module.parsed(telegram("02 93 15 00 00")).records[0]
    try:
        module.parsed(telegram("", mode=5))
    except EdgenodeError:
        pass
    else:
        return False
    return bool(
        told.header[:3] == ("EDG", 7, 5)
        and told.more
        and not module.parsed(telegram("01 5B 01 0F 00")).more
        and one[4:] == ("current", 3 * 2 + 32, 3 + 4, 2)
        and two[4:] == ("maximum", 1, 0, 0)
        and empty.missing
    )


def frames_hold(module: ModuleType) -> bool:
    """Whether frames are those of the standard, and the bit that tells news from repeats."""
    wire = cable(Meter(HEAT[6:-2], telegram("")))
    try:
        slave = module.Slave(wire, 1)
        slave.reset()
        told = [slave.request(), slave.request()]
    except EdgenodeError:
        return False
    refused = 0
    flipped = bytearray(HEAT)
    for at in (1, 2, 4, 10, len(HEAT) - 2, len(HEAT) - 1):
        flipped[at] ^= 0x04
        try:
            module.payload(bytes(flipped), 2)
        except EdgenodeError:
            refused += 1
        flipped[at] ^= 0x04
    carried = short(0x40, 200)
    return bool(
        told == [HEAT[6:-2], telegram("")]
        and [sent.hex() for sent in wire.sent] == ["1040014116", "107b017c16", "105b015c16"]
        and refused == 6
        and carried.hex() == "1040c80816"
        and module.short(0x7B, 200).hex() == "107bc84316"
        and module.payload(HEAT, 2) == HEAT[6:-2]
    )


def answers_hold(module: ModuleType) -> bool:
    """Whether the driver makes of a heat meter what is known, and of each status what it means."""
    try:
        return _answers_hold(module)
    except (EdgenodeError, LookupError):
        return False


def quality(module: ModuleType, status: int) -> tuple[Any, list[int]]:
    """Return the quality of a temperature of a meter with this status, and what is told twice."""
    chosen = module.MBusOptions(records=(module.Chosen("flow_temperature"),))
    sensor = module.MBus(cable(Meter(telegram("01 5B 19", status))), chosen)
    samples = [sensor.read(0) for _ in range(2)]
    return samples[1].quality[0], [event.code for one in samples for event in one.events]


def _answers_hold(module: ModuleType) -> bool:
    heat = cable(Meter(HEAT[6:-2]))
    sample = module.MBus(heat, module.MBusOptions()).read(0)
    chosen = module.MBusOptions(
        records=(
            module.Chosen("flow", function="maximum", storage=32),
            module.Chosen("power", index=2),
            module.Chosen("energy"),
        )
    )
    parts = [telegram("0B 3B 43 00 00 0C 06 01 00 00 00 1F"), telegram("02 2B 10 27 1F")]
    parts.append(telegram("92 80 01 3B 01 00 0C 06 02 00 00 00"))
    several = cable(Meter(*parts), baud=9600)
    sensor = module.MBus(several, chosen)
    found = [sensor.read(0).values for _ in range(2)]
    try:
        module.MBus(cable(Meter(telegram("", medium=7))), module.MBusOptions())
    except EdgenodeError:
        pass
    else:
        return False
    module.MBus(cable(Meter(telegram("", medium=0))), module.MBusOptions())
    line = module.MBus.line
    low = [EventCode.SUPPLY_LOW]
    return bool(
        sample.values == ANSWERS
        and found == [(0.001, 10_000.0, 1.0)] * 2
        and quality(module, 0x00) == (Quality.OK, [])
        and quality(module, 0x01) == (Quality.STALE, [])
        and quality(module, 0x02) == (Quality.FAULT, [])
        and quality(module, 0x03) == (Quality.OK, [])
        and quality(module, 0x04) == (Quality.OK, low)
        and quality(module, 0x08) == (Quality.FAULT, [])
        and quality(module, 0x10) == (Quality.ESTIMATED, [])
        and quality(module, 0xE0) == (Quality.OK, [])
        and str(line) == "2400 8E1"
    )
