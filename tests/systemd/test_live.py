"""The shipped unit under a real systemd, in a container over the machine's own root.

Needs root and the Debian package systemd-container. The container's systemd starts the daemon in
its whole sandbox; a script inside looks, kills it, freezes it, stops it, and reports.
"""

import json
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
BOOT_S = 100.0

# The interpreter may live in a home, which the unit hides: it is bound to a place of its own.
LAUNCHER = """\
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib
export PYTHONHOME=/opt/python PYTHONPATH=/opt/product:/opt/packages
exec /opt/python/bin/{python} -m edgenode "$@"
"""
DROP_IN = """\
[Service]
WatchdogSec=4
RestartSec=100ms
ExecStartPre=/opt/trial/clock.sh
"""
# Asks for the clock as the daemon does, in the daemon's sandbox; -1 is a refusal.
CLOCK = """\
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib PYTHONHOME=/opt/python
exec /opt/python/bin/{python} -c 'import ctypes
print(ctypes.CDLL(None).adjtimex((ctypes.c_byte * 512)()))' > /var/lib/edgenode/clock
"""
# A meter that goes on whatever becomes of the daemon.
INSTRUMENTS = """\
#!/bin/sh
export LD_LIBRARY_PATH=/opt/python/lib
export PYTHONHOME=/opt/python PYTHONPATH=/opt/product:/opt/packages
exec /opt/python/bin/{python} -m edgenode.virtual --socket /run/wires --truth /opt/trial/truth \\
  --scenario /opt/trial/street.toml
"""
STREET = """\
[[instrument]]
kind = "pulse"
sensor = "meter"
bus = "virtual"
line = 4
every_ms = 1000
pulses = { offset = 20 }
"""
METER = """
[[bus]]
name = "virtual"
kind = "gpio"
path = "sim:/run/wires#virtual"
[[sensor]]
name = "meter"
driver = "pulse"
bus = "virtual"
every_s = 1
line = 4
purpose = "pulses of the trial"
"""
WATCHDOG = (ROOT / "systemd/edgenode-watchdog.conf").read_text()
# Stands before systemctl: what would reboot the container is only written down.
SYSTEMCTL = """\
#!/bin/sh
case "$*" in *reboot*) echo "$*" > /opt/trial/asked; exit 0;; esac
exec /bin/systemctl "$@"
"""
TARGET = "[Unit]\nRequires=basic.target trial.service\nAfter=basic.target\nAllowIsolate=yes\n"
TRIAL = """\
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/opt/trial/trial.sh
ExecStopPost=/bin/systemctl --no-block --force poweroff
StandardOutput=file:/opt/trial/log
StandardError=inherit
"""
SCRIPT = r"""#!/bin/bash
pid() { systemctl show -P MainPID edgenode; }
say() { echo "\"$1\": $2," >> /opt/trial/result; }
given() { grep -c '"fate": "ok"' /opt/trial/truth; }
until_new() { for _ in $(seq 200); do
  new=$(pid)  # 0 between two lives
  state=$(systemctl is-active edgenode)
  [ "$new" != 0 ] && [ "$new" != "$1" ] && [ "$state" = active ] && return 0
  sleep 0.1
done; return 1; }
echo '{' > /opt/trial/result
/opt/trial/instruments.sh > /opt/trial/wires 2>&1 &
until [ -S /run/wires ]; do sleep 0.1; done
chmod 666 /run/wires
systemctl start edgenode; say started $?
first=$(pid)
say capabilities "\"$(grep CapEff /proc/$first/status | cut -f2)\""
say user "\"$(ps -o user= -p $first)\""
sleep 3
edgenode status --json > /opt/trial/status; say status $?
python=$(edgenode --version); say version "\"$python\""
edgenode maintenance on --for 5min --json > /opt/trial/maintenance; say root_may_change $?
runuser -u nobody -- edgenode status > /opt/trial/told_nobody 2>&1; say nobody_may_read $?
usermod -aG edgenode nobody
runuser -u nobody -- edgenode status --json > /opt/trial/told_the_group
runuser -u nobody -- edgenode maintenance off > /opt/trial/denied 2>&1; say group_may_change $?
edgenode maintenance off > /dev/null
sed -i 's/^every_s = 10$/every_s = 9/' /etc/edgenode/edgenode.toml
systemctl reload edgenode; say reloaded $?
sleep 2
say same_pid $([ "$(pid)" = "$first" ] && echo true || echo false)
kill -KILL "$first"; until_new "$first"; say after_kill $?
second=$(pid)
kill -STOP "$second"; until_new "$second"; say after_freeze $?
say restarts "$(systemctl show -P NRestarts edgenode)"
systemctl restart edgenode; say restarted $?
sleep 1
say given_before "$(given)"
edgenode read meter --json > /opt/trial/meter; say meter $?
say given_after "$(given)"
began=$(date +%s%N)
systemctl stop edgenode; say stopped $?
say stop_ms $(( ($(date +%s%N) - began) / 1000000 ))
say result "\"$(systemctl show -P Result edgenode)\""
say clock "$(cat /var/lib/edgenode/clock)"
say watchdog "\"$(systemctl show -P RuntimeWatchdogUSec)\""
say mode "\"$(stat -c %a /var/lib/edgenode)\""
# Only a daemon that leaves with 86 asks for a reboot, and is not started again.
cat > /etc/systemd/system/edgenode.service.d/zz.conf <<'END'
[Service]
Type=exec
ExecStartPre=
ExecStart=
ExecStart=/bin/sh -c 'exit ${CODE}'
END
systemctl daemon-reload
for code in 2 86; do
  systemctl set-environment CODE=$code; systemctl restart edgenode; sleep 1
  say "left_with_$code" "\"$(systemctl is-active edgenode)\""
  say "asked_after_$code" "\"$(cat /opt/trial/asked 2>/dev/null)\""
  systemctl stop edgenode; systemctl reset-failed edgenode
done
journalctl -u edgenode --no-pager > /opt/trial/journal 2>&1
echo '"end": true }' >> /opt/trial/result
"""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the script inside the container saw."""
    assert shutil.which("systemd-nspawn"), "install the Debian package systemd-container"
    work = tmp_path_factory.mktemp("live")
    tree = _overlay(work)
    try:
        _furnish(tree, work)
        done = subprocess.run(
            _nspawn(tree), capture_output=True, text=True, timeout=BOOT_S, check=False,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )  # fmt: skip
        result = work / "trial" / "result"
        assert result.exists(), done.stdout[-3000:] + done.stderr[-3000:]
        found = json.loads(result.read_text())
        found["document"] = json.loads((work / "trial" / "status").read_text())
        for name in ("denied", "told_nobody", "told_the_group"):
            found[name] = (work / "trial" / name).read_text()
        found["reading"] = json.loads((work / "trial" / "meter").read_text())
        found["journal"] = (work / "trial" / "journal").read_text()
        yield found
    finally:
        subprocess.run(["umount", "--lazy", str(tree)], check=True)


def _overlay(work: Path) -> Path:
    for name in ("tree", "upper", "work", "trial"):
        (work / name).mkdir()
    options = f"lowerdir=/,upperdir={work}/upper,workdir={work}/work"
    tree = work / "tree"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(tree)], check=True)
    return tree


def _furnish(tree: Path, work: Path) -> None:
    """Install the unit as a package would, and the trial beside it."""
    python = Path(sys.executable).resolve().name
    units = tree / "etc" / "systemd" / "system"
    files = {
        tree / "usr/local/bin/systemctl": SYSTEMCTL,
        tree / "usr/bin/edgenode": LAUNCHER.format(python=python),
        units / "edgenode.service": (ROOT / "systemd/edgenode.service").read_text(),
        units / "edgenode.service.d/trial.conf": DROP_IN,
        tree / "etc/systemd/system.conf.d/50-edgenode-watchdog.conf": WATCHDOG,
        units / "trial.target": TARGET,
        units / "trial.service": TRIAL,
        tree / "usr/lib/sysusers.d/edgenode.conf": (ROOT / "systemd/edgenode.sysusers").read_text(),
        tree / "etc/edgenode/edgenode.toml": _configuration(),
        work / "trial/trial.sh": SCRIPT,
        work / "trial/clock.sh": CLOCK.format(python=python),
        work / "trial/instruments.sh": INSTRUMENTS.format(python=python),
        work / "trial/street.toml": STREET,
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    programs = [tree / "usr/bin/edgenode", tree / "usr/local/bin/systemctl"]
    programs += [*(work / "trial").glob("*.sh")]
    for program in programs:
        program.chmod(0o755)
    (tree / "etc/edgenode/edgenode.toml").chmod(0o644)
    (tree / "etc/machine-id").write_text("")
    subprocess.run(["systemd-sysusers", f"--root={tree}", "edgenode.conf"], check=True)
    for source, target in _binds(work):
        assert Path(source).exists()
        (tree / target.lstrip("/")).mkdir(parents=True, exist_ok=True)


def _configuration() -> str:
    """The shipped example, with a small spool, somebody who vouches for the clock, and a meter."""
    text = (ROOT / "deploy/edgenode.toml").read_text()
    text = text.replace("cap_mb = 256", "cap_mb = 8").replace("# manual_err_ms", "manual_err_ms")
    return text + METER


def _binds(work: Path) -> list[tuple[str, str]]:
    return [
        (sys.base_prefix, "/opt/python"),
        (sysconfig.get_path("purelib"), "/opt/packages"),
        (str(ROOT), "/opt/product"),
        (str(work / "trial"), "/opt/trial"),
    ]


def _nspawn(tree: Path) -> list[str]:
    *products, trial = _binds(tree.parent)
    binds = [f"--bind-ro={source}:{target}" for source, target in products]
    binds.append(f"--bind={trial[0]}:{trial[1]}")
    return [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-D", str(tree), "--boot",
        "--console=read-only", "--private-network", *binds,
        "--capability=CAP_SYS_TIME",  # else the container itself refuses adjtimex to everybody
        "systemd.unit=trial.target",
    ]  # fmt: skip


pytestmark = [pytest.mark.root, pytest.mark.timeout(150)]


def test_the_daemon_becomes_ready_in_its_sandbox(trial: dict[str, Any]) -> None:
    assert (trial["started"], trial["user"], trial["mode"]) == (0, "edgenode", "700")
    assert int(trial["capabilities"], 16) == 0
    assert trial["document"]["spool"]["commits"] >= 1, trial["journal"]


def test_the_kernel_can_be_asked_for_its_clock_inside_the_sandbox(trial: dict[str, Any]) -> None:
    assert trial["clock"] >= 0
    assert trial["document"]["clock"] in {"manual", "ntp"}


def test_systemd_starts_it_again_after_a_kill_and_after_a_freeze(trial: dict[str, Any]) -> None:
    assert (trial["after_kill"], trial["after_freeze"]) == (0, 0), trial["journal"]
    assert trial["restarts"] == 2


def test_root_may_change_the_node_and_the_group_may_only_look(trial: dict[str, Any]) -> None:
    assert trial["root_may_change"] == 0
    assert (trial["nobody_may_read"], trial["group_may_change"]) == (1, 1)
    assert "join the group" in trial["told_nobody"]
    assert json.loads(trial["told_the_group"])["format"] == 1
    assert "sudo" in trial["denied"]


def test_the_hardware_watchdog_is_asked_for_no_more_than_a_pi_can_wait(
    trial: dict[str, Any],
) -> None:
    assert trial["watchdog"] == "14s"


def test_a_reload_keeps_the_process(trial: dict[str, Any]) -> None:
    assert (trial["reloaded"], trial["same_pid"]) == (0, True)
    assert "reloaded: bus " in trial["journal"]


def test_only_one_exit_code_asks_for_a_reboot(trial: dict[str, Any]) -> None:
    assert (trial["left_with_2"], trial["asked_after_2"]) == ("activating", "")
    assert (trial["left_with_86"], trial["asked_after_86"]) == ("failed", "--no-block reboot")


def test_systemd_stops_it_within_two_seconds(trial: dict[str, Any]) -> None:
    assert (trial["stopped"], trial["result"]) == (0, "success")
    assert trial["stop_ms"] < 2_000


def test_no_pulse_is_missed_by_a_kill_a_freeze_and_a_restart(trial: dict[str, Any]) -> None:
    assert (trial["restarted"], trial["meter"]) == (0, 0), trial["journal"]
    (count,) = [
        channel["value"]
        for channel in trial["reading"]["channels"]
        if channel["channel"] == "meter/count"
    ]
    assert trial["given_before"] <= count <= trial["given_after"]
    assert count > 100
