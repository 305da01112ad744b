"""An ADS1115 as its four registers: what Texas Instruments SBAS444D §9 says it answers.

With `bits = 12` it is an ADS1015 (SBAS473E §9): the same words, other rates, shorter results.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Fate, Period, Table
from edgenode.virtual.registers import RegisterChip
from edgenode.virtual.series import Play

AT_START: Final = (0x0000, 0x8583, 0x8000, 0x7FFF)
CONFIG: Final = 1
RATES: Final = {
    16: (8, 16, 32, 64, 128, 250, 475, 860),
    12: (128, 250, 490, 920, 1600, 2400, 3300, 3300),
}
RANGES_V: Final = (6.144, 4.096, 2.048, 1.024, 0.512, 0.256, 0.256, 0.256)
DIFFERENCES: Final = ((0, 1), (0, 3), (1, 3), (2, 3))
QUIET: Final = Play(offset=0.5)


class Ads1115Spec(Table, frozen=True, tag_field="kind", tag="ads1115"):
    """[[instrument]] kind = "ads1115": V at each pin, one row of its series each `every_ms`."""

    sensor: str
    bus: str = "i2c"
    address: Annotated[int, Meta(ge=0x48, le=0x4B)] = 0x48
    every_ms: Period = 1000
    bits: Literal[16, 12] = 16
    in0: Play = Play("air_uci:T", gain=0.05, decimals=4)
    in1: Play = Play("air_uci:RH", gain=0.03, decimals=4)
    in2: Play = Play("air_uci:NO2_GT", gain=0.01, decimals=4)
    in3: Play = QUIET


class VirtualADS1115(RegisterChip):
    """One chip between four wires; misbehaves on command and logs what it answered."""

    quantities: ClassVar = ("in0", "in1", "in2", "in3")

    def _power_up(self, now_ns: int) -> None:
        self._registers = list(AT_START)
        self._due_ns: int | None = None  # when the conversion that was asked for is finished
        self._fresh: tuple[str, float] | None = None  # converted, not yet read
        self._next_ns = now_ns  # of a conversion in continuous mode

    def _put(self, register: int, word: int, now_ns: int) -> None:
        """§9.6.3: the start bit begins one conversion of a chip that sleeps, and is not kept."""
        self._settle(now_ns)
        at = register & 3
        if at == 0:
            return  # read only
        if at != CONFIG:
            self._registers[at] = word
            return
        self._registers[CONFIG] = word & 0x7FFF
        if not word & 0x0100:
            self._next_ns = now_ns + self._converting_ns()
            self._due_ns = None
        elif word & 0x8000 and self._due_ns is None:
            self._due_ns = now_ns + self._converting_ns()

    def _get(self, register: int, now_ns: int, fate: Fate) -> int:
        self._settle(now_ns)
        at = register & 3
        if at == 0 and self._fresh:
            self._note(*self._fresh, now_ns, fate)
            self._fresh = None
        idle = at == CONFIG and self._due_ns is None and self._registers[CONFIG] & 0x0100
        return self._registers[at] | (0x8000 if idle else 0)

    def _converting_ns(self) -> int:
        return 1_000_000_000 // RATES[self.spec.bits][self._registers[CONFIG] >> 5 & 7]

    def _settle(self, now_ns: int) -> None:
        """Finish what had time to finish."""
        if self._due_ns is not None and now_ns >= self._due_ns:
            self._convert(self._due_ns)
            self._due_ns = None
        elif not self._registers[CONFIG] & 0x0100 and now_ns >= self._next_ns:
            self._convert(now_ns)
            self._next_ns = now_ns + self._converting_ns()

    def _convert(self, at_ns: int) -> None:
        config = self._registers[CONFIG]
        volts = self._values(at_ns)
        mux = config >> 12 & 7
        if mux >= 4:
            name, measured = f"in{mux - 4}", volts[mux - 4]
        else:
            positive, negative = DIFFERENCES[mux]
            name, measured = f"in{positive}-in{negative}", volts[positive] - volts[negative]
        coarse = 1 << (16 - self.spec.bits)
        most = 0x8000 // coarse
        count = round(measured / RANGES_V[config >> 9 & 7] * most)
        self._registers[0] = min(max(count, -most), most - 1) * coarse & 0xFFFF
        self._fresh = (name, measured)
