"""What ends a commissioning early says so, and what it did not do; nothing is left behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenode.cli import INTERRUPTED, USAGE, main
from edgenode.commission import gather as gathering
from edgenode.commission import machine
from edgenode.commission.checks import judged
from edgenode.commission.evidence import Evidence
from edgenode.commission.scope import DOCTOR
from edgenode.errors import ConfigError
from tests.support.disclosed import text

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "edgenode.toml"
    path.write_text(text(site=""), encoding="utf-8")
    return path


def test_a_plan_that_is_not_there_is_told_before_anything_is_tried(
    config: Path, capsys: Capture
) -> None:
    words = ["commission", "--config", str(config), "--plan", "/missing/node.json"]
    assert main(words) == USAGE
    assert "--plan /missing/node.json: there is no such file" in capsys.readouterr().err


def test_who_interrupts_is_told_that_nothing_was_recorded(
    config: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> Evidence:
        raise KeyboardInterrupt

    monkeypatch.setattr(gathering, "gather", interrupted)
    assert main(["commission", "--config", str(config), "--unattended"]) == INTERRUPTED
    assert "nothing was recorded" in capsys.readouterr().err


def test_a_file_that_is_not_ours_to_read_is_no_mistake_in_it(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def denied(path: Path) -> None:
        raise ConfigError([f"{path}: cannot be read"]) from PermissionError()

    monkeypatch.setattr(gathering, "load", denied)
    evidence = gathering.gather(config, DOCTOR, print, lambda *_: ({}, None))
    [finding] = [one for one in judged(evidence) if one.key in {"daemon", "configuration 1"}]
    assert (finding.key, finding.command) == ("daemon", "sudo edgenode doctor")
    assert str(config) in finding.what


def test_timing_the_card_leaves_no_file_and_follows_no_link(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("kept")
    state = tmp_path / "state"
    state.mkdir()
    for name in (".commission.flush", ".commission.json.new"):
        (state / name).symlink_to(precious)
    assert len(machine.card(state, 3).flush_ms) == 3
    assert sorted(one.name for one in state.iterdir()) == [
        ".commission.flush", ".commission.json.new",
    ]  # fmt: skip
    assert precious.read_text() == "kept"


def test_a_card_that_takes_no_file_is_told(tmp_path: Path) -> None:
    found = machine.card(tmp_path / "missing", 3)
    assert (found.flush_ms, "a small write fails" in found.problem) == ((), True)
