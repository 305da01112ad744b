"""The BMP280 and the BME280 alike: reset, calibration, forced mode, and results that are proved.

Datasheet: Bosch Sensortec BST-BMP280-DS001 (forced mode §3.6.2, memory map §4.2, calibration
§3.11.2) and BST-BME280-DS002 (§3.3.3, §5.3, §4.2.2; measurement time §9.1).
"""

from __future__ import annotations

import struct
import time
from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Final

from drivers.bosch import (
    ADDRESSES,
    ALL_X1_FORCED,
    ALL_X1_SLEEP,
    PARTS,
    REG_RESET,
    RESET,
    BoschOptions,
    Controls,
    chip_id,
    prove,
    prove_identity,
)
from edgenode.bus import I2CDevice
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BadFrame, BusTimeout
from edgenode.reading import Sample

REG_CALIBRATION: Final = 0x88  # T1-T3, P1-P9
REG_STATUS: Final = 0xF3
REG_CTRL_MEAS: Final = 0xF4
REG_CONFIG: Final = 0xF5
REG_RESULTS: Final = 0xF7
STATUS_BUSY: Final = 0x09  # measuring, or copying the calibration out of its memory
MEASURING_S: Final = 0.010  # 9.3 ms at most with every oversampling at x1, 6.4 without humidity
STARTING_S: Final = 0.002  # after power-on and reset (§1.1)
TRIES: Final = 5


def trim(low: bytes, part: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Unpack T1-T3 and P1-P9 from the 24 bytes at 0x88.

    Raises BadFrame for memory that did not answer (all zeros or all ones).
    """
    if low[0:2] in {b"\x00\x00", b"\xff\xff"} or low[6:8] in {b"\x00\x00", b"\xff\xff"}:
        raise BadFrame(f"{part}: its calibration memory did not answer; check supply and wiring")
    words = struct.unpack("<Hhh Hhhhhhhhh", low[:24])
    return words[:3], words[3:]


class Forced280(Driver):
    """One chip in forced mode: it measures when asked and sleeps in between, so it stays cool."""

    wire: ClassVar[WireKind] = "i2c"
    options: ClassVar[type[Options]] = BoschOptions
    budget_s: ClassVar[float] = 0.25  # 12 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 0.05  # a measurement of 10 ms, and time to cool
    addresses: ClassVar[tuple[int, ...]] = ADDRESSES
    grade: ClassVar[Grade] = "oracle"

    first: ClassVar[int]  # the register with which its burst begins; it ends with the results
    burst: ClassVar[int]  # bytes of it
    controls: ClassVar[Controls] = {REG_CTRL_MEAS: (0xFF, ALL_X1_SLEEP), REG_CONFIG: (0xFD, 0x00)}

    def __init__(
        self, wire: I2CDevice, options: BoschOptions, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._i2c, self._sleep = wire, sleep
        self._where = f"0x{options.address:02x}"
        prove_identity(wire, self.model, self._where)
        wire.write(REG_RESET, RESET)  # what an earlier program set up must not matter
        self._await_calibration()
        self._calibrate()

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its chip id."""
        del sleep
        found = chip_id(wire)
        return (
            Found(f"{cls.model}, chip id 0x{found:02x}") if PARTS.get(found) == cls.model else None
        )

    def read(self, now_ms: int) -> Sample:
        """Measure once. Raises BusError, BusTimeout, BadFrame or ImpossibleValue."""
        del now_ms  # a forced measurement is about now by itself
        self._prepare()
        self._i2c.write(REG_CTRL_MEAS, bytes((ALL_X1_FORCED,)))
        self._sleep(MEASURING_S)
        for _ in range(TRIES):
            frame = self._i2c.read(self.first, self.burst)
            if not self._measuring(frame):
                prove(frame, self.first, self.controls, f"{self.model} at {self._where}")
                return self._sample(frame[REG_RESULTS - self.first :])
            self._sleep(STARTING_S)
        raise BusTimeout(f"{self.model} at {self._where}: still measuring; is the supply stable?")

    def close(self) -> None:
        """Give the descriptor back; forced mode has already put the chip to sleep."""
        self._i2c.close()

    @abstractmethod
    def _calibrate(self) -> None:
        """Read the trim factors; raises BadFrame."""

    def _prepare(self) -> None:
        """Write what must stand in the chip before a measurement begins."""

    @abstractmethod
    def _sample(self, results: bytes) -> Sample:
        """Decode what was measured; raises ImpossibleValue."""

    def _measuring(self, frame: bytes) -> bool:
        """Whether the chip says so; only a forced measurement of ours is worth waiting for."""
        status, control = (frame[at - self.first] for at in (REG_STATUS, REG_CTRL_MEAS))
        return bool(status & STATUS_BUSY) and control == ALL_X1_FORCED

    def _await_calibration(self) -> None:
        for _ in range(TRIES):
            self._sleep(STARTING_S)
            if not self._i2c.read(REG_STATUS, 1)[0] & STATUS_BUSY:
                return
        raise BusTimeout(
            f"{self.model} at {self._where}: not ready after a reset; is it a {self.model}?"
        )
