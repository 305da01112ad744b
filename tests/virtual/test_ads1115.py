"""The virtual ADS1115: its registers, conversions and their time as the datasheet has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenode.virtual import parse
from edgenode.virtual.ads1115 import Ads1115Spec, VirtualADS1115
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus
from tests.support.instruments import logged

MS = 0.001
PLAYS = {"in0": Play(offset=2.048), "in1": Play(offset=0.5), "in3": Play(offset=-0.1)}


class Bench:
    """One chip on a bus; words by register."""

    def __init__(self, log: Truth, bits: int = 16) -> None:
        self.chip = VirtualADS1115(Ads1115Spec("x", bits=bits, **PLAYS), log, 0)  # type: ignore[arg-type]
        self.bus = ChipBus({0x48: self.chip})
        self.device = self.bus.device(0x48)

    def get(self, register: int) -> int:
        return int.from_bytes(self.device.read(register, 2), "big")

    def put(self, register: int, word: int) -> None:
        self.device.write(register, word.to_bytes(2, "big"))

    def converted(self, word: int) -> int:
        self.put(1, word)
        self.bus.sleep(0.2)
        return self.get(0)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(Truth(tmp_path / "truth"))


def test_stands_after_power_on_as_the_datasheet_has_it(bench: Bench) -> None:
    assert [bench.get(register) for register in range(4)] == [0, 0x8583, 0x8000, 0x7FFF]


@pytest.mark.parametrize(
    ("word", "result"),
    [
        (0xC383, 0x4000),  # AIN0 at 4.096 V
        (0xC583, 0x7FFF),  # at 2.048 V it ends
        (0x8383, 0x3060),  # AIN0 - AIN1
        (0xF383, 0xFCE0),  # AIN3 is below ground
    ],
)
def test_converts_what_it_was_asked_to(bench: Bench, word: int, result: int) -> None:
    assert bench.converted(word) == result


@pytest.mark.parametrize(("rate", "ms"), [(0, 125.0), (4, 7.8125), (7, 1.163)])
def test_says_that_it_converts_for_as_long_as_its_rate_takes(
    bench: Bench, rate: int, ms: float
) -> None:
    bench.put(1, 0xC303 | rate << 5)
    bench.bus.sleep((ms - 0.01) * MS)
    assert not bench.get(1) & 0x8000
    bench.bus.sleep(0.02 * MS)
    assert bench.get(1) & 0x8000
    assert bench.get(0) == 0x4000


def test_a_word_without_the_start_bit_begins_nothing(bench: Bench) -> None:
    assert bench.converted(0x4383) == 0
    assert bench.get(1) == 0xC383


def test_converts_one_after_another_where_it_is_set_to(bench: Bench) -> None:
    assert bench.converted(0x4283) == 0x4000
    assert not bench.get(1) & 0x8000


def test_an_ads1015_is_faster_and_its_last_four_bits_are_none(tmp_path: Path) -> None:
    bench = Bench(Truth(tmp_path / "truth"), bits=12)
    bench.put(1, 0xF303)
    bench.bus.sleep(7.9 * MS)
    assert bench.get(1) & 0x8000
    assert bench.get(0) == 0xFCE0
    assert bench.converted(0xD383) & 0x000F == 0


def test_a_result_is_in_the_log_once_under_its_pins(bench: Bench, tmp_path: Path) -> None:
    bench.converted(0xC383)
    bench.get(0)
    bench.converted(0x8383)
    lines = logged(tmp_path / "truth")
    assert [(line["channel"], line["value"]) for line in lines] == [
        ("x/in0", 2.048),
        ("x/in0-in1", 1.548),
    ]


def test_a_scenario_may_have_one() -> None:
    text = (
        '[[instrument]]\nkind = "ads1115"\nsensor = "s"\naddress = 0x4b\nin0 = { offset = 1.0 }\n'
    )
    spec = Ads1115Spec("s", address=0x4B, in0=Play(offset=1.0))
    assert parse(text).instrument == (spec,)
