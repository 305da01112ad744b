"""The virtual INA219 and INA226: registers, flags and arithmetic as the datasheets have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from drivers.ina219 import INA219, INA219Options
from edgenode.virtual import parse
from edgenode.virtual.series import Play
from edgenode.virtual.supply import (
    Ina219Spec,
    Ina226Spec,
    VirtualINA219,
    VirtualINA226,
    VirtualMonitor,
)
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus
from tests.support.instruments import logged

MS = 0.001


class Bench:
    """One chip on a bus; words by register."""

    def __init__(self, made: type[VirtualMonitor], spec: Any, log: Truth) -> None:
        self.chip = made(spec, log, 0)
        self.bus = ChipBus({0x40: self.chip})
        self.device = self.bus.device(0x40)  # a second after power-on

    def get(self, register: int) -> int:
        return int.from_bytes(self.device.read(register, 2), "big")

    def put(self, register: int, word: int) -> None:
        self.device.write(register, word.to_bytes(2, "big"))


@pytest.fixture
def log(tmp_path: Path) -> Truth:
    return Truth(tmp_path / "truth")


def ina219(log: Truth, volts: float = 4.016, amperes: float = 0.1) -> Bench:
    spec = Ina219Spec("x", voltage=Play(offset=volts), current=Play(offset=amperes))
    return Bench(VirtualINA219, spec, log)


def ina226(log: Truth, volts: float = 3.29375, amperes: float = 1.24775) -> Bench:
    plays: dict[str, Any] = {"voltage": Play(offset=volts), "current": Play(offset=amperes)}
    return Bench(VirtualINA226, Ina226Spec("x", shunt_ohm=0.01, **plays), log)


def test_an_ina219_answers_the_known_registers(log: Truth) -> None:
    bench = ina219(log)
    assert (bench.get(0), bench.get(2), bench.get(5)) == (0x399F, 0x1F62, 0)
    assert bench.get(1) == 0x03E8


def test_an_ina226_answers_as_the_published_dump(log: Truth) -> None:
    bench = ina226(log)
    bench.put(0, 0x4527)
    bench.put(5, 0x0800)
    bench.bus.sleep(1)
    words = [bench.get(register) for register in (0, 1, 2, 3, 4, 5)]
    assert words == [0x4527, 0x137F, 0x0A4B, 0x0292, 0x137F, 0x0800]
    assert (bench.get(0xFE), bench.get(0xFF)) == (0x5449, 0x2260)


def test_the_flag_of_an_ina219_is_cleared_by_reading_its_power(log: Truth) -> None:
    bench = ina219(log)
    assert bench.get(2) & 2
    assert bench.get(2) & 2
    bench.get(3)
    assert not bench.get(2) & 2
    bench.bus.sleep(1.1 * MS)
    assert bench.get(2) & 2


def test_the_flag_of_an_ina226_is_cleared_by_reading_it(log: Truth) -> None:
    bench = ina226(log)
    assert bench.get(6) & 8
    assert not bench.get(6) & 8


@pytest.mark.parametrize(("code", "ms"), [(0x3, 1.064), (0x9, 2.128), (0xF, 136.192)])
def test_a_pair_takes_as_long_as_its_average_says(log: Truth, code: int, ms: float) -> None:
    bench = ina219(log)
    bench.put(0, 0x3807 | code << 7 | code << 3 & 0x78)
    bench.bus.sleep((ms - 0.01) * MS)
    assert not bench.get(2) & 2
    bench.bus.sleep(0.02 * MS)
    assert bench.get(2) & 2


def test_a_pair_that_was_triggered_comes_once_and_none_comes_asleep(log: Truth) -> None:
    bench = ina219(log)
    bench.put(0, 0x399B)
    bench.bus.sleep(1)
    assert bench.get(2) & 2
    bench.get(3)
    bench.bus.sleep(1)
    assert not bench.get(2) & 2
    bench.put(0, 0x3998)
    bench.bus.sleep(1)
    assert not bench.get(2) & 2


def test_arithmetic_without_room_says_so(log: Truth) -> None:
    bench = ina219(log, volts=24.0, amperes=3.0)
    bench.put(5, 4096)
    assert not bench.get(2) & 1
    bench.put(5, 0xFFFE)
    assert bench.get(2) & 1


def test_the_ranges_end_where_they_are_set_to(log: Truth) -> None:
    bench = ina219(log, volts=40.0, amperes=-9.0)
    assert (bench.get(1), bench.get(2) >> 3) == (0x8300, 8000)
    bench.put(0, 0x019F)
    bench.bus.sleep(1)
    assert (bench.get(1), bench.get(2) >> 3) == (0xF060, 4000)


def test_a_pair_that_was_read_is_in_the_log_once(log: Truth, tmp_path: Path) -> None:
    bench = ina219(log)
    sensor = INA219(bench.device, INA219Options(), sleep=bench.bus.sleep)
    sensor.read(0)
    bench.get(1)
    lines = logged(tmp_path / "truth")
    assert [(line["channel"], line["value"]) for line in lines] == [
        ("x/voltage", 4.016),
        ("x/current", 0.1),
    ]


def test_a_scenario_may_have_them() -> None:
    text = '[[instrument]]\nkind = "{}"\nsensor = "s"\naddress = 0x41\nshunt_ohm = 0.01\n'
    made = [parse(text.format(kind)).instrument[0] for kind in ("ina219", "ina226")]
    assert [type(one) for one in made] == [Ina219Spec, Ina226Spec]
