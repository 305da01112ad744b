"""What systemd tells where no daemon answers."""

import os
from pathlib import Path

import pytest

from edgenode.cli import main
from edgenode.cli.absent import shown, systemd

Capture = pytest.CaptureFixture[str]


def test_systemd_is_read_as_it_prints() -> None:
    text = "ActiveState=activating\nSubState=auto-restart\nResult=exit-code\nExecMainStatus=2\n"
    assert shown(f"{text}NRestarts=14\nOther=1\n") == {
        "active": "activating", "sub": "auto-restart", "result": "exit-code", "exit_status": 2,
        "restarts": 14,
    }  # fmt: skip
    assert shown("") is None


def test_a_machine_without_systemd_has_nothing_to_say(tmp_path: Path) -> None:
    assert systemd(str(tmp_path / "none")) is None


def test_a_daemon_that_left_for_its_file_sends_people_to_check(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "systemctl"
    script.write_text(
        "#!/bin/sh\nprintf 'ActiveState=failed\\nSubState=failed\\nResult=exit-code\\n"
        "ExecMainStatus=2\\nNRestarts=5\\n'\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("edgenode.cli.absent.SYSTEMD", str(tmp_path))
    assert main(["status", "--socket", str(tmp_path / "s"), "--state", str(tmp_path)]) == 3
    said = capsys.readouterr().out
    assert "systemd failed (failed), result exit-code, exit status 2, restarted 5 times" in said
    assert "edgenode check" in said
