"""Winsen MH-Z19B and MH-Z19C: carbon dioxide by infrared, asked over a serial port.

Datasheet: Winsen MH-Z19B user's manual V1.6 (2020) and MH-Z19C V1.0: "UART communication
protocol", preheat time, range and life under "Main parameters". The request and its answer agree
with PyPMS and airRohr's firmware, self-calibration (command 79) with ESPHome's mhz19. Byte 4 of
the answer holds a temperature, by ESPHome and others but not by the manual: it is that of the
part's own electronics, and not passed on.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.bus import SerialPort
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import BadFrame, BusTimeout
from edgenode.reading import Channel, Quality, Sample, SerialLine

START: Final = 0xFF
NUMBER: Final = 0x01  # of the sensor; it has no other
READ: Final = 0x86
SELF_CALIBRATION: Final = 0x79
ON, OFF = 0xA0, 0x00
FRAME_BYTES: Final = 9  # of a request and of an answer
ANSWER_S: Final = 0.2  # a part that has not answered by then will not; 9 characters take 9 ms
SETTING_S: Final = 0.1  # some firmwares answer a setting and some do not


def checksum(frame: bytes) -> int:
    """Return the negative of the sum of bytes 1 to 7."""
    return -sum(frame[1 : FRAME_BYTES - 1]) & 0xFF


def command(code: int, value: int = 0) -> bytes:
    """Return the frame of a command with one parameter."""
    frame = bytes((START, NUMBER, code, value, 0, 0, 0, 0))
    return frame + bytes((checksum(frame + b"\0"),))


def parsed(answer: bytes) -> int:
    """Return CO2 in ppm. Raises BusTimeout or BadFrame for what is no answer to READ."""
    if not answer:
        raise BusTimeout("MH-Z19: no answer; check its 5 V, and that TX and RX are crossed")
    whole = len(answer) == FRAME_BYTES and answer[-1] == checksum(answer)
    if not whole or answer[:2] != bytes((START, READ)):
        raise BadFrame(
            f"MH-Z19: {answer.hex(' ')} is no answer; "
            "check the baud rate (9600), the ground wire and what else is on this port"
        )
    return int.from_bytes(answer[2:4], "big")


def decode(ppm: int, most: int) -> Sample:
    """Return the sample: 0 ppm is no measurement yet, and `most` is as far as the part goes."""
    if ppm == 0:
        return Sample((None,), (Quality.MISSING,))
    return Sample((ppm,), (Quality.CLAMPED,) if ppm >= most else ())


class MHZ19Options(Options, frozen=True):
    """What an installer may choose; the part itself is told of self-calibration alone."""

    range_ppm: Annotated[
        Literal[2000, 5000, 10000],
        Meta(title="what the part is made or set for; a reading at its end is clamped"),
    ] = 5000
    self_calibration: (
        Annotated[
            bool,
            Meta(description="takes the lowest of a day for 400 ppm: for fresh air only"),
        ]
        | None
    ) = None


class MHZ19(Driver):
    """One sensor, asked for each reading."""

    wire: ClassVar[WireKind] = "serial"
    model: ClassVar[str] = "MH-Z19"
    options: ClassVar[type[Options]] = MHZ19Options
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("co2", "ppm", observed="AirQualityObserved/co2", low=0, high=10_000),
    )
    budget_s: ClassVar[float] = 0.5
    fastest_s: ClassVar[float] = 5.0  # it measures no faster; T90 is two minutes
    settle_s: ClassVar[float] = 180.0  # "preheat time 3 min" (MH-Z19B; 1 min MH-Z19C)
    line: ClassVar[SerialLine | None] = SerialLine(9600)
    alone: ClassVar[bool] = True
    life: ClassVar[Life | None] = Life(5 * 365.25 * 24, "lamp")  # "> 5 years"
    grade: ClassVar[Grade] = "oracle"

    def __init__(
        self,
        wire: SerialPort,
        options: MHZ19Options,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._port, self._most = wire, options.range_ppm
        asked(wire)  # or nobody would hear the setting
        if options.self_calibration is not None:
            wire.write(command(SELF_CALIBRATION, ON if options.self_calibration else OFF))
            sleep(SETTING_S)

    @classmethod
    def identify(
        cls, wire: SerialPort, sleep: Callable[[float], None] = time.sleep
    ) -> Found | None:
        """Return the part where its answer has the right form, which other Winsen parts share."""
        del sleep
        try:
            asked(wire)
        except BadFrame:
            return None
        return Found("MH-Z19B or MH-Z19C, or another CO2 sensor of Winsen")

    def read(self, now_ms: int) -> Sample:
        """Ask once. Raises BusError, BusTimeout or BadFrame."""
        del now_ms  # the answer is of now
        return decode(asked(self._port), self._most)

    def close(self) -> None:
        """Give the port back; the part goes on measuring."""
        self._port.close()


def asked(port: SerialPort) -> int:
    """Return CO2 in ppm as the part answers. Raises BusError, BusTimeout or BadFrame."""
    port.discard()  # what came late answers another request
    port.write(command(READ))
    return parsed(port.receive(FRAME_BYTES, ANSWER_S))
