"""A scan finds what stands on real sockets of virtual wires, names it, and writes it down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import main
from edgenode.config import load
from edgenode.scan import serial as serial_scan
from edgenode.virtual import parse as scenario
from tests.support.instruments import Street, street

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
    monkeypatch.setattr(serial_scan, "QUIET_S", 1.2)  # the part that talks does by then


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


def test_a_meter_is_asked_and_a_part_that_talks_is_heard(
    wires: Street, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ports = [f"serial={wires.path(name)}" for name in ("rs485", "uart")]
    code, document = scanned(capsys, *ports, "--config", str(file))
    found = [(seen["driver"], seen["words"]) for wire in document["wires"] for seen in wire["seen"]]
    assert code == 0
    assert found[0] == ("sdm630", "SDM630, three phases")
    assert found[1][0] == "pms5003"


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
