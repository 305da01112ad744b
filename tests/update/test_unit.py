"""What the unit of the gate does when the gate has ended, however that was."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "systemd/edgenode-confirm.service"


@pytest.mark.parametrize(
    ("result", "state", "leaves"),
    [
        ("success", "bad", False),  # it was stopped by hand
        ("exit-code", "bad", True),  # its verdict, or a crash
        ("timeout", "bad", True),  # it hung
        ("exit-code", "good", False),
        ("exit-code", "", False),  # the backend cannot tell
    ],
)
def test_only_a_system_that_has_not_proved_good_is_left(
    tmp_path: Path, result: str, state: str, *, leaves: bool
) -> None:
    match = re.search(r"^ExecStopPost=\+/bin/sh -c '(.*)'$", UNIT.read_text(), re.MULTILINE)
    assert match
    backend, systemctl = tmp_path / "backend", tmp_path / "systemctl"
    backend.write_text(f"#!/bin/sh\ncase $1 in get-current) echo B ;; *) echo {state} ;; esac\n")
    systemctl.write_text(f"#!/bin/sh\necho $* >{tmp_path}/asked\n")
    for script in (backend, systemctl):
        script.chmod(0o755)
    command = match[1].replace("/usr/lib/edgenode/ota/backend", str(backend))
    env = {"SERVICE_RESULT": result, "PATH": f"{tmp_path}:/usr/bin:/bin"}
    subprocess.run(("/bin/sh", "-c", command), check=True, env=env)
    asked = tmp_path / "asked"
    assert asked.exists() is leaves
    assert not leaves or asked.read_text() == "--no-block reboot\n"
