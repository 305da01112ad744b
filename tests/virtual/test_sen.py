"""The virtual SEN5x and SEN66: commands, times and marks as the datasheets have them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.bus.sensirion import packed, text, words
from edgenode.errors import BusError
from edgenode.virtual import parse
from edgenode.virtual.sen import READY, SERIAL, START, STATUS, STATUS_AND_CLEAR, STOP, VirtualNode
from edgenode.virtual.sen5x import READ as READ_SEN5X
from edgenode.virtual.sen5x import Sen5xSpec, VirtualSEN5x
from edgenode.virtual.sen66 import READ as READ_SEN66
from edgenode.virtual.sen66 import Sen66Spec, VirtualSEN66
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus
from tests.support.instruments import logged

MS = 0.001
PLAYS: Any = {
    "pm1": Play(offset=5.2),
    "pm25": Play(offset=9.5),
    "pm4": Play(offset=12.6),
    "pm10": Play(offset=13.3),
    "humidity": Play(offset=37),
    "temperature": Play(offset=-3.5),
    "voc_index": Play(offset=100),
    "nox_index": Play(offset=1.5),
}
WORDS = [52, 95, 126, 133, 3700, 0x10000 - 700, 1000, 15]
UNKNOWN = [0xFFFF] * 4 + [0x7FFF] * 4


class Bench:
    """One part of each kind on a bus, and their log."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "truth"
        self.log = Truth(self.path)
        co2: Any = {"co2": Play(offset=421)}
        self.chips: dict[int, VirtualNode] = {
            0x69: VirtualSEN5x(Sen5xSpec("a", **PLAYS), self.log, 0),
            0x6B: VirtualSEN66(Sen66Spec("b", **PLAYS, **co2), self.log, 0),
        }
        self.bus = ChipBus(self.chips)

    def send(self, address: int, command: int, *arguments: int) -> None:
        data = command.to_bytes(2, "big") + packed(*arguments)
        self.bus.device(address).transfer(data, 0)

    def ask(self, address: int, command: int, count: int) -> list[int]:
        self.send(address, command)
        self.bus.sleep(20 * MS)
        return words(self.bus.device(address).transfer(b"", 3 * count), "bench")


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.log.close()


def test_knows_nothing_before_a_second_of_measuring(bench: Bench) -> None:
    assert bench.ask(0x69, READ_SEN5X, 8) == UNKNOWN
    bench.send(0x69, START)
    bench.bus.sleep(0.9)
    assert bench.ask(0x69, READY, 1) == [0]
    assert bench.ask(0x69, READ_SEN5X, 8) == UNKNOWN
    bench.bus.sleep(15)
    assert bench.ask(0x69, READY, 1) == [1]
    assert bench.ask(0x69, READ_SEN5X, 8) == WORDS


def test_gives_an_answer_20_ms_after_it_was_asked_and_not_before(bench: Bench) -> None:
    bench.send(0x69, SERIAL)
    bench.bus.sleep(19 * MS)
    with pytest.raises(BusError):
        bench.bus.device(0x69).transfer(b"", 48)
    bench.bus.sleep(1 * MS)
    answer = bench.bus.device(0x69).transfer(b"", 48)
    assert text(words(answer, "x")) == "0F1D2C3B4A596877"


def test_gases_are_known_later_than_the_rest(bench: Bench) -> None:
    bench.chips[0x6B].act("vanish", bench.bus.now_ns)
    bench.chips[0x6B].act("return", bench.bus.now_ns)
    bench.bus.sleep(1.2)
    bench.send(0x6B, START)
    bench.bus.sleep(2)
    assert bench.ask(0x6B, READ_SEN66, 9)[6:] == [1000, 0x7FFF, 0xFFFF]
    bench.bus.sleep(3)
    assert bench.ask(0x6B, READ_SEN66, 9)[6:] == [1000, 0x7FFF, 421]
    bench.bus.sleep(6)
    assert bench.ask(0x6B, READ_SEN66, 9)[6:] == [1000, 15, 421]


def test_what_was_read_is_ready_again_a_second_later(bench: Bench) -> None:
    bench.send(0x69, START)
    bench.bus.sleep(2)
    bench.ask(0x69, READ_SEN5X, 8)
    assert bench.ask(0x69, READY, 1) == [0]
    bench.bus.sleep(1)
    assert bench.ask(0x69, READY, 1) == [1]


def test_a_stop_takes_its_time_and_ends_the_measuring(bench: Bench) -> None:
    bench.send(0x6B, START)
    bench.bus.sleep(3)
    bench.send(0x6B, STOP)
    bench.bus.sleep(0.9)
    with pytest.raises(BusError):
        bench.send(0x6B, READY)
    bench.bus.sleep(0.2)
    assert bench.ask(0x6B, READ_SEN66, 9) == [*UNKNOWN, 0xFFFF]


def test_errors_stay_until_they_are_cleared_and_warnings_are_no_errors(bench: Bench) -> None:
    bench.chips[0x69].flags = 1 << 5 | 1 << 21
    for command in (STATUS, STATUS, STATUS_AND_CLEAR):
        assert bench.ask(0x69, command, 2) == [1 << 5, 1 << 5]
    assert bench.ask(0x69, STATUS, 2) == [1 << 5, 0]


@pytest.mark.parametrize("command", [0x0037, 0x8004, READ_SEN66, 0x0000])
def test_does_not_acknowledge_what_it_does_not_know(bench: Bench, command: int) -> None:
    with pytest.raises(BusError, match="no acknowledge"):
        bench.send(0x69, command)


def test_does_not_acknowledge_an_argument_with_a_wrong_checksum(bench: Bench) -> None:
    with pytest.raises(BusError, match="no acknowledge"):
        bench.bus.device(0x6B).transfer(bytes.fromhex("6720 03a000"), 0)
    bench.send(0x6B, 0x6720, 928)
    bench.bus.sleep(20 * MS)
    assert bench.ask(0x6B, 0x6720, 1) == [928]


def test_a_model_with_fewer_sensors_logs_what_it_has(tmp_path: Path) -> None:
    log = Truth(tmp_path / "truth")
    bus = ChipBus({0x69: VirtualSEN5x(Sen5xSpec("a", product="SEN50", **PLAYS), log, 0)})
    bus.device(0x69).transfer(START.to_bytes(2, "big"), 0)
    bus.sleep(15)
    bus.device(0x69).transfer(READ_SEN5X.to_bytes(2, "big"), 0)
    bus.sleep(20 * MS)
    assert words(bus.device(0x69).transfer(b"", 24), "x") == [*WORDS[:4], *[0x7FFF] * 4]
    log.close()
    lines = logged(tmp_path / "truth")
    assert [(line["channel"], line["value"]) for line in lines] == [
        ("a/pm1", 5.2),
        ("a/pm25", 9.5),
        ("a/pm4", 12.6),
        ("a/pm10", 13.3),
    ]


def test_what_is_said_without_a_value_is_not_in_the_log(bench: Bench) -> None:
    bench.ask(0x69, READ_SEN5X, 8)
    bench.ask(0x69, STATUS, 2)
    assert logged(bench.path) == []


def test_a_scenario_places_both() -> None:
    text_ = '[[instrument]]\nkind = "sen5x"\nsensor = "a"\nproduct = "SEN54"\n'
    text_ += '[[instrument]]\nkind = "sen66"\nsensor = "b"\n'
    assert parse(text_).instrument == (Sen5xSpec("a", product="SEN54"), Sen66Spec("b"))
