"""A Senseair S8 as a Modbus slave: what "Modbus on Senseair S8" (TDE2067) says it answers.

It heeds 0xFE and its own address, and gives up to eight input registers from IR1 and from IR26.
"""

from __future__ import annotations

import struct
from typing import Annotated, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.series import Play
from edgenode.virtual.slave import ILLEGAL_ADDRESS, ILLEGAL_FUNCTION, READ_INPUT, ModbusSlave
from edgenode.virtual.truth import Truth

ANYBODY: Final = 0xFE
OWN: Final = 0x68  # as it leaves the factory
ASKED_MOST: Final = 8
MEASURED: Final = range(4)  # IR1 to IR4
IDENTITY: Final = range(0x19, 0x1F)  # IR26 to IR31
SEED: Final = 8  # garbage is random but the same every time


class S8Spec(Table, frozen=True, tag_field="kind", tag="s8"):
    """[[instrument]] kind = "s8": ppm, one row of its series each `every_ms`.

    No recorded series holds CO2: carbon monoxide of the road, scaled, stands in for it.
    """

    sensor: str
    bus: str = "gas"
    every_ms: Period = 10_000
    status: Annotated[int, Meta(ge=0, le=0xFFFF)] = 0
    serial: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0x0672AB01
    co2: Play = Play("air_uci:CO_GT", gain=60, offset=420, decimals=0)


class VirtualS8(ModbusSlave):
    """One sensor that logs each answer that holds CO2."""

    quantities: ClassVar = ("co2",)

    def __init__(self, spec: S8Spec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns, SEED)
        self.status = spec.status

    def is_addressed(self, address: int) -> bool:
        """Whether a request is to anybody or to its own address."""
        return address in {ANYBODY, OWN}

    def refusal(self, function: int, first: int, count: int) -> int:
        """Return the exception code that a request earns; 0 for none."""
        if function != READ_INPUT:
            return ILLEGAL_FUNCTION
        ends = {first, first + count - 1}
        had = any(ends <= set(table) for table in (MEASURED, IDENTITY))
        return 0 if had and 0 < count <= ASKED_MOST else ILLEGAL_ADDRESS

    def registers(self, function: int, first: int, count: int, now_ns: int) -> bytes:
        """Return the bytes of registers out of one of the two tables."""
        del function  # there are input registers only
        if first in IDENTITY:
            identity = struct.pack(">IHBBI", 0x0E0104, 0x0047, 1, 8, self.spec.serial)
            return identity[2 * (first - IDENTITY.start) :][: 2 * count]
        ppm = min(max(round(self.spec.co2.value(self._row(now_ns))), 0), 0x7FFF)
        if first + count == len(MEASURED):
            self._log((ppm,), now_ns, self._fate)
        return struct.pack(">4H", self.status, 0, 0, ppm)[2 * first :][: 2 * count]
