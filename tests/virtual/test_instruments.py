"""Virtual instruments through the real adapters: honest, misbehaving, and true to their log."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.bme280 import BME280, BME280Options
from edgenode.bus import open_i2c
from edgenode.bus.i2c import SMBusDevice
from edgenode.bus.simulated import SimulatedI2C
from edgenode.errors import BadFrame, BusError, BusTimeout, ConfigError, DriverError, NodeError
from edgenode.virtual import Scenario, parse, send_command
from edgenode.virtual.bme280 import Bme280Spec, VirtualBME280
from edgenode.virtual.pulse import PulseSpec
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus
from tests.support.instruments import Street, street

SCENARIO = Scenario(
    (
        Bme280Spec("air", every_ms=60_000),
        Bme280Spec("roof", address=0x77, temperature=Play(offset=-12.5)),
        PulseSpec("meter", line=4, every_ms=100, width_us=1000, pulses=Play(offset=10)),
    )
)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Street]:
    with street(tmp_path, SCENARIO) as running:
        yield running


def air(here: Street) -> BME280:
    return BME280(open_i2c(here.path("i2c"), 0x76), BME280Options())


def test_a_driver_reads_the_recorded_weather_through_smbus2s_messages(here: Street) -> None:
    sensor = air(here)
    celsius, percent, pascal = sensor.read(0).values
    assert celsius == pytest.approx(13.6, abs=0.01)
    assert percent == pytest.approx(48.9, abs=0.1)
    assert pascal == pytest.approx(101_484, abs=1)
    sensor.close()


def test_two_chips_share_a_bus_each_at_its_address(here: Street) -> None:
    roof = BME280(open_i2c(here.path("i2c"), 0x77), BME280Options(address=0x77))
    assert roof.read(0).values[0] == pytest.approx(-12.5, abs=0.01)
    roof.close()


def test_every_answer_is_in_the_log_of_truth_before_it_is_read(here: Street) -> None:
    sensor = air(here)
    for n in range(1, 4):
        celsius = sensor.read(0).values[0]
        line = [line for line in here.truth() if line["channel"] == "air/temperature"][-1]
        assert (line["n"], line["fate"]) == (n, "ok")
        assert line["value"] == pytest.approx(celsius, abs=0.01)
        assert abs(line["t"] - time.clock_gettime(time.CLOCK_BOOTTIME) * 1000) < 2000
    sensor.close()


@pytest.mark.parametrize(
    ("action", "error", "fate"),
    [("nack", BusError, "nack"), ("garbage", BadFrame, "garbage"), ("vanish", BusError, "nack")],
)
def test_a_chip_that_misbehaves_is_an_error_and_in_the_log(
    here: Street, action: str, error: type[DriverError], fate: str
) -> None:
    sensor = air(here)
    send_command(here.control, "air", action)  # type: ignore[arg-type]
    with pytest.raises(error):
        sensor.read(0)
    said = [line for line in here.truth() if line["channel"].startswith("air/")]
    assert said[-1]["fate"] == fate
    sensor.close()


def test_a_chip_that_hangs_is_a_timeout_and_its_late_answer_is_nobodys(here: Street) -> None:
    bus = SimulatedI2C(f"{here.directory}/wires#i2c", 0x76, timeout_s=0.05)
    device = SMBusDevice(bus, "sim", 0x76)
    send_command(here.control, "air", "hang")
    with pytest.raises(BusTimeout):
        device.read(0xD0, 1)
    send_command(here.control, "air", "return")
    assert device.read(0xD0, 1) == b"\x60"
    assert {line["fate"] for line in here.truth() if "air" in line["channel"]} == {"hang"}
    device.close()


def test_what_vanished_comes_back_freshly_powered_and_is_read_after_reopening(
    here: Street,
) -> None:
    sensor = air(here)
    sensor.read(0)
    send_command(here.control, "air", "vanish")
    send_command(here.control, "air", "return")
    assert open_i2c(here.path("i2c"), 0x76).read(0xF4, 1) == b"\x00"
    sensor.close()
    assert air(here).read(0).values[0] == pytest.approx(13.6, abs=0.01)


def test_results_are_not_there_before_the_measurement_had_its_time(tmp_path: Path) -> None:
    bus = ChipBus({0x76: VirtualBME280(Bme280Spec("air"), Truth(tmp_path / "truth"), 0)})
    device = bus.device(0x76)
    device.write(0xF2, b"\x01")
    device.write(0xF4, b"\x25")
    for passed_s, busy in ((0.0, True), (0.009, True), (0.001, False)):
        bus.sleep(passed_s)
        frame = device.read(0xF2, 13)
        assert bool(frame[1] & 0x08) is busy
        assert (frame[5:8] == b"\x80\x00\x00") is busy


def test_nobody_at_an_address_is_a_missing_acknowledge(here: Street) -> None:
    with pytest.raises(BusError, match="no acknowledge"):
        open_i2c(here.path("i2c"), 0x40).read(0, 1)


def test_a_command_for_a_sensor_that_is_not_there_names_those_that_are(here: Street) -> None:
    with pytest.raises(NodeError, match="there are air, roof, meter"):
        send_command(here.control, "cellar", "nack")


def test_commanding_where_nothing_listens_says_so(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="no virtual instruments answer there"):
        send_command(tmp_path / "nowhere", "air", "nack")


def test_a_planned_misbehaviour_happens_by_itself(tmp_path: Path) -> None:
    scenario = parse(
        """
        [[instrument]]
        kind = "bme280"
        sensor = "air"
        [[misbehaviour]]
        at_s = 0
        sensor = "air"
        do = "nack"
        """
    )
    with street(tmp_path, scenario) as here, pytest.raises(BusError, match="no acknowledge"):
        air(here)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("instrument = 3", "scenario"),
        ('[[instrument]]\nkind = "lidar"\nsensor = "a"', "lidar"),
        ('[[instrument]]\nkind = "bme280"\nsensor = "a"\naddress = 1', "address"),
        ('[[instrument]]\nkind = "pulse"\nsensor = "a"\npulses = {series = "air_uci:X"}', "only"),
        ('[[instrument]]\nkind = "pulse"\nsensor = "a"\npulses = {series = "moon:X"}', "moon"),
        ('instrument = []\n[[misbehaviour]]\nat_s = 1\nsensor = "x"\ndo = "nack"', "no sensor"),
        (2 * '[[instrument]]\nkind = "bme280"\nsensor = "a"\n', "two instruments"),
        ("not toml", "scenario"),
    ],
)
def test_a_scenario_that_cannot_be_played_says_why(text: str, problem: str) -> None:
    with pytest.raises(ConfigError, match=problem):
        parse(text)


def test_the_program_serves_in_a_process_of_its_own_until_it_is_terminated(
    tmp_path: Path,
) -> None:
    words = ["--socket", str(tmp_path / "wires"), "--truth", str(tmp_path / "truth")]
    process = subprocess.Popen(
        [sys.executable, "-m", "edgenode.virtual", *words], stdout=subprocess.PIPE
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        sensor = BME280(open_i2c(f"sim:{tmp_path}/wires#i2c", 0x76), BME280Options())
        assert sensor.read(0).values[0] == pytest.approx(13.6, abs=0.01)
        sensor.close()
    finally:
        process.terminate()
        assert process.wait(10) == 0
    assert not (tmp_path / "wires").exists()


def test_the_program_refuses_a_broken_scenario_in_one_line(tmp_path: Path) -> None:
    scenario = tmp_path / "street.toml"
    scenario.write_text("nonsense", "utf-8")
    words = ["--socket", "s", "--truth", "t", "--scenario", str(scenario)]
    done = subprocess.run(
        [sys.executable, "-m", "edgenode.virtual", *words],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("edgenode.virtual: scenario:")
