"""The unit of the health gate under a real systemd: what a failure leads to, and what a stop does.

The backend and RAUC are played: the slot that runs is one that has not proved good.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.systemd.container import container
from tests.systemd.test_live import SYSTEMCTL

BACKEND = """\
#!/bin/sh
case $1 in get-current) echo B ;; *) echo bad ;; esac
"""
RAUC = """\
#!/bin/sh
echo no service yet >&2
exit 1
"""
# The state directory is missing at first: a data partition that could not be mounted.
SCRIPT = """\
#!/bin/bash
say() { echo "$*" >> /opt/trial/result; }
soon() { for _ in $(seq 200); do "$@" && return 0; sleep 0.1; done; return 1; }
asks() { journalctl -u edgenode-confirm --no-pager | grep -q "asked again in"; }
mkdir -p /boot/firmware
rm -rf /var/lib/edgenode
systemctl set-environment FAIL=yes; systemctl start edgenode-confirm
soon systemctl is-failed -q edgenode-confirm
say failed "$(cat /opt/trial/asked)"; rm -f /opt/trial/asked
mkdir -p /var/lib/edgenode
systemctl set-environment FAIL=; systemctl start edgenode-confirm
soon asks
systemctl stop edgenode-confirm
say stopped "$(cat /opt/trial/asked 2>/dev/null)"
"""
FILES = {
    "etc/rauc/system.conf": "",
    "usr/lib/edgenode/ota/backend": BACKEND,
    "usr/bin/rauc": RAUC,
    "usr/local/bin/systemctl": SYSTEMCTL,
    "etc/systemd/system/edgenode-confirm.service.d/trial.conf": (
        "[Service]\nExecStart=\n"
        "ExecStart=/bin/sh -c '[ -z \"$FAIL\" ] || exit 1; exec edgenode update confirm'\n"
    ),
}
pytestmark = [pytest.mark.root, pytest.mark.timeout(150)]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What systemctl was told after the gate had failed, and after it was stopped."""
    with container(tmp_path_factory.mktemp("gate"), FILES, SCRIPT) as left:
        lines = (left / "result").read_text().splitlines()
        yield {word: rest for word, _, rest in (line.partition(" ") for line in lines)}


def test_a_gate_that_fails_leads_back_also_where_the_state_cannot_be_mounted(
    told: dict[str, str],
) -> None:
    assert told["failed"] == "--no-block reboot"


def test_a_gate_that_is_stopped_leads_nowhere(told: dict[str, str]) -> None:
    assert told["stopped"] == ""
