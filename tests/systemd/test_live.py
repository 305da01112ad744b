"""The shipped unit of the daemon under a real systemd, in its whole sandbox.

A script inside looks, kills the daemon, freezes it, stops it, and reports.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.systemd.container import INTERPRETER, ROOT, container

DROP_IN = """\
[Service]
WatchdogSec=4
RestartSec=100ms
ExecStartPre=/usr/libexec/trial/clock.sh
"""
# Asks for the clock in the daemon's sandbox; -1 is a refusal.
CLOCK = f"""\
#!/bin/sh
{INTERPRETER} -c 'import ctypes
print(ctypes.CDLL(None).adjtimex((ctypes.c_byte * 512)()))' > /var/lib/edgenode/clock
"""
# A meter that goes on whatever becomes of the daemon.
INSTRUMENTS = f"""\
#!/bin/sh
{INTERPRETER} -m edgenode.virtual --socket /run/wires --truth /opt/trial/truth \\
  --scenario /usr/libexec/trial/street.toml
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
# Stands before systemctl: what would reboot the container is only written down.
SYSTEMCTL = """\
#!/bin/sh
case "$*" in *reboot*) echo "$*" > /opt/trial/asked; exit 0;; esac
exec /bin/systemctl "$@"
"""
SCRIPT = r"""#!/bin/bash
pid() { systemctl show -P MainPID edgenode; }
say() { echo "\"$1\": $2," >> /opt/trial/result; }
given() { grep -c '"fate": "ok"' /opt/trial/truth; }
soon() { for _ in $(seq 200); do "$@" && return 0; sleep 0.1; done; return 1; }
anew() { # PID of the life before
  new=$(pid)  # 0 between two lives
  [ "$new" != 0 ] && [ "$new" != "$1" ] && [ "$(systemctl is-active edgenode)" = active ]
}
reloaded() { journalctl -u edgenode --no-pager | grep -q "reloaded: bus"; }
left() { [[ "$(systemctl is-active edgenode)" =~ ^(activating|failed)$ ]]; }
echo '{' > /opt/trial/result
/usr/libexec/trial/instruments.sh > /opt/trial/wires 2>&1 &
soon test -S /run/wires
chmod 666 /run/wires
systemctl start edgenode; say started $?
first=$(pid)
say capabilities "\"$(grep CapEff /proc/$first/status | cut -f2)\""
say user "\"$(ps -o user= -p $first)\""
edgenode status --json > /opt/trial/document; say status $?
python=$(edgenode --version); say version "\"$python\""
edgenode maintenance on --for 5min --json > /opt/trial/maintenance; say root_may_change $?
runuser -u nobody -- edgenode status > /opt/trial/told_nobody 2>&1; say nobody_may_read $?
usermod -aG edgenode nobody
runuser -u nobody -- edgenode status --json > /opt/trial/told_the_group
runuser -u nobody -- edgenode maintenance off > /opt/trial/denied 2>&1; say group_may_change $?
edgenode maintenance off > /dev/null
sed -i 's/^every_s = 10$/every_s = 9/' /etc/edgenode/edgenode.toml
systemctl reload edgenode; say reloaded $?
soon reloaded
say same_pid $([ "$(pid)" = "$first" ] && echo true || echo false)
kill -KILL "$first"; soon anew "$first"; say after_kill $?
second=$(pid)
kill -STOP "$second"; soon anew "$second"; say after_freeze $?
say restarts "$(systemctl show -P NRestarts edgenode)"
systemctl restart edgenode; say restarted $?
say given_before "$(given)"
edgenode read meter --json > /opt/trial/reading; say meter $?
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
RestartSec=1min
END
systemctl daemon-reload
for code in 2 86; do
  systemctl set-environment CODE=$code; systemctl restart edgenode; soon left
  say "left_with_$code" "\"$(systemctl is-active edgenode)\""
  say "asked_after_$code" "\"$(cat /opt/trial/asked 2>/dev/null)\""
  systemctl stop edgenode; systemctl reset-failed edgenode
done
journalctl -u edgenode --no-pager > /opt/trial/journal 2>&1
echo '"end": true }' >> /opt/trial/result
"""


FILES = {
    "usr/local/bin/systemctl": SYSTEMCTL,
    "etc/systemd/system/edgenode.service.d/trial.conf": DROP_IN,
    "usr/libexec/trial/clock.sh": CLOCK,
    "usr/libexec/trial/instruments.sh": INSTRUMENTS,
    "usr/libexec/trial/street.toml": STREET,
}


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the script inside the container saw."""
    files = {**FILES, "etc/edgenode/edgenode.toml": _configuration()}
    with container(tmp_path_factory.mktemp("live"), files, SCRIPT) as left:
        found = json.loads((left / "result").read_text())
        for name in ("denied", "told_nobody", "told_the_group", "journal", "log"):
            found[name] = (left / name).read_text()
        for name in ("document", "reading"):
            found[name] = json.loads((left / name).read_text())
        yield found


def _configuration() -> str:
    """The shipped example, with a small spool, somebody who vouches for the clock, and a meter."""
    text = (ROOT / "deploy/edgenode.toml").read_text()
    text = text.replace("cap_mb = 256", "cap_mb = 8").replace("# manual_err_ms", "manual_err_ms")
    return text + METER


pytestmark = [pytest.mark.root, pytest.mark.timeout(150)]


def test_the_daemon_becomes_ready_in_its_sandbox(trial: dict[str, Any]) -> None:
    assert (trial["started"], trial["user"], trial["mode"]) == (0, "edgenode", "700")
    assert int(trial["capabilities"], 16) == 0
    assert trial["document"]["spool"]["commits"] >= 1, trial["journal"]


def test_the_kernels_clock_is_out_of_reach_and_the_node_has_a_time(trial: dict[str, Any]) -> None:
    assert trial["clock"] == -1
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
