"""A SEN50, SEN54 or SEN55 as its I2C commands: what Sensirion's SEN5x datasheet (§6.1) says.

Answers come 20 ms after their command. Its fan is cleaned by command, while it measures, and each
week by itself, which is not played.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Fate
from edgenode.virtual.sen import CLEAN, CLEANING_NS, UNKNOWN_SIGNED, NodeSpec, VirtualNode
from edgenode.virtual.truth import Truth

READ: Final = 0x03C4
CLEANING: Final = 1 << 19  # of the status


class Sen5xSpec(NodeSpec, frozen=True, tag_field="kind", tag="sen5x"):
    """[[instrument]] kind = "sen5x": µg/m³, %RH, °C and indices, a row each `every_ms`."""

    address: Literal[0x69] = 0x69
    product: Literal["SEN50", "SEN54", "SEN55"] = "SEN55"
    serial: Annotated[str, Meta(max_length=31)] = "0F1D2C3B4A596877"


class VirtualSEN5x(VirtualNode):
    """One node that plays air; misbehaves on command and logs what it answered."""

    read_command: ClassVar = READ
    stopping_s: ClassVar = 0.2
    resetting_s: ClassVar = 0.1

    def __init__(self, spec: Sen5xSpec, truth: Truth, start_ns: int) -> None:
        self._has = {"SEN50": 4, "SEN54": 7, "SEN55": 8}[spec.product]
        super().__init__(spec, truth, start_ns)

    def _obey_more(self, command: int, arguments: list[int], now_ns: int) -> None:
        if command != CLEAN or arguments or self._began_ns is None:
            self._refuse()
        self._cleaned_ns = now_ns

    def _passing(self, now_ns: int) -> int:
        cleans = self._cleaned_ns is not None and now_ns < self._cleaned_ns + CLEANING_NS
        return CLEANING if cleans else 0

    def _words(self, now_ns: int) -> list[int]:
        words = super()._words(now_ns)
        return words[: self._has] + [UNKNOWN_SIGNED] * (8 - self._has)

    def _note(self, quantity: str, value: float, at_ns: int, fate: Fate) -> None:
        if self.quantities.index(quantity) < self._has:
            super()._note(quantity, value, at_ns, fate)
