"""What an installer is told before the daemon is started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenode.cli import main
from tests.support.mosquitto import Mosquitto
from tests.support.ports import free_port

TOML = """\
schema = 1
[node]
id = "0a1b2c3d"
[uplink]
[[uplink.broker]]
host = "127.0.0.1"
port = {port}
tls = false
"""


def file(tmp_path: Path, port: int, more: str = "") -> str:
    path = tmp_path / "edgenode.toml"
    path.write_text(TOML.format(port=port) + more, encoding="utf-8")
    return str(path)


def test_a_broker_that_serves_the_node_is_named_with_its_version(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Mosquitto(tmp_path / "broker") as broker:
        code = main(["check", "--config", file(tmp_path, broker.port)])
    said = capsys.readouterr().out
    assert code == 0, said
    assert f"127.0.0.1:{broker.port}: works, MQTT 5" in said


def test_a_broker_that_is_not_there_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", "--config", file(tmp_path, free_port())]) == 1
    assert "refused" in capsys.readouterr().out


def test_a_node_without_a_broker_is_no_mistake_and_a_note_says_what_that_means(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "edgenode.toml"
    path.write_text('schema = 1\n[node]\nid = "0a1b2c3d"\n', encoding="utf-8")
    assert main(["check", "--config", str(path)]) == 0
    assert "note: " in (said := capsys.readouterr().out)
    assert "no broker is named, so nothing is sent" in said


def test_offline_only_the_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--offline", "--config", file(tmp_path, free_port())]) == 0
    assert "no mistakes" in capsys.readouterr().out


def test_mistakes_are_named_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = file(tmp_path, 1883, "[sppol]\n")
    assert main(["check", "--offline", "--config", wrong]) == 2
    assert f"{wrong}:9:" in capsys.readouterr().err


def test_mistakes_are_one_object_for_programs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = file(tmp_path, 1883, "[sppol]\n")
    assert main(["check", "--offline", "--json", "--config", wrong]) == 2
    told = json.loads(capsys.readouterr().out)
    assert told["file"] == wrong
    assert len(told["problems"]) == 1
    assert told["problems"][0].startswith(f"{wrong}:9: sppol: unknown key")


def test_what_fits_but_should_make_one_think_is_noted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    doubtful = file(tmp_path, 1883, "[clock]\nmanual_err_ms = 5\n")
    assert main(["check", "--offline", "--config", doubtful]) == 0
    assert f"note: {doubtful}:10: clock.manual_err_ms: " in capsys.readouterr().out


def test_this_machine_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bus = '[[bus]]\nname = "b"\nkind = "serial"\npath = "/dev/ttyUSB97"\n'
    assert main(["check", "--offline", "--config", file(tmp_path, 1883, bus)]) == 0
    said = capsys.readouterr().out
    assert "note: bus 'b': /dev/ttyUSB97 changes with the order of plugging" in said
    assert "note: bus 'b': there is no /dev/ttyUSB97 here now" in said


def test_a_credential_that_was_not_handed_over_fails_the_check(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    path = file(tmp_path, free_port(), 'password_file = "credential:mqtt"\n')
    assert main(["check", "--json", "--config", path]) == 1
    (problem,) = json.loads(capsys.readouterr().out)["problems"]
    assert problem.startswith("credential:mqtt: systemd has handed over no credentials here;")


def test_the_schema_is_printed_for_editors(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert "bme280" in made["$defs"]["SensorTable"]["properties"]["driver"]["enum"]
