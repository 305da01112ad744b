"""A SEN66 as its I2C commands: what Sensirion's SEN6x datasheet (§4.8) says it answers.

Answers come 20 ms after their command. Its fan is cleaned by command, while it is idle.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.sen import CLEAN, SECOND_NS, TEXT_BYTES, UNKNOWN, NodeSpec, VirtualNode
from edgenode.virtual.series import Play

READ: Final = 0x0300
TYPE: Final = 0xD002
PRESSURE: Final = 0x6720
TYPES: Final = {"SEN65": "00085200", "SEN66": "00085300", "SEN68": "00085400", "": "00085300"}
CO2_NS: Final = 6 * SECOND_NS  # after power-on


class Sen66Spec(NodeSpec, frozen=True, tag_field="kind", tag="sen66"):
    """[[instrument]] kind = "sen66": µg/m³, %RH, °C, indices and ppm, a row each `every_ms`.

    An early part has no `product`.
    """

    address: Literal[0x6B] = 0x6B
    product: Literal["SEN66", "SEN65", "SEN68", ""] = "SEN66"
    serial: Annotated[str, Meta(max_length=31)] = "1A2B3C4D5E6F7081"
    co2: Play = Play("air_uci:CO_GT", gain=25, offset=420, decimals=0)


class VirtualSEN66(VirtualNode):
    """One node that plays air; misbehaves on command and logs what it answered."""

    quantities: ClassVar = (*VirtualNode.quantities, "co2")
    read_command: ClassVar = READ
    stopping_s: ClassVar = 1.0
    resetting_s: ClassVar = 1.2

    def _power_up(self, now_ns: int) -> None:
        super()._power_up(now_ns)
        self.pressure_hpa = 1013

    def _obey_more(self, command: int, arguments: list[int], now_ns: int) -> None:
        if command == TYPE and not arguments:
            self._say_text(TYPES[self.spec.product], TEXT_BYTES)
        elif command == PRESSURE and not arguments:
            self._say(self.pressure_hpa)
        elif command == PRESSURE and 700 <= arguments[0] <= 1200:
            self.pressure_hpa = arguments[0]
        elif command == CLEAN and not arguments and self._began_ns is None:
            self._work(10.0, now_ns)
        else:
            self._refuse()

    def _words(self, now_ns: int) -> list[int]:
        words = super()._words(now_ns)
        if self._told is None or now_ns < self._powered_ns + CO2_NS:
            return [*words, UNKNOWN]
        return [*words, min(max(round(self._told[8]), 0), UNKNOWN - 1)]
