"""The virtual PMS5003: its stream, its commands, and true to its log."""

from __future__ import annotations

import json
import select
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.pms5003 import PMS3003, PMS5003, PMS5003T, PMS5003Options
from edgenode.bus import SerialBus
from edgenode.errors import BadFrame, BusError, BusTimeout
from edgenode.reading import SerialLine
from edgenode.virtual import Scenario, parse, send_command
from edgenode.virtual.pms5003 import Pms5003Spec, VirtualPMS5003
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.fake_serial import FakeSerial
from tests.support.instruments import street

S = 1_000_000_000
STEADY = Pms5003Spec("dust", pm1=Play(offset=5), pm25=Play(offset=8), pm10=Play(offset=12))


class Bench:
    """One sensor and its log, in simulated time."""

    def __init__(self, directory: Path, spec: Pms5003Spec = STEADY) -> None:
        self.path = directory / "truth"
        self.log = Truth(self.path)
        self.part = VirtualPMS5003(spec, self.log, 0)

    def truth(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.path.read_text("utf-8").splitlines()]

    def spoken(self) -> bytes:
        """Let the next frame come."""
        due_ns = self.part.next_ns()
        assert due_ns is not None
        return self.part.speak(due_ns)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.log.close()


def intervals(part: VirtualPMS5003, count: int) -> list[float]:
    """Return the seconds between the next frames."""
    found = []
    for _ in range(count):
        due_ns = part.next_ns()
        assert due_ns is not None
        part.speak(due_ns)
        found.append(((part.next_ns() or 0) - due_ns) / S)
    return found


def test_steady_air_is_told_each_2_3_seconds(bench: Bench) -> None:
    assert intervals(bench.part, 4) == [0.8, 2.3, 2.3, 2.3]  # the first frame is news


def test_air_that_changes_is_told_faster(tmp_path: Path) -> None:
    moving = Bench(tmp_path, Pms5003Spec("dust", every_ms=100))
    assert 0.8 in intervals(moving.part, 9)[1:]
    moving.log.close()


def test_a_frame_is_laid_out_as_the_manual_has_it(bench: Bench) -> None:
    frame = bench.spoken()
    assert frame[:16].hex(" ") == "42 4d 00 1c 00 05 00 08 00 0c 00 05 00 08 00 0c"
    assert frame[28:30] == b"\x97\x00"
    assert int.from_bytes(frame[30:], "big") == sum(frame[:30])


def test_beyond_the_curve_the_two_kinds_of_mass_differ(tmp_path: Path) -> None:
    dusty = Bench(tmp_path, Pms5003Spec("dust", pm25=Play(offset=100), pm10=Play(offset=5_000)))
    frame = dusty.spoken()
    assert int.from_bytes(frame[6:8], "big") == 150
    assert int.from_bytes(frame[12:14], "big") == 100
    counts = [int.from_bytes(frame[at : at + 2], "big") for at in range(16, 28, 2)]
    assert counts == sorted(counts, reverse=True)
    dusty.log.close()


def test_every_frame_is_in_the_log_with_all_its_channels(bench: Bench) -> None:
    bench.spoken()
    names = [f"dust/{channel.name}" for channel in PMS5003.channels]
    assert [line["channel"] for line in bench.truth()] == names
    port = FakeSerial(bench.spoken())
    sensor = PMS5003(port, PMS5003Options(), clock=port.clock)
    assert sensor.read(0).values == tuple(line["value"] for line in bench.truth()[6:])


def test_a_pms5003t_says_climate_where_others_count_coarse_dust(tmp_path: Path) -> None:
    spec = Pms5003Spec("dust", model="pms5003t", temperature=Play(offset=-3.5))
    bench = Bench(tmp_path, spec)
    port = FakeSerial(bench.spoken())
    sample = PMS5003T(port, PMS5003Options(), clock=port.clock).read(0)
    said = {line["channel"]: line["value"] for line in bench.truth()}
    assert sample.values == tuple(said[f"dust/{c.name}"] for c in PMS5003T.channels)
    assert sample.values[6] == -3.5
    bench.log.close()


def test_a_pms3003_says_masses_alone_and_hears_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path, Pms5003Spec("dust", model="pms3003"))
    frame = bench.spoken()
    assert len(frame) == 24
    port = FakeSerial(frame)
    sample = PMS3003(port, PMS5003Options(), clock=port.clock).read(0)
    said = {line["channel"]: line["value"] for line in bench.truth()}
    assert sample.values == tuple(said[f"dust/{c.name}"] for c in PMS3003.channels)
    assert bench.part.hear(bytes.fromhex("424de400000173"), S) == b""
    assert bench.part.next_ns() is not None
    bench.log.close()


