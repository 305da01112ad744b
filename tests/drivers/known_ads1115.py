"""Known answers of the ADS1115 driver, and changes that must not give them.

0x4000 is 2.048 V at ±4.096 V (Adafruit's driver) and 1.024 V at ±2.048 V (Linux's ti-ads1015). The
words of the configuration are those of SBAS444D table 8, of which 0x8583 stands after power-on.
"""

from __future__ import annotations

from types import ModuleType
from typing import Literal

import pytest

from edgenode.errors import BadFrame, EdgenodeError, WrongDevice
from edgenode.reading import Quality, Sample
from edgenode.virtual.ads1115 import Ads1115Spec, VirtualADS1115
from edgenode.virtual.series import Play
from tests.support.beds import Address, Bed

PLAYED = Ads1115Spec(
    "x",
    in0=Play(offset=2.048),
    in1=Play(offset=3.0),
    in2=Play(offset=5.0),
    in3=Play(offset=0.25),
)
WORDS = {
    ("0-1", "2.048"): 0x0503,
    ("0-3", "6.144"): 0x1103,
    ("1-3", "1.024"): 0x2703,
    ("2-3", "0.512"): 0x3903,
    ("0", "4.096"): 0x4303,
    ("3", "0.256"): 0x7B03,
}
RATES = {860: 0x00E0, 64: 0x0060}
MUTANTS = (
    ("REG_CONVERSION: Final = 0x00", "REG_CONVERSION: Final = 0x02"),
    ("REG_CONFIG: Final = 0x01", "REG_CONFIG: Final = 0x02"),
    ("LOW_AT_START: Final = 0x8000", "LOW_AT_START: Final = 0x8001"),
    ("HIGH_AT_START: Final = 0x7FFF", "HIGH_AT_START: Final = 0x7FFE"),
    ("START: Final = 0x8000", "START: Final = 0x4000"),
    ("SINGLE_SHOT: Final = 0x0100", "SINGLE_SHOT: Final = 0x0000"),
    ("NO_COMPARATOR: Final = 0x0003", "NO_COMPARATOR: Final = 0x0000"),
    ("MUX_AT: Final = 12", "MUX_AT: Final = 11"),
    ("RANGE_AT: Final = 9", "RANGE_AT: Final = 8"),
    ("RATE_AT: Final = 5", "RATE_AT: Final = 4"),
    ('"0-3": 1', '"0-3": 2'),
    ('"2-3": 3', '"2-3": 1'),
    ('"0": 4', '"0": 5'),
    ('("6.144", "4.096", "2.048", "1.024"', '("4.096", "6.144", "2.048", "1.024"'),
    ("(8, 16, 32, 64, 128, 250", "(8, 16, 32, 128, 64, 250"),
    ("COUNTS: Final = 0x8000", "COUNTS: Final = 0x7FFF"),
    ("(0x7FFF, -0x8000)", "(0x7FFE, -0x8000)"),
    ("(0x7FFF, -0x8000)", "(0x7FFF, -0x7FFF)"),
    ("SLOW: Final = 1.1", "SLOW: Final = 0.5"),
    ("EARLY_S: Final = 0.04", "EARLY_S: Final = 0.004"),
    ("EARLY_S: Final = 0.04", "EARLY_S: Final = 0.13"),
    ("signed(self._words", "int(self._words"),
    ("self.factor * volts + self.offset", "self.factor * (volts + self.offset)"),
    ("volts < put.fault_below_v", "volts > put.fault_below_v"),
    ("volts > put.fault_above_v", "volts < put.fault_above_v"),
    ("REG_CONFIG, config, ~START", "REG_CONFIG, 0, 0"),
    ("+ 1e-9", "- 1e-9"),
)


