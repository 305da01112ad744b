"""A scan finds what stands on real sockets of virtual wires, names it, and writes it down."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import takewhile
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import main
from edgenode.config import load
from edgenode.scan import listening, serial
from edgenode.virtual import parse as scenario
from tests.support.instruments import Street, street
from tests.support.ttys import far_end

INSTRUMENTS = """
[[instrument]]
kind = "bme280"
sensor = "a"
bus = "wire"
address = 0x76

[[instrument]]
kind = "sht4x"
sensor = "b"
bus = "wire"
address = 0x45

[[instrument]]
kind = "sdm"
sensor = "m"
bus = "rs485"
model = "sdm630"

[[instrument]]
kind = "sdm"
sensor = "n"
bus = "rs485"
address = 4
model = "sdm120"

[[instrument]]
kind = "sdm"
sensor = "o"
bus = "far"
address = 101
baud = 2400
model = "sdm120"

[[instrument]]
kind = "gnss"
sensor = "sky"
bus = "gnss"
baud = 38400

[[instrument]]
kind = "pms5003"
sensor = "dust"
bus = "uart"
every_ms = 500
"""
NODE = """\
schema = 1
[node]
id = "0a1b2c3d"
state = "{state}"
[[uplink.broker]]
host = "127.0.0.1"
tls = false
[[bus]]
name = "weather"
kind = "i2c"
path = "{path}"
[[sensor]]
name = "air"
driver = "bme280"
bus = "weather"
every_s = 1
address = 0x76
purpose = "heat"
"""


@pytest.fixture
def wires(tmp_path: Path) -> Iterator[Street]:
    with street(tmp_path, scenario(INSTRUMENTS)) as made:
        yield made


@pytest.fixture
def file(tmp_path: Path, wires: Street) -> Path:
    path = tmp_path / "edgenode.toml"
    state = tmp_path / "state"
    state.mkdir()
    path.write_text(NODE.format(state=state, path=wires.path("wire")), "utf-8")
    return path


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "QUIET_S", 1.2)  # the part that talks does by then
    monkeypatch.setattr(serial, "SELDOM_S", 0.1)


def scanned(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["scan", "--json", *words])
    return code, json.loads(capsys.readouterr().out)


def test_parts_on_an_i2c_bus_are_named_by_their_identity(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scan", f"i2c={wires.path('wire')}", "--config", str(file)]) == 0
    said = capsys.readouterr().out
    assert "0x45  sht4x: SHT4x, serial number 0fa12b3c" in said
    assert "0x76  bme280: " in said
    assert 'driver = "sht4x"' in said
    assert 'driver = "bme280"' not in said, "the file has it"


def test_meters_are_asked_and_a_part_that_talks_is_heard(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = [f"serial={wires.path(name)}" for name in ("rs485", "uart")]
    code, document = scanned(capsys, *ports, "--config", str(file))
    cable, uart = ([(s["driver"], s["place"]) for s in w["seen"]] for w in document["wires"])
    assert code == 0
    assert cable == [
        ("sdm630", "9600 8N1, address 1"),
        ("sdm120", "9600 8N1, address 4"),
    ]
    assert [driver for driver, _ in uart] == ["pms5003"]


def test_a_meter_beyond_the_usual_addresses_is_found_where_it_is_asked_for(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"serial={wires.path('far')}", "--config", str(file)]
    _, document = scanned(capsys, *words, "--addresses", "101", "--write", "--purpose", "power")
    (seen,) = document["wires"][0]["seen"]
    assert (seen["driver"], seen["options"]) == ("sdm120", {"address": 101})
    assert document["stanzas"][0]["sensor"] == "sdm120-101", "as the meter shows it"
    assert "address = 101\n" in file.read_text("utf-8")
    assert "baud = 2400\n" in file.read_text("utf-8"), "it is set so"
    (_, meter) = load(file).sensors
    assert (meter.bus.baud, meter.every_ms) == (2400, 900_000)


def test_a_receiver_at_another_speed_is_heard_and_its_bus_says_the_speed(
    wires: Street,
    file: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(serial, "SELDOM_S", 1.2)  # it talks each second
    _, document = scanned(capsys, f"serial={wires.path('gnss')}", "--config", str(file))
    assert [seen["place"] for seen in document["wires"][0]["seen"]] == ["38400 8N1"]
    assert "baud = 38400\n" in document["stanzas"][0]["text"]


def test_what_the_file_has_of_a_cable_is_not_added_again(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"serial={wires.path('rs485')}", "--config", str(file), "--write", "--purpose", "x"]
    one = [*words, "--addresses", "4"]
    assert [s["sensor"] for s in scanned(capsys, *one)[1]["stanzas"]] == ["sdm120-4"]
    assert [s["sensor"] for s in scanned(capsys, *words)[1]["stanzas"]] == ["sdm630-1"]


def test_what_the_kernel_reads_is_added_once_and_the_machine_itself_is_offered(
    tmp_path: Path, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tree = tmp_path / "tree"
    for name, kind in (("hwmon0", "soc"), ("hwmon1", "adc")):
        monitor = tree / "sys" / "class" / "hwmon" / name
        monitor.mkdir(parents=True)
        (monitor / "name").write_text(f"{kind}\n")
        (monitor / "temp1_input").write_text("41000\n")
    (tree / "proc").mkdir()
    (tree / "proc" / "uptime").write_text("77.5 60.0\n")
    words = [f"sysfs={tree}", "--config", str(file), "--write", "--purpose", "heat"]
    _, document = scanned(capsys, *words)
    assert [s["sensor"] for s in document["stanzas"]] == ["health", "hwmon", "hwmon-2"]
    state = load(file).sensors[1].options.state  # type: ignore[attr-defined]
    assert state == str(tmp_path / "state"), "the disk of this node is looked at"
    assert scanned(capsys, *words)[1]["stanzas"] == []


def test_what_is_written_is_a_file_that_the_node_takes(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [f"i2c={wires.path('wire')}", "--config", str(file), "--write"]
    code, document = scanned(capsys, *words, "--purpose", "heat on the square")
    assert (code, document["written"]) == (0, str(file))
    config = load(file)
    assert [(s.name, s.bus.name) for s in config.sensors] == [
        ("air", "weather"),
        ("sht4x-45", "weather"),
    ]
    assert config.sensors[1].options.address == 0x45  # type: ignore[attr-defined]
    assert scanned(capsys, *words)[1]["written"] is None, "there is nothing more to add"
    assert main(["scan", *words]) == 0
    assert f"nothing to add: {file} has all that was named" in capsys.readouterr().out


def test_without_a_purpose_nothing_is_written_and_the_file_stays(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_text("utf-8")
    assert main(["scan", f"i2c={wires.path('wire')}", "--config", str(file), "--write"]) == 2
    assert "no purpose" in capsys.readouterr().err
    assert file.read_text("utf-8") == before
    assert sorted(path.name for path in file.parent.glob(".*")) == []


def test_a_part_that_nobody_knows_is_told_with_what_it_could_be(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wires.server.act("b", "garbage")
    _, document = scanned(capsys, f"i2c={wires.path('wire')}", "--config", str(file))
    (wire,) = document["wires"]
    (unknown,) = [seen for seen in wire["seen"] if not seen["driver"]]
    assert unknown["place"] == "0x45"
    assert "no driver here knows it; by its address it could be" in unknown["words"]
    assert "sht4x" in unknown["words"]


def test_a_part_that_hangs_hides_none_behind_it(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wires.server.act("b", "hang")
    code, document = scanned(capsys, f"i2c={wires.path('wire')}", "--config", str(file))
    hung, after = document["wires"][0]["seen"]
    assert (code, hung["place"], hung["driver"]) == (0, "0x45", "")
    assert "holds the bus" in hung["words"]
    assert after["driver"] == "bme280"


def test_a_running_daemon_keeps_its_wires_and_the_words_say_what_to_do(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with (file.parent / "state" / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert main(["scan", f"i2c={wires.path('wire')}", "--config", str(file)]) == 1
    caught = capsys.readouterr()
    assert "sudo systemctl stop edgenode, scan, and start it again" in caught.err
    assert caught.out == ""


@pytest.mark.parametrize("words", [["nowhere"], ["--addresses", "300"]])
def test_what_cannot_be_meant_is_wrong_usage(
    file: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert main(["scan", *words, "--config", str(file)]) == 2
    assert words[-1] in capsys.readouterr().err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_scan_that_is_interrupted_ends_soon_and_tells_what_it_saw(
    wires: Street, file: Path, number: int
) -> None:
    with far_end(lambda _: b"") as silent:
        ends = [f"i2c={wires.path('wire')}", f"serial={silent}", "--config", str(file)]
        process = subprocess.Popen(
            [sys.executable, "-m", "edgenode", "scan", *ends, "--write", "--purpose", "heat"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        seen = iter(process.stdout.readline, "")
        early = list(takewhile(lambda line: "0x76" not in line, seen))
        asked = time.monotonic()
        process.send_signal(number)
        late, _ = process.communicate(timeout=20)
        assert time.monotonic() - asked < 2
    assert process.returncode == 130
    assert any("0x45  sht4x" in line for line in early)
    assert "stopped before it had looked at all of this" in late
    assert 'driver = "sht4x"' in late
    assert f"{file} was left as it is" in late
    assert "sht4x" not in file.read_text("utf-8")
