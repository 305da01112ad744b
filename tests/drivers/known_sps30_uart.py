"""Known answers of the SPS30 on its UART and of SHDLC, and the changes that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from edgenode.errors import (
    BadFrame,
    BusError,
    BusTimeout,
    EdgenodeError,
    ImpossibleValue,
    WrongDevice,
)
from edgenode.reading import SerialLine
from tests.support.fake_cable import FakeCable
from tests.support.sps30_uart import FakeSPS30, framed

MUTANTS = (
    ("WAKE: Final = 0x11", "WAKE: Final = 0x10"),
    ('PULSE: Final = b"\\xff"', 'PULSE: Final = b""'),
    ("STOP: Final = 0x01", "STOP: Final = 0x10"),
    ("START: Final = 0x00", "START: Final = 0x56"),
    ('AS_FLOATS: Final = b"\\x01\\x03"', 'AS_FLOATS: Final = b"\\x01\\x05"'),
    ("READ: Final = 0x03", "READ: Final = 0x02"),
    ('">10f"', '"<10f"'),
    ('">10f"', '">9f"'),
    ("INFORMATION: Final = 0xD0", "INFORMATION: Final = 0xD1"),
    ('PRODUCT_TYPE, SERIAL = b"\\x00", b"\\x03"', 'PRODUCT_TYPE, SERIAL = b"\\x01", b"\\x03"'),
    ("VERSION: Final = 0xD1", "VERSION: Final = 0xD2"),
    ("STATUS: Final = 0xD2", "STATUS: Final = 0xD1"),
    ('b"\\x00", b"\\x01"', 'b"\\x01", b"\\x01"'),
    ('b"\\x00", b"\\x01"', 'b"\\x00", b"\\x00"'),
    ("STATUS_BYTES: Final = 4", "STATUS_BYTES: Final = 5"),
    ('[:STATUS_BYTES], "big"', '[:STATUS_BYTES], "little"'),
    (">= STATUS_SINCE", "< STATUS_SINCE"),
    ("if answer.unwell:", "if not answer.unwell:"),
)
OF_THE_FRAMES = (
    ('EDGE: Final = b"\\x7e"', 'EDGE: Final = b"\\x7f"'),
    ("ESCAPE: Final = 0x7D", "ESCAPE: Final = 0x7C"),
    ("FLIP: Final = 0x20", "FLIP: Final = 0x10"),
    ("(0x7E, 0x7D, 0x11, 0x13)", "(0x7E, 0x7D, 0x11)"),
    ("HEAD_BYTES: Final = 4", "HEAD_BYTES: Final = 3"),
    ("UNWELL: Final = 0x80", "UNWELL: Final = 0x40"),
    ("NOT_NOW: Final = 0x43", "NOT_NOW: Final = 0x42"),
    ("return ~sum(content) & 0xFF", "return sum(content) & 0xFF"),
    ("return ~sum(content) & 0xFF", "return ~sum(content[2:]) & 0xFF"),
    ("(address, command, len(data))) + data", "(address, command)) + data"),
    ("checksum(whole[:-1]) != whole[-1]", "False"),
    ("(address, answered, length) != (self._address, command, len(data))", "False"),
    ("return max(1, HEAD_BYTES + length + 2 - len(whole))", "return 1"),
    ("bool(state & UNWELL)", "False"),
    ("if code == NOT_NOW:", "if code:"),
    ("if code == UNKNOWN:", "if code == 0x04:"),
    (".lstrip(EDGE)", ""),
)
REQUESTS = [
    "7e00d001002e7e",  # product type
    "7e000100fe7e",  # stop, start, read: as PyPMS and pmmonitor send them
    "7e00d1002e7e",
    "7e00d201012b7e",  # status, cleared
    "7e0000020103f97e",
    "7e000300fc7e",
    "7e00d201002c7e",  # status, kept
]
MEASURED = (5.2347565, 9.4667311, 12.6483183, 13.2846346, 35.25, 41.5, 42.0, 42.25, 42.5, 0.5)


def opened(module: ModuleType, part: FakeSPS30) -> Any:
    cable = FakeCable(part, line=SerialLine(115_200))
    return module.SPS30UART(cable, module.SPS30UARTOptions(), sleep=lambda _: None)


def reads(module: ModuleType) -> bool:
    """Whether the requests are those of others and the answer is read as recorded."""
    part = FakeSPS30()
    values = opened(module, part).read(0).values
    near = all(abs(a - b) < 1e-5 for a, b in zip(values, MEASURED, strict=True))
    return near and part.asked == REQUESTS


def raised(module: ModuleType, command: int, answer: bytes, version: int = 2) -> type[Exception]:
    """Return what a read raises where the part answers one command so."""
    part = FakeSPS30()
    part.answers[0xD1] = framed(0xD1, bytes((version, 3, 0, 7, 0, 2, 0)))
    sensor = opened(module, part)
    part.answers[command] = answer
    try:
        sensor.read(0)
    except EdgenodeError as exc:
        return type(exc)
    return Exception


def tells_failures(module: ModuleType) -> bool:
    """Whether a failed laser is told by new and by old parts, and by nothing else."""
    failed = framed(0xD2, bytes.fromhex("0000002000"))
    return (
        raised(module, 0xD2, failed) is ImpossibleValue
        and raised(module, 0x03, framed(0x03, state=0x80), version=1) is ImpossibleValue
        and raised(module, 0x03, framed(0x03), version=1) is Exception
        and raised(module, 0x03, framed(0x03, bytes(20))) is BadFrame
    )


def known_answers_hold(module: ModuleType) -> bool:
    try:
        return reads(module) and tells_failures(module) and _wakes(module)
    except EdgenodeError:
        return False


def _wakes(module: ModuleType) -> bool:
    part = Asleep()
    opened(module, part)
    return part.asked[:4] == [REQUESTS[0], "ff", "7e007d3100ee7e", REQUESTS[0]]


class Asleep(FakeSPS30):
    """Answers nothing until it was woken by a pulse and the command."""

    def __init__(self) -> None:
        super().__init__()
        self._awake = False

    def __call__(self, request: bytes) -> bytes:
        answer = super().__call__(request)
        if request.hex() == "7e007d3100ee7e" and self.asked[-2] == "ff":
            self._awake, answer = True, framed(0x11)
        return answer if self._awake else b""


def answered(module: ModuleType, said: bytes, command: int = 0x80) -> Any:
    """Return what a device of the module makes of an answer, or the error it raises."""
    cable = FakeCable(lambda _: said, line=SerialLine(115_200))
    try:
        return module.Device(cable, "part").ask(command, b"\0"), cable.sent[0].hex()
    except EdgenodeError as exc:
        return type(exc)


def frames_hold(module: ModuleType) -> bool:
    """Whether SHDLC frames are as Sensirion's datasheet and others have them."""
    every = bytes((0x7E, 0x7D, 0x11, 0x13, 0x5E, 0x5D, 0x31, 0x33, 0))
    said = framed(0x80, every)
    kind = module.NotNow if hasattr(module, "NotNow") else None
    try:
        return bool(
            # "read clean interval", whose checksum is stuffed
            answered(module, said) == ((every, False), "7e008001007d5e7e")
            and answered(module, framed(0x80, state=0x80)) == ((b"", True), "7e008001007d5e7e")
            and answered(module, b"\x7e" + said) == ((every, False), "7e008001007d5e7e")
            and answered(module, said[:-2] + b"\x00\x7e") is BadFrame
            and answered(module, said, command=0x81) is BadFrame
            and answered(module, b"\x7e\x00\x80\x00\x05\x00\x7a\x7e") is BadFrame
            and answered(module, framed(0x80, state=0x43)) is kind
            and answered(module, framed(0x80, state=0x02)) is WrongDevice
            and answered(module, framed(0x80, state=0x04)) is BusError
            and answered(module, b"") is BusTimeout
            and module.stuffed(every[:4]).hex() == "7d5e7d5d7d317d33"
        )
    except EdgenodeError:
        return False
