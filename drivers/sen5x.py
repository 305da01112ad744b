"""Sensirion SEN50, SEN54, SEN55: particles, climate, VOC and NOx index in one box over I2C.

Datasheet: Sensirion SEN5x version 2: commands §6.1, measured values §6.1.4, device status §6.4.
That stopping is 0104 and that signed words say 7FFF for "unknown" was taken from Sensirion's own
driver sensirion-i2c-sen5x 0.1.1; ESPHome's component sen5x stops by 3F86.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from drivers.sen import SIGNALS, SensorNode, Signal, named
from edgenode.bus import I2CDevice
from edgenode.bus.sensirion import Commands
from edgenode.driver import Found, Options
from edgenode.errors import WrongDevice
from edgenode.reading import Channel

Model = Literal["", "SEN50", "SEN54", "SEN55"]
HAS: Final = {"SEN50": 4, "SEN54": 7, "SEN55": 8}  # how many of the signals each measures


class SEN5xOptions(Options, frozen=True):
    """What an installer may choose."""

    address: Annotated[Literal[0x69], Meta(description="its only one")] = 0x69
    model: Annotated[
        Model, Meta(description="as printed on the part; empty: whichever answers")
    ] = ""


class SEN5x(SensorNode):
    """One node; what its model does not measure is missing, unless `model` leaves it out."""

    model: ClassVar[str] = "SEN5x"
    options: ClassVar[type[Options]] = SEN5xOptions
    channels: ClassVar[tuple[Channel, ...]] = tuple(signal.channel for signal in SIGNALS)
    addresses: ClassVar[tuple[int, ...]] = (0x69,)
    varies: ClassVar[bool] = True
    signals: ClassVar[tuple[Signal, ...]] = SIGNALS
    read_command: ClassVar[int] = 0x03C4

    def __init__(
        self, wire: I2CDevice, options: SEN5xOptions, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        where = f"SEN5x at 0x{options.address:02x}"
        self._declared = self.declare(options)
        self.product = _proved(Commands(wire, where, sleep), where, options.model)
        super().__init__(wire, where, HAS[self.product], sleep)

    @classmethod
    def declare(cls, options: Any) -> tuple[Channel, ...]:
        """Return the channels of the model; all where it is not told."""
        return cls.channels[: HAS[options.model]] if options.model else cls.channels

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels that its options declare."""
        return self._declared

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its name. An SPS30 stands at the same address and has none."""
        found = named(Commands(wire, cls.model, sleep))
        if found is None or found[0] not in HAS:
            return None
        return Found(f"{found[0]}, serial number {found[1]}", {"model": found[0]})


def _proved(part: Commands, where: str, model: str) -> str:
    """Return which model it is; raises WrongDevice where it is none, or not the one expected."""
    found = named(part)
    if found is None or found[0] not in HAS:
        name = f"calls itself {found[0]!r}" if found else "has no name"
        raise WrongDevice(f'{where}: it {name}; an SPS30 needs driver = "sps30"')
    if model not in {"", found[0]}:
        raise WrongDevice(f'{where}: it is a {found[0]}; write model = "{found[0]}"')
    return found[0]
