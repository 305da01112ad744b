"""Known answers of the MH-Z19, and the changes to it that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from edgenode.errors import BadFrame, BusTimeout, EdgenodeError
from edgenode.reading import Quality, Sample
from tests.support.fake_cable import FakeCable
from tests.support.hexdump import recorded

MUTANTS = (
    ("START: Final = 0xFF", "START: Final = 0xFE"),
    ("NUMBER: Final = 0x01", "NUMBER: Final = 0x02"),
    ("READ: Final = 0x86", "READ: Final = 0x85"),
    ("SELF_CALIBRATION: Final = 0x79", "SELF_CALIBRATION: Final = 0x87"),
    ("ON, OFF = 0xA0, 0x00", "ON, OFF = 0x00, 0xA0"),
    ("FRAME_BYTES: Final = 9", "FRAME_BYTES: Final = 8"),
    ("ANSWER_S: Final = 0.2", "ANSWER_S: Final = 0.02"),
    ("return -sum(", "return sum("),
    ("frame[1 : FRAME_BYTES - 1]", "frame[: FRAME_BYTES - 1]"),
    ("value, 0, 0, 0, 0", "0, value, 0, 0, 0"),
    ("answer[-1] == checksum(answer)", "True"),
    ("if not whole or answer[:2]", "if answer[:2]"),
    ("answer[:2] != bytes((START, READ))", "False"),
    ("answer[2:4]", "answer[3:5]"),
    ('answer[2:4], "big"', 'answer[2:4], "little"'),
    ("if ppm == 0:", "if False:"),
    ("ppm >= most", "ppm > most"),
    ("Quality.CLAMPED", "Quality.OK"),
)
RECORDED_PPM = 636  # of all eight frames; 0x42 is 26 °C inside
REQUEST = "ff0186000000000079"


def answer(ppm: int) -> bytes:
    """Return an answer as the manual has it."""
    body = bytes((0xFF, 0x86)) + ppm.to_bytes(2, "big") + bytes((0x42, 0, 0, 0))
    return body + bytes(((0x100 - sum(body[1:]) % 0x100) % 0x100,))


def opened(module: ModuleType, said: bytes, **options: Any) -> tuple[Any, FakeCable]:
    cable = FakeCable(lambda _: said)
    made = module.MHZ19Options(**options)
    return module.MHZ19(cable, made, sleep=lambda _: None), cable


def read(module: ModuleType, said: bytes) -> Sample | type[Exception]:
    """Return what a driver that was opened makes of an answer, or what it raises."""
    sensor, cable = opened(module, answer(400), range_ppm=2000)
    cable.parts[:] = [lambda _: said]
    try:
        found: Sample = sensor.read(0)
    except EdgenodeError as exc:
        return type(exc)
    return found


def known_answers_hold(module: ModuleType) -> bool:
    said = recorded("mhz19b.hexdump")[0]
    try:
        _, cable = opened(module, said)
        _, on = opened(module, said, self_calibration=True)
        _, off = opened(module, said, self_calibration=False)
    except EdgenodeError:
        return False
    return (
        all(read(module, raw) == Sample((636,)) for raw in recorded("mhz19b.hexdump"))
        and [one.hex() for one in cable.sent] == [REQUEST]
        and on.sent[1].hex() == "ff0179a000000000e6"
        and off.sent[1].hex() == "ff01790000000000" + "86"
        and read(module, answer(0)) == Sample((None,), (Quality.MISSING,))
        and read(module, answer(1999)) == Sample((1999,))
        and read(module, answer(2000)) == Sample((2000,), (Quality.CLAMPED,))
        and read(module, said[:-1] + b"\xbb") is BadFrame
        and read(module, b"\xff\x79" + bytes(6) + b"\x87") is BadFrame
        and read(module, b"") is BusTimeout
    )