def test_after_a_long_silence_of_the_server_only_what_a_port_holds_is_said(bench: Bench) -> None:
    assert len(bench.part.speak(3600 * S)) == 128 * 32
    assert (bench.part.next_ns() or 0) > 3600 * S


@pytest.mark.parametrize(("action", "fate"), [("nack", "nack"), ("hang", "hang")])
def test_a_sensor_that_is_silent_says_nothing_and_the_log_knows(
    bench: Bench, action: Any, fate: str
) -> None:
    bench.part.act(action, 0)
    assert bench.spoken() == b""
    assert bench.part.hear(bytes.fromhex("424de100010171"), S) == b""
    assert {line["fate"] for line in bench.truth()} == {fate}
    bench.part.act("return", S)
    assert len(bench.spoken()) == 32


def test_garbage_is_noise_of_the_length_of_a_frame(bench: Bench) -> None:
    bench.part.act("garbage", 0)
    noise = bench.spoken()
    assert len(noise) == 32
    port = FakeSerial(noise)
    with pytest.raises(BadFrame):
        PMS5003(port, PMS5003Options(), clock=port.clock)


def test_what_vanished_comes_back_freshly_powered(bench: Bench) -> None:
    bench.part.hear(bytes.fromhex("424de400000173"), 0)
    assert bench.part.next_ns() is None
    bench.part.act("vanish", S)
    bench.part.act("return", 60 * S)
    assert bench.part.next_ns() == 60.8 * S


class TestCommands:
    PASSIVE, ACTIVE = bytes.fromhex("424de100000170"), bytes.fromhex("424de100010171")
    SLEEP, WAKE = bytes.fromhex("424de400000173"), bytes.fromhex("424de400010174")
    READ = bytes.fromhex("424de200000171")

    def test_passive_mode_speaks_when_asked_only(self, bench: Bench) -> None:
        assert bench.part.hear(self.PASSIVE, S).hex(" ") == "42 4d 00 04 e1 00 01 74"
        assert bench.part.next_ns() is None
        assert len(bench.part.hear(self.READ, 2 * S)) == 32
        bench.part.hear(self.ACTIVE, 10 * S)
        assert bench.part.next_ns() == 12.3 * S

    def test_in_active_mode_it_is_not_to_be_asked(self, bench: Bench) -> None:
        assert bench.part.hear(self.READ, S) == b""

    def test_a_command_may_come_in_pieces_and_behind_noise(self, bench: Bench) -> None:
        bench.part.hear(b"\xffB" + self.SLEEP[:3], S)
        assert bench.part.hear(self.SLEEP[3:], S)
        assert bench.part.next_ns() is None

    def test_a_command_with_a_wrong_sum_is_not_obeyed(self, bench: Bench) -> None:
        assert bench.part.hear(self.SLEEP[:-1] + b"\x00", S) == b""
        assert bench.part.next_ns() is not None

    def test_our_driver_wakes_what_another_program_put_to_sleep(self, bench: Bench) -> None:
        bench.part.hear(self.PASSIVE + self.SLEEP, S)
        port = FakeSerial()
        with pytest.raises(BusTimeout):
            PMS5003(port, PMS5003Options(), clock=port.clock)
        bench.part.hear(b"".join(port.written), 5 * S)
        assert len(bench.spoken()) == 32


def test_is_read_through_sockets_and_ends_when_it_is_unplugged(tmp_path: Path) -> None:
    with street(tmp_path, Scenario((STEADY,))) as here:
        bus = SerialBus(here.path("air"))
        sensor = PMS5003(bus.lease(SerialLine(9600)), PMS5003Options())
        assert sensor.read(0).values[:3] == (5, 8, 12)
        send_command(here.control, "dust", "vanish")
        assert select.select([sensor.fileno()], [], [], 5)[0]
        with pytest.raises(BusError):
            sensor.feed(10)
        sensor.close()
        with pytest.raises(BusError):
            bus.lease(SerialLine(9600))


def test_a_scenario_places_it() -> None:
    assert parse('[[instrument]]\nkind = "pms5003"\nsensor = "dust"\n').instrument == (
        Pms5003Spec("dust"),
    )
