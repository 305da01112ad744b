"""What proves the ADS1115 driver."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from drivers import ads1115
from drivers.ads1115 import ADS1115, ADS1115Options, Input, Pins
from edgenode.virtual.ads1115 import Ads1115Spec, VirtualADS1115
from tests.drivers.known_ads1115 import MUTANTS, known_answers_hold
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus, adafruit
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, KernelOracle, Mutants, Oracle, Proof

MINUTE_S: Final = 60  # a row of what is played: both drivers measure within it
GAINS: Final[dict[float, str]] = {
    2 / 3: "6.144",
    1: "4.096",
    2: "2.048",
    4: "1.024",
    8: "0.512",
    16: "0.256",
}
QUIET: Final = Bed()
PINS: Final[dict[Pins, tuple[int, ...]]] = {
    "0": (0,),
    "2": (2,),
    "3": (3,),
    "0-1": (0, 1),
    "1-3": (1, 3),
    "2-3": (2, 3),
}


def part(bed: Bed) -> Wire:
    """Play four wires."""
    return Address(bed, VirtualADS1115(Ads1115Spec("s"), bed.truth, bed.now_ns))


def as_adafruit() -> Iterator[Agreement]:
    """Let both read the same virtual chip: each range, single inputs and differences, beyond ends.

    Both take the same register, so they must agree to the last bit of it.
    """
    adc, analog = adafruit("adafruit_ads1x15.ads1115"), adafruit("adafruit_ads1x15.analog_in")
    inputs = {pins: Input(f"i{place}", pins) for place, pins in enumerate(PINS)}
    for gain, volts in GAINS.items():
        most = float(volts)
        plays: Any = {f"in{pin}": Anything(-1.1 * most, 1.1 * most) for pin in range(4)}
        chip = VirtualADS1115(Ads1115Spec("s", every_ms=MINUTE_S * 1000, **plays), QUIET.truth, 0)
        bus = ChipBus({0x48: chip})
        theirs = adc.ADS1115(_Polling(bus), gain=gain)
        puts = tuple(msgspec.structs.replace(put, range_v=volts) for put in inputs.values())
        ours = ADS1115(bus.device(0x48), ADS1115Options(inputs=puts), sleep=bus.sleep)
        for _ in range(2 * FRAMES // len(GAINS)):
            bus.sleep(MINUTE_S)
            values = ours.read(0).values
            given = tuple(analog.AnalogIn(theirs, *pins).voltage for pins in PINS.values())
            yield Agreement(repr((volts, values)).encode(), values, given, (0.0,) * len(PINS))


class _Polling:
    """The bus of somebody who asks again and again: each call takes the time it would."""

    def __init__(self, bus: ChipBus) -> None:
        self._bus = bus

    def __getattr__(self, name: str) -> Any:
        self._bus.sleep(0.0005)
        return getattr(self._bus, name)


PROOFS = (
    Proof(
        driver="ads1115",
        part=part,
        options={},
        against=(
            Oracle("adafruit-circuitpython-ads1x15", "adafruit_ads1x15", as_adafruit),
            KernelOracle("ads1015", "tests/lab/parts.py"),
        ),
        known="0x4000 is 2.048 V at 4.096 V (Adafruit) and 1.024 V at 2.048 V (Linux ti-ads1015)",
        mutants=(Mutants(ads1115, MUTANTS, known_answers_hold),),
        damage="the chip has no checksum; its configuration is read back with each result, so a "
        "chip that was reset or replaced and a line that floats are refused, a flipped bit is not",
        found="^ADS1115",
        waits=("sleep",),
    ),
)
