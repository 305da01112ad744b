"""A port with an SDS011 behind it that answers commands as a test says."""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

from tests.support.fake_serial import FakeSerial


def told(code: int, *values: int) -> str:
    """Return a command as the protocol V1.3 has it, in hex."""
    data = bytes((code, *values)).ljust(13, b"\0")
    return f"aab4{data.hex()}ffff{(sum(data) + 0x1FE) % 256:02x}ab"


def answer(*data: int) -> bytes:
    """Return the answer of the part whose frames were recorded, with up to four bytes."""
    body = bytes(data).ljust(4, b"\0") + b"\x58\xd9"
    return b"\xaa\xc5" + body + bytes((sum(body) % 256, 0xAB))


def report(pm25: float, pm10: float) -> bytes:
    """Return a report of so much, in µg/m³."""
    body = b"".join(round(10 * pm).to_bytes(2, "little") for pm in (pm25, pm10)) + b"\x58\xd9"
    return b"\xaa\xc0" + body + bytes((sum(body) % 256, 0xAB))


WAKE: Final = "aab4060101" + "00" * 10 + "ffff06ab"  # as in PyPMS
SLEEP: Final = "aab4060100" + "00" * 10 + "ffff05ab"
MODE: Final = told(0x02, 0)
SET_MODE: Final = "aab4020100" + "00" * 10 + "ffff01ab"
PERIOD: Final = told(0x08, 0)
SET_PERIOD: Final = told(0x08, 1, 5)
WELL: Final = {
    WAKE: answer(6, 1, 1),
    MODE: answer(2, 0, 0),
    PERIOD: answer(8, 0, 5),
    SET_PERIOD: answer(8, 1, 5),
    told(0x08, 1, 0): answer(8, 1, 0),
}


class AnsweringPort(FakeSerial):
    """What is written is answered at once; what is not known, by silence."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        super().__init__()
        self.answers = answers

    def write(self, data: bytes) -> None:
        super().write(data)
        self.say(self.answers.get(data.hex(), b""))

    @property
    def asked(self) -> list[str]:
        return [one.hex() for one in self.written]


def opened(
    module: ModuleType, minutes: int = 5, answers: dict[str, bytes] | None = None
) -> tuple[Any, AnsweringPort]:
    """Return a driver that has just been opened at 0 ms."""
    port = AnsweringPort(WELL if answers is None else answers)
    sensor = module.SDS011(port, module.SDS011Options(period_min=minutes), clock=port.clock)
    sensor.feed(0)
    return sensor, port
