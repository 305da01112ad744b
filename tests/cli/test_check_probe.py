"""`edgenode check --probe`: the sensors of a file are read once, never under a running daemon."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.advice import REASONS
from edgenode.cli import main, probing
from edgenode.virtual import parse as scenario
from tests.support.instruments import Street, street

NODE = """\
schema = 1
[node]
id = "0a1b2c3d"
state = "{state}"
[[uplink.broker]]
host = "127.0.0.1"
tls = false
[[bus]]
name = "wire"
kind = "i2c"
path = "{path}"
[[sensor]]
name = "air"
driver = "bme280"
bus = "wire"
every_s = 1
address = 0x76
purpose = "test"
"""


ABSENT = NODE[NODE.index("[[sensor]]") :].replace("air", "gone").replace("0x76", "0x77")


INSTRUMENT = '[[instrument]]\nkind = "bme280"\nsensor = "air"\nbus = "wire"\naddress = 0x76\n'


@pytest.fixture
def node(tmp_path: Path) -> Iterator[tuple[Street, Path]]:
    with street(tmp_path, scenario(INSTRUMENT)) as running:
        file = tmp_path / "node.toml"
        file.write_text(NODE.format(state=tmp_path / "state", path=running.path("wire")))
        yield running, file


def check(file: Path, *words: str) -> int:
    return main(["check", "--offline", "--probe", "--config", str(file), *words])


def test_a_sensor_on_a_virtual_wire_is_read(
    node: tuple[Street, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(node[1]) == 0
    said = capsys.readouterr().out
    assert "air on wire: temperature " in said
    assert " Cel, humidity " in said, "a line for each sensor"
    assert " Pa\n" in said


def test_a_sensor_that_is_not_there_fails_the_check_and_the_others_are_read(
    node: tuple[Street, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    node[1].write_text(node[1].read_text() + ABSENT)
    assert check(node[1]) == 1
    said = capsys.readouterr().out
    assert "air on wire: temperature " in said
    assert "gone on wire: " in said
    assert f"  {REASONS['no-answer']}" in said


def test_the_findings_are_one_object_for_programs(
    node: tuple[Street, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(node[1], "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["sensors"], told["buses"], told["problems"]) == (1, 1, [])
    (sensor,) = told["probe"]
    assert (sensor["sensor"], sensor["bus"], sensor["ok"]) == ("air", "wire", True)
    assert [(r["channel"], r["unit"]) for r in sensor["readings"]] == [
        ("air/temperature", "Cel"),
        ("air/humidity", "%RH"),
        ("air/pressure", "Pa"),
    ]


def test_nothing_is_probed_under_a_running_daemon(
    node: tuple[Street, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    state = node[1].parent / "state"
    state.mkdir()
    with (state / "lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert check(node[1]) == 1
        caught = capsys.readouterr()
        assert "a daemon reads these sensors now; ask it: edgenode read SENSOR" in caught.err
        assert "air on wire" not in caught.out
    assert check(node[1]) == 0


def test_no_daemon_can_start_while_sensors_are_probed(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with (
        probing.alone(tmp_path),
        (tmp_path / "lock").open("rb") as lock,
        pytest.raises(BlockingIOError),
    ):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
