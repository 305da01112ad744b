"""What stands beside the daemon under a real systemd: the clock, the journal, and secrets."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from edgenode.timex import STA_UNSYNC, Kernel, parsed
from tests.systemd.container import INTERPRETER, container

PASSWORD = "a word that only root may read"  # noqa: S105 - of a broker of this test
NODE = """\
schema = 1
[node]
id = "0badcafe0009"
[spool]
cap_mb = 8
pregrow = false
[[uplink.broker]]
host = "127.0.0.1"
port = 1883
tls = false
password_file = "credential:mqtt-password"
[[bus]]
name = "self"
kind = "sysfs"
path = "/"
[[sensor]]
name = "node"
driver = "health"
bus = "self"
every_s = 1
purpose = "the node of the trial"
"""
# Hears what the node says first, which is who it is.
BROKER = f"""\
#!/bin/sh
{INTERPRETER} -c '
import pathlib, socket
with socket.create_server(("127.0.0.1", 1883)) as server:
    pathlib.Path("/opt/trial/listens").touch()
    said = server.accept()[0].recv(4096)
    pathlib.Path("/opt/trial/said").write_bytes(said)
'
"""
OPEN = ("/etc/open", "/usr/open", "/var/open", "/run/open", "/boot/open", "/home/open")
# In the daemon's sandbox: where anybody may write, and what comes of it there.
PROBE = f"""\
#!/bin/sh
for where in {" ".join(OPEN)} "$STATE_DIRECTORY" "$RUNTIME_DIRECTORY"; do
  (: > "$where/written") 2>&1 && echo "written: $where"
done > /var/lib/edgenode/probe
exit 0
"""
FLOOD = 5_000  # lines
SCRIPT = rf"""#!/bin/bash
say() {{ echo "\"$1\": \"$2\"," >> /opt/trial/result; }}
until_there() {{ for _ in $(seq 150); do [ -s "$1" ] && return 0; sleep 0.1; done; return 1; }}
mkdir -m 777 {" ".join(OPEN)}
chmod 777 {" ".join(OPEN)}
chmod 600 /etc/credstore/mqtt-password
echo '{{' > /opt/trial/result
/usr/libexec/trial/broker.sh &
for _ in $(seq 100); do [ -e /opt/trial/listens ] && break; sleep 0.1; done
systemctl start edgenode-clock; say clock "$(systemctl show -P ConditionResult edgenode-clock)"
systemctl start edgenode; say started $?
until_there /run/edgenode-clock-state/state
cp /run/edgenode-clock-state/state /opt/trial/state
until_there /opt/trial/said
runuser -u edgenode -- cat /etc/credstore/mqtt-password; say may_read $?
cp /var/lib/edgenode/probe /opt/trial/probe
pid=$(systemctl show -P MainPID edgenode-clock-state)
say asks_as "$(ps -o user= -p "$pid") $(grep CapBnd "/proc/$pid/status" | cut -f2)"
log=/var/lib/edgenode/log
logger -p user.info "of no interest"
logger -p user.warning "the first warning"
journalctl --sync
systemctl start edgenode-journal
until_there $log/warnings
logger -p user.err "just before the end"
journalctl --sync
systemctl stop edgenode-journal
cp $log/warnings /opt/trial/warnings
systemctl start edgenode-journal
seq -f 'line %.0f of the flood' {FLOOD} | systemd-cat --priority=warning
journalctl --sync
systemctl stop edgenode-journal
say flooded "$(stat -c %s $log/warnings)"
head -c 491519 /dev/zero | tr '\0' x > $log/warnings
seq -f 'line %.0f of another' {FLOOD} | systemd-cat --priority=warning
journalctl --sync
systemctl start edgenode-journal
until_there $log/warnings.1
systemctl stop edgenode-journal
say turned "$(stat -c %s $log/warnings.1) $(stat -c %s $log/warnings || echo 0)"
say mode "$(stat -c %a:%U $log)"
say on_the_card "$(find /var/log/journal -name '*.journal' -newer /opt/trial/listens | wc -l)"
say in_memory "$(find /run/log/journal -name '*.journal' | wc -l)"
echo '"end": true }}' >> /opt/trial/result
"""
FILES = {
    "etc/edgenode/edgenode.toml": NODE,
    "etc/credstore/mqtt-password": f"{PASSWORD}\n",
    "usr/libexec/trial/broker.sh": BROKER,
    "usr/libexec/trial/probe.sh": PROBE,
    "etc/systemd/system/edgenode.service.d/trial.conf": (
        "[Service]\nExecStartPre=/usr/libexec/trial/probe.sh\n"
    ),
}
pytestmark = [pytest.mark.root, pytest.mark.timeout(150)]


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """What the script inside the container saw."""
    with container(tmp_path_factory.mktemp("beside"), FILES, SCRIPT) as left:
        found = json.loads((left / "result").read_text())
        for name in ("state", "probe", "warnings", "log"):
            found[name] = (left / name).read_text()
        found["said"] = (left / "said").read_bytes()
        yield found


def test_the_kernel_is_asked_for_its_clock_outside_of_the_daemons_sandbox(
    trial: dict[str, Any],
) -> None:
    said, undisciplined = parsed(trial["state"]), Kernel().error_ms(0, 0) is None
    assert bool(said.status & STA_UNSYNC) is undisciplined
    assert said.utc_ms > said.boot_ms > 0


def test_who_asks_for_the_clock_has_no_rights(trial: dict[str, Any]) -> None:
    user, bounding = trial["asks_as"].split()
    assert user not in {"root", "edgenode"}
    assert int(bounding, 16) == 0


def test_the_clock_of_a_container_is_never_set(trial: dict[str, Any]) -> None:
    assert trial["clock"] == "no"


def test_a_secret_that_only_root_may_read_reaches_the_broker(trial: dict[str, Any]) -> None:
    assert trial["may_read"] == "1"
    assert trial["started"] == "0", trial["log"]
    assert trial["said"].endswith(PASSWORD.encode())


def test_everything_is_read_only_but_its_state(trial: dict[str, Any]) -> None:
    told = trial["probe"].splitlines()
    written = {line.removeprefix("written: ") for line in told if line.startswith("written: ")}
    assert written == {"/var/lib/edgenode", "/run/edgenode"}
    refused = "\n".join(line for line in told if not line.startswith("written: "))
    for where in OPEN[:-1]:
        assert f"{where}/written: Read-only file system" in refused
    assert f"{OPEN[-1]}/written: Permission denied" in refused  # homes cannot even be looked into


def test_the_journal_is_in_memory_and_its_warnings_outlive_it(trial: dict[str, Any]) -> None:
    assert int(trial["on_the_card"]) == 0 < int(trial["in_memory"])
    lines = trial["warnings"].splitlines()
    assert sum(line.endswith("the first warning") for line in lines) == 1
    assert sum(line.endswith("just before the end") for line in lines) == 1
    assert "of no interest" not in trial["warnings"]
    assert trial["mode"] == "700:edgenode"


def test_what_is_kept_of_the_journal_is_bounded(trial: dict[str, Any]) -> None:
    copies = 2  # one when it is started, one when it is stopped
    assert 32_768 < int(trial["flooded"]) <= len(trial["warnings"]) + copies * 32_768
    turned, rest = trial["turned"].split()
    assert 491_520 < int(turned) <= 524_288
    assert int(rest) <= 32_768
