"""A TMP117 as its registers: what Texas Instruments SNOSD82 §7.6 says the chip answers.

It converts by itself, once on request, or not at all; alert limits and the EEPROM are left out.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Fate, Period, Table
from edgenode.virtual.registers import RegisterChip
from edgenode.virtual.series import Play

CONVERTING_US: Final = 15_500  # each conversion of an average
CONVERSIONS: Final = (1, 8, 32, 64)  # by bits 6:5
CYCLE_US: Final = (15_500, 125_000, 250_000, 500_000, 1_000_000, 4_000_000, 8_000_000, 16_000_000)
AFTER_RESET: Final = 0x0220
RESETTING_NS: Final = 2_000_000
NOTHING_YET: Final = 0x8000
SHUTDOWN, ONE_SHOT = 1, 3  # modes; the others convert continuously


class Tmp117Spec(Table, frozen=True, tag_field="kind", tag="tmp117"):
    """[[instrument]] kind = "tmp117": °C, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x48, le=0x4B)] = 0x48
    every_ms: Period = 1000
    temperature: Play = Play("air_uci:T", decimals=2)
    device_id: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0x0117


class VirtualTMP117(RegisterChip):
    """One chip that plays a temperature; misbehaves on command and logs what it answered."""

    quantities: ClassVar = ("temperature",)

    def _power_up(self, now_ns: int) -> None:
        self._result = NOTHING_YET
        self._configure(AFTER_RESET, now_ns + RESETTING_NS)

    def _configure(self, word: int, now_ns: int) -> None:
        """Begin to convert anew."""
        self._config = word & 0x0FFC
        self._began_ns, self._done, self._ready = now_ns, 0, False
        self._fresh: tuple[float, ...] | None = None  # converted, not yet read

    def _put(self, register: int, word: int, now_ns: int) -> None:
        if register != 0x01:
            return
        if word & 0x0002:
            self._power_up(now_ns)
        else:
            self._convert(now_ns)
            self._configure(word, now_ns)

    def _get(self, register: int, now_ns: int, fate: Fate) -> int:
        self._convert(now_ns)
        if register == 0x00:
            if self._fresh:
                self._log(self._fresh, now_ns, fate)
            self._ready, self._fresh = False, None
            return self._result
        if register == 0x01:
            word = self._config | self._ready << 13
            self._ready = False
            return word
        return self.spec.device_id if register == 0x0F else 0

    def _convert(self, now_ns: int) -> None:
        """Finish the conversions that had time to finish; only the newest is kept."""
        mode = self._config >> 10 & 3
        if mode == SHUTDOWN:
            return
        active_ns = CONVERSIONS[self._config >> 5 & 3] * CONVERTING_US * 1000
        cycle_ns = max(CYCLE_US[self._config >> 7 & 7] * 1000, active_ns)
        passed_ns = now_ns - self._began_ns - active_ns
        done = passed_ns // cycle_ns + 1 if passed_ns >= 0 else 0
        done = min(done, 1) if mode == ONE_SHOT else done
        if done <= self._done:
            return
        self._done, self._ready = done, True
        self._fresh = self._values(self._began_ns + active_ns + (done - 1) * cycle_ns)
        steps = min(max(round(self._fresh[0] / 0.0078125), -0x7FFF), 0x7FFF)
        self._result = steps & 0xFFFF
        if mode == ONE_SHOT:
            self._config = self._config & 0x03FC | SHUTDOWN << 10
