"""Virtual SPS30, SCD4x, SCD30 and SHT3x: what the datasheets say of them, and true to their log."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.bus.i2c import SMBusDevice
from edgenode.errors import BusError
from edgenode.virtual import Scenario, parse
from edgenode.virtual.scd4x import Scd4xSpec, VirtualSCD4x
from edgenode.virtual.scd30 import Scd30Spec, VirtualSCD30
from edgenode.virtual.sensirion import checked
from edgenode.virtual.series import Play
from edgenode.virtual.sht3x import Sht3xSpec, VirtualSHT3x
from edgenode.virtual.sps30 import Sps30Spec, VirtualSPS30
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus
from tests.support.instruments import logged

SPECS: dict[int, Any] = {
    0x44: Sht3xSpec("room", temperature=Play(offset=25.0), humidity=Play(offset=50.0)),
    0x61: Scd30Spec("hall", co2=Play(offset=439.0951538)),
    0x62: Scd4xSpec(
        "co2", co2=Play(offset=500), temperature=Play(offset=25.0026), humidity=Play(offset=37.0016)
    ),
    0x69: Sps30Spec("dust", pm1=Play(offset=5.2)),
}
MADE: dict[type, Any] = {
    Sht3xSpec: VirtualSHT3x,
    Scd30Spec: VirtualSCD30,
    Scd4xSpec: VirtualSCD4x,
    Sps30Spec: VirtualSPS30,
}


class Bench:
    """All of them on one bus, and their log."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "truth"
        self.log = Truth(self.path)
        self.chips = {at: MADE[type(spec)](spec, self.log, 0) for at, spec in SPECS.items()}
        self.bus = ChipBus(self.chips)

    def device(self, address: int) -> SMBusDevice:
        return self.bus.device(address)

    def command(self, address: int, command: int, *words: int) -> None:
        data = checked(b"".join(word.to_bytes(2, "big") for word in words))
        self.device(address).transfer(command.to_bytes(2, "big") + data, 0)

    def asked(self, address: int, command: int, length: int) -> str:
        self.command(address, command)
        self.bus.sleep(0.004)
        return self.device(address).transfer(b"", length).hex(" ", -3)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.log.close()


def test_a_measurement_goes_over_the_wire_as_the_known_bytes(bench: Bench) -> None:
    bench.command(0x62, 0x21B1)
    bench.bus.sleep(5.1)
    assert bench.asked(0x62, 0xE4B8, 3) == "800604"
    assert bench.asked(0x62, 0xEC05, 9) == "01f433 6667a2 5eb93c"
    assert bench.asked(0x62, 0xE4B8, 3) == "8000a2"
    bench.command(0x61, 0x0010, 0)
    bench.bus.sleep(2.1)
    assert bench.asked(0x61, 0x0300, 6) == "43dbcb 8c2e8f"


def test_a_measurement_is_told_once_by_those_that_say_so(bench: Bench) -> None:
    for address, start, read, length in ((0x62, 0x21B1, 0xEC05, 9), (0x61, 0x0010, 0x0300, 18)):
        bench.command(address, start, *([0] if address == 0x61 else []))
        bench.bus.sleep(5.1)
        assert bench.asked(address, read, length)
        with pytest.raises(BusError):
            bench.asked(address, read, length)


def test_an_sps30_tells_its_newest_measurement_as_often_as_it_is_asked(bench: Bench) -> None:
    with pytest.raises(BusError):
        bench.asked(0x69, 0x0300, 60)
    bench.command(0x69, 0x0010, 0x0300)
    bench.bus.sleep(1.1)
    assert bench.asked(0x69, 0x0202, 3) == "0001b0"
    first = bench.asked(0x69, 0x0300, 60)
    assert bench.asked(0x69, 0x0300, 60) == first
    assert bench.asked(0x69, 0x0202, 3) == "000081"


def test_a_measuring_scd4x_takes_no_command_that_asks_for_idle(bench: Bench) -> None:
    bench.command(0x62, 0x21B1)
    bench.bus.sleep(0.1)
    for command in (0x3682, 0x2427, 0x21AC, 0x36E0):
        with pytest.raises(BusError):
            bench.command(0x62, command)
    bench.command(0x62, 0x3F86)
    with pytest.raises(BusError):
        bench.command(0x62, 0x3682)
    bench.bus.sleep(0.51)
    assert bench.asked(0x62, 0x3682, 9)


def test_a_wrong_checksum_behind_a_command_is_not_acknowledged(bench: Bench) -> None:
    with pytest.raises(BusError):
        bench.device(0x61).transfer(bytes.fromhex("0010 000080"), 0)
    bench.device(0x61).transfer(bytes.fromhex("0010 000081"), 0)


@pytest.mark.parametrize("address", sorted(SPECS))
def test_garbage_is_in_the_log_and_no_answer_of_the_part(bench: Bench, address: int) -> None:
    read, length = {0x44: (0x2400, 6), 0x61: (0x0300, 18), 0x62: (0xEC05, 9), 0x69: (0x0300, 60)}[
        address
    ]
    start = {0x61: (0x0010, 0), 0x62: (0x21B1,), 0x69: (0x0010, 0x0300)}.get(address)
    if start:
        bench.command(address, *start)
    bench.bus.sleep(6)
    bench.chips[address].act("garbage", bench.bus.now_ns)
    bench.command(address, read)
    bench.bus.sleep(0.02)
    noise = bench.device(address).transfer(b"", length)
    assert noise != checked(bytes(b for n, b in enumerate(noise) if n % 3 != 2))
    assert {line["fate"] for line in logged(bench.path)} == {"garbage"}
    assert len(logged(bench.path)) == len(bench.chips[address].quantities)


def test_a_scenario_places_them(tmp_path: Path) -> None:
    text = "".join(
        f'[[instrument]]\nkind = "{kind}"\nsensor = "{kind}"\n'
        for kind in ("sht3x", "scd30", "scd4x", "sps30")
    )
    assert parse(text) == Scenario(
        (Sht3xSpec("sht3x"), Scd30Spec("scd30"), Scd4xSpec("scd4x"), Sps30Spec("sps30"))
    )
