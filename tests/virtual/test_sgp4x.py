"""The virtual SGP40 and SGP41: commands and times as the datasheets have them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edgenode.bus.sensirion import packed, words
from edgenode.errors import BusError
from edgenode.virtual import parse
from edgenode.virtual.series import Play
from edgenode.virtual.sgp4x import CONDITION, HEATER_OFF, SELF_TEST, Sgp4xSpec, VirtualSGP4x
from edgenode.virtual.truth import Truth
from tests.support.beds import Bed
from tests.support.chips import ChipBus
from tests.support.instruments import logged

MS = 0.001
CLIMATE = (0x8000, 0x6666)
GAS: Any = {"sraw_voc": Play(offset=30_000), "sraw_nox": Play(offset=15_000)}


class Bench:
    """One chip on a bus."""

    def __init__(self, model: Any, log: Truth | None = None) -> None:
        self.chip = VirtualSGP4x(Sgp4xSpec("gas", model=model, **GAS), log or Bed().truth, 0)
        self.bus = ChipBus({0x59: self.chip})

    def send(self, command: int, *arguments: int) -> None:
        data = command.to_bytes(2, "big") + packed(*arguments)
        self.bus.device(0x59).transfer(data, 0)

    def answer(self, count: int) -> list[int]:
        return words(self.bus.device(0x59).transfer(b"", 3 * count), "bench")


@pytest.mark.parametrize(
    ("model", "command", "ms", "ticks"),
    [
        ("sgp40", 0x260F, 30, [30_000]),
        ("sgp41", CONDITION, 50, [30_000]),
        ("sgp41", 0x2619, 50, [30_000, 15_000]),
    ],
)
def test_gives_its_ticks_when_it_has_measured(
    model: str, command: int, ms: int, ticks: list[int]
) -> None:
    bench = Bench(model)
    bench.send(command, *CLIMATE)
    bench.bus.sleep((ms - 1) * MS)
    with pytest.raises(BusError):
        bench.answer(len(ticks))
    bench.bus.sleep(1 * MS)
    assert bench.answer(len(ticks)) == ticks
    assert bench.chip.climate == CLIMATE


@pytest.mark.parametrize(
    ("model", "command"), [("sgp40", 0x2619), ("sgp40", CONDITION), ("sgp41", 0x260F)]
)
def test_neither_knows_the_commands_of_the_other(model: str, command: int) -> None:
    with pytest.raises(BusError):
        Bench(model).send(command, *CLIMATE)


def test_measures_nothing_without_a_climate() -> None:
    with pytest.raises(BusError):
        Bench("sgp40").send(0x260F)


def test_tells_how_long_its_cell_was_conditioned_without_a_break() -> None:
    bench = Bench("sgp41")
    for command in (CONDITION, CONDITION, HEATER_OFF, CONDITION, 0x2619):
        bench.send(command, *(() if command == HEATER_OFF else CLIMATE))
        bench.bus.sleep(4)
    assert bench.chip.conditioned_ns == 8_000_000_000


def test_its_self_test_takes_a_third_of_a_second() -> None:
    bench = Bench("sgp41")
    bench.send(SELF_TEST)
    bench.bus.sleep(319 * MS)
    with pytest.raises(BusError):
        bench.answer(1)
    bench.bus.sleep(1 * MS)
    assert bench.answer(1) == [0xD400]


def test_logs_the_signals_that_it_answered(tmp_path: Path) -> None:
    log = Truth(tmp_path / "truth")
    bench = Bench("sgp41", log)
    for command, count in ((CONDITION, 1), (0x2619, 2)):
        bench.send(command, *CLIMATE)
        bench.bus.sleep(50 * MS)
        bench.answer(count)
    log.close()
    lines = logged(tmp_path / "truth")
    assert [(line["channel"], line["value"]) for line in lines] == [
        ("gas/sraw_voc", 30_000),
        ("gas/sraw_voc", 30_000),
        ("gas/sraw_nox", 15_000),
    ]


def test_a_scenario_places_it() -> None:
    made = parse('[[instrument]]\nkind = "sgp4x"\nsensor = "gas"\nmodel = "sgp41"\n').instrument
    assert made == (Sgp4xSpec("gas", model="sgp41"),)
