"""What an installer is told before the daemon is started."""

from __future__ import annotations

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


def test_offline_only_the_file_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--offline", "--config", file(tmp_path, free_port())]) == 0
    assert "no mistakes" in capsys.readouterr().out


def test_mistakes_are_named_by_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = file(tmp_path, 1883, "[sppol]\n")
    assert main(["check", "--offline", "--config", wrong]) == 2
    assert f"{wrong}:9:" in capsys.readouterr().err