def sample(
    module: ModuleType, *inputs: object, bits: Literal[16, 12] = 16, rate: int = 860
) -> Sample:
    """Return one read of the virtual chip; fails where it was awaited for too long or short."""
    bed = Bed()
    spec = Ads1115Spec(
        "x", bits=bits, in0=PLAYED.in0, in1=PLAYED.in1, in2=PLAYED.in2, in3=PLAYED.in3
    )
    chip = VirtualADS1115(spec, bed.truth, bed.now_ns)
    wire = Address(bed, chip)
    sensor = module.ADS1115(wire, module.ADS1115Options(inputs=inputs, rate=rate), sleep=bed.sleep)
    began_ns = bed.now_ns
    read: Sample = sensor.read(0)
    took_s = (bed.now_ns - began_ns) / 1e9
    if not 1 / rate <= took_s / len(inputs) < 1.2 / rate:
        raise BadFrame(f"took {took_s} s")
    if chip._registers[1] & 0x00E0 != RATES[rate]:
        raise BadFrame("asked for another rate")
    return read


def refused(module: ModuleType) -> bool:
    """Whether an ADS1015 is told apart."""
    try:
        sample(module, module.Input("a", "0"), bits=12)
    except WrongDevice as exc:
        return "it is an ADS1015" in str(exc)
    return False


def overwritten(module: ModuleType) -> bool:
    """Whether a result that another program asked for is refused."""
    bed = Bed()
    chip = VirtualADS1115(PLAYED, bed.truth, bed.now_ns)
    wire = Address(bed, chip)

    def meddled(seconds: float) -> None:
        bed.sleep(seconds)
        chip._registers[1] ^= 0x1000

    sensor = module.ADS1115(wire, module.ADS1115Options(), sleep=bed.sleep)
    sensor._converter._sleep = meddled
    try:
        sensor.read(0)
    except BadFrame:
        return True
    return False


def decodes(module: ModuleType) -> bool:
    """Whether counts mean what they should, their ends and a live zero among them."""
    plain = module.Input("a", "0")
    loop = module.Input(
        "a", "0", factor=5.0, offset=-2.0, fault_below_v=0.36, fault_above_v=2.1, unit="m"
    )
    channel = module.Input("a", "0", range_v="2.048", factor=16.0, unit="A").channel()
    fault = (None, Quality.FAULT)
    return (
        module.decode(0x4000, plain) == (2.048, Quality.OK)
        and module.decode(0x4000, module.Input("a", "0", range_v="2.048")) == (1.024, Quality.OK)
        and module.decode(-0x4000, plain) == (-2.048, Quality.OK)
        and module.decode(0x7FFF, plain) == (pytest.approx(4.095875), Quality.CLAMPED)
        and module.decode(-0x8000, plain) == (-4.096, Quality.CLAMPED)
        and module.decode(0x7FFE, plain)[1] is Quality.OK
        and module.decode(-0x7FFF, plain)[1] is Quality.OK
        and module.decode(8000, loop) == (pytest.approx(3.0), Quality.OK)
        and module.decode(2800, loop) == fault
        and module.decode(16_900, loop) == fault
        and channel.scale == -3
        and (channel.low, channel.high) == pytest.approx((-32.768, 32.768))
    )


def known_answers_hold(module: ModuleType) -> bool:
    """Whether the chip is told apart, asked for the right inputs, awaited and decoded."""
    try:
        inputs = (
            module.Input("a", "0"),
            module.Input("b", "0-1", range_v="2.048"),
            module.Input("c", "2-3"),
            module.Input("d", "0-3", range_v="2.048"),
            module.Input("e", "3", range_v="0.256"),
        )
        values = (2.048, -0.952, 4.095875, 1.798, 0.25)
        words = {pair: module.configuration(*pair) for pair in WORDS}
        fast, slow = (sample(module, *inputs, rate=rate) for rate in (860, 64))
        return (
            decodes(module)
            and words == WORDS
            and fast.values == slow.values == pytest.approx(values, abs=7e-5)
            and fast.quality == (0, 0, Quality.CLAMPED, 0, 0)
            and refused(module)
            and overwritten(module)
        )
    except (EdgenodeError, ValueError, TypeError):
        return False
