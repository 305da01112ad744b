"""The package under a real systemd: installed, upgraded, removed, purged.

In a container over the machine's own root, with Debian's own Python. Needs root and the Debian
packages systemd-container and python3.
"""

import json
import os
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.leftbehind import readings_left
from tests.support.packages import raised, told
from tests.systemd.container import overlay

BOOT_S = 200.0
HIGHER = "0.1.1"

TARGET = "[Unit]\nRequires=basic.target trial.service\nAfter=basic.target\nAllowIsolate=yes\n"
TRIAL = """\
[Unit]
After=basic.target
[Service]
Type=oneshot
Environment=DEBIAN_FRONTEND=noninteractive
ExecStart=/opt/trial/trial.sh
ExecStopPost=/bin/systemctl --no-block --force poweroff
StandardOutput=file:/opt/trial/log
StandardError=inherit
"""
SCRIPT = r"""#!/bin/bash
say() { echo "\"$1\": $2," >> /opt/trial/result; }
words() { say "$1" "\"$(tr '\n' ' ' | sed 's/ *$//')\""; }
state() { systemctl is-active edgenode | cat - <(systemctl is-enabled edgenode) | words "$1"; }
pid() { systemctl show -P MainPID edgenode; }
modes() { stat -c '%A %U:%G %n' /etc/edgenode /etc/edgenode/edgenode.toml /etc/edgenode/tls \
  /etc/edgenode/provision.d /var/lib/edgenode /run/edgenode /usr/lib/edgenode 2>&1; }
cd /opt/trial
echo '{' > result
apt-get install -y ./first.deb > installing 2>&1; say installed $?
state after_install
say groups "\"$(id -nG edgenode)\""
modes > modes
edgenode status --json > status; say status $?
say version "\"$(edgenode --version)\""
say compiled "$(find /usr/lib/edgenode -name '*.pyc' | wc -l)"
say sources "$(find /usr/lib/edgenode -name '*.py' | wc -l)"
began=$(date +%s%N); for _ in 1 2 3; do edgenode --version > /dev/null; done
say version_ms $(( ($(date +%s%N) - began) / 3000000 ))
began=$(date +%s%N); for _ in 1 2 3; do edgenode status > words; done
say status_ms $(( ($(date +%s%N) - began) / 3000000 ))
# In the sandbox of the daemon, where no memory may be both written and executed.
systemd-run --quiet --wait --pipe -p User=edgenode -p MemoryDenyWriteExecute=yes \
  -p SystemCallFilter=@system-service /usr/bin/python3 -IS -c 'import sys
sys.path.insert(0, "/usr/lib/edgenode")
from sensirion_gas_index_algorithm.voc_algorithm import VocAlgorithm
print(VocAlgorithm().process(30000))' 2>&1 | words gas
edgenode check --offline > checked 2>&1; say checked $?

sed -i 's/^every_s = .*/every_s = 1/' /etc/edgenode/edgenode.toml
printf '[spool]\ncap_mb = 8\npregrow = false\ncommit_interval_s = 0.2\n' \
  >> /etc/edgenode/edgenode.toml
systemctl restart edgenode || exit 1
sleep 3
first=$(pid)
systemctl disable -q edgenode-journal
# What is committed at this moment, as a power cut would find it.
kill -STOP "$first"; cp -a /var/lib/edgenode before; kill -CONT "$first"
cp /etc/edgenode/edgenode.toml before.toml
apt-get install -y ./higher.deb > upgrading 2>&1; say upgraded $?
state after_upgrade
systemctl is-enabled edgenode-journal | words journal
say restarted $([ "$(pid)" != "$first" ] && echo true || echo false)
say higher "\"$(edgenode --version)\""
sleep 2
systemctl is-active edgenode-clock-state edgenode-journal edgenode-renew.timer | words helpers
systemctl list-units --failed --no-legend --plain 'edgenode*' | words failed
say same $(cmp -s before.toml /etc/edgenode/edgenode.toml && echo true || echo false)

apt-get remove -y edgenode > removing 2>&1; say removed $?
say unit_left "$(ls /usr/lib/systemd/system/edgenode* 2>/dev/null | wc -l)"
say code_left "$(find /usr/lib/edgenode 2>/dev/null | wc -l)"
say running "$(pgrep -c -f '/usr/bin/edgenode run')"
cp -a /var/lib/edgenode after
cp /etc/edgenode/edgenode.toml after.toml

apt-get purge -y edgenode > purging 2>&1; say purged $?
ls -d /etc/edgenode /var/lib/edgenode /run/edgenode 2>/dev/null | words left
find /etc/systemd/system -name 'edgenode*' | words links
echo '"end": true }' >> result
"""


@pytest.fixture(scope="module")
def trial(
    packages: dict[str, Path],
    lintian: subprocess.Popen[str],  # works meanwhile
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[dict[str, Any]]:
    """What the script inside the container saw; `place` is where it left its files."""
    assert shutil.which("systemd-nspawn"), "install the Debian package systemd-container"
    assert Path("/usr/bin/python3").exists(), "install the Debian package python3"
    work = tmp_path_factory.mktemp("live")
    tree, place = overlay(work), work / "trial"
    try:
        _furnish(tree, place, packages["amd64"], work)
        done = subprocess.run(
            _nspawn(tree, place), capture_output=True, text=True, timeout=BOOT_S, check=False,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )  # fmt: skip
        result = place / "result"
        assert result.exists(), done.stdout[-3000:] + done.stderr[-3000:]
        yield {**json.loads(result.read_text()), "place": place}
    finally:
        subprocess.run(["umount", "--lazy", str(tree)], check=True)


def _furnish(tree: Path, place: Path, package: Path, work: Path) -> None:
    shutil.copy(package, place / "first.deb")
    shutil.copy(raised(package, HIGHER, work), place / "higher.deb")
    units = tree / "etc/systemd/system"
    units.mkdir(parents=True, exist_ok=True)
    (units / "trial.target").write_text(TARGET)
    (units / "trial.service").write_text(TRIAL)
    (place / "trial.sh").write_text(SCRIPT)
    (place / "trial.sh").chmod(0o755)
    (tree / "etc/machine-id").write_text("")
    (tree / "etc/dpkg/dpkg.cfg.d/trial").write_text("force-unsafe-io\n")  # thrown away anyway
    (tree / "var/lib/man-db/auto-update").unlink(missing_ok=True)  # of all pages of the machine
    (tree / "usr/sbin/policy-rc.d").unlink(missing_ok=True)  # containers forbid starting so


def _nspawn(tree: Path, place: Path) -> list[str]:
    return [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-D", str(tree), "--boot",
        "--console=read-only", "--private-network", f"--bind={place}:/opt/trial",
        "--capability=CAP_SYS_TIME",  # else the container itself refuses adjtimex to everybody
        "systemd.unit=trial.target",
    ]  # fmt: skip


def said(trial: dict[str, Any], name: str) -> str:
    text: str = (trial["place"] / name).read_text()
    return text


def left(trial: dict[str, Any], when: str) -> Counter[tuple[str, int, float | None]]:
    """Every reading that a copy of the state directory holds."""
    place: Path = trial["place"]
    file = place / f"{when}-here.toml"
    text = said(trial, f"{when}.toml")
    file.write_text(text.replace("[node]\n", f'[node]\nstate = "{place / when}"\n'))
    return Counter(readings_left(file))


pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]


def test_an_installed_package_runs_and_samples(trial: dict[str, Any]) -> None:
    assert trial["installed"] == 0, said(trial, "installing")
    assert trial["after_install"] == "active enabled", said(trial, "installing")
    status = json.loads(said(trial, "status"))
    assert status["spool"]["sampled"]
    assert status["buses"][0]["sensors"][0]["sensor"] == "node"


def test_the_gas_index_can_be_computed_in_the_sandbox_of_the_daemon(trial: dict[str, Any]) -> None:
    assert trial["gas"] == "0"  # the first 45 s have no index


def test_a_node_that_nobody_has_provisioned_says_so(trial: dict[str, Any]) -> None:
    assert "nothing is sent" in said(trial, "words")
    assert "do: provision this node" in said(trial, "words")
    assert trial["checked"] == 0, said(trial, "checked")
    assert "no broker is named" in said(trial, "checked")
    assert len(json.loads(said(trial, "status"))["node"]) == 16


def test_the_daemons_user_is_in_the_groups_of_the_wires(trial: dict[str, Any]) -> None:
    assert set(trial["groups"].split()) == {"edgenode", "i2c", "gpio", "dialout"}


def test_configuration_is_read_by_the_daemon_alone_and_written_by_root_alone(
    trial: dict[str, Any],
) -> None:
    assert said(trial, "modes").splitlines() == [
        "drwxr-x--- root:edgenode /etc/edgenode",
        "-rw-r----- root:edgenode /etc/edgenode/edgenode.toml",
        "drwxr-x--- root:edgenode /etc/edgenode/tls",
        "drwxr-x--- root:edgenode /etc/edgenode/provision.d",
        "drwx------ edgenode:edgenode /var/lib/edgenode",
        "drwxr-x--- edgenode:edgenode /run/edgenode",
        "drwxr-xr-x root:root /usr/lib/edgenode",
    ]


def test_all_code_is_compiled_when_it_is_installed(trial: dict[str, Any]) -> None:
    assert trial["compiled"] == trial["sources"] > 0, said(trial, "installing")


def test_an_upgrade_restarts_the_daemon_and_keeps_its_configuration(trial: dict[str, Any]) -> None:
    assert trial["upgraded"] == 0, said(trial, "upgrading")
    assert (trial["after_upgrade"], trial["restarted"]) == ("active enabled", True)
    assert trial["higher"] == f"edgenode {HIGHER}"
    assert trial["version"] != trial["higher"]
    assert trial["same"]


def test_its_other_units_run_and_none_has_failed(trial: dict[str, Any]) -> None:
    assert trial["helpers"] == "active active active"
    assert trial["failed"] == ""


def test_an_upgrade_loses_no_committed_sample_and_doubles_none(trial: dict[str, Any]) -> None:
    before, after = left(trial, "before"), left(trial, "after")
    assert len({t_ms for _, t_ms, _ in before}) >= 3
    assert before - after == Counter()
    assert len(after) > len(before)
    assert max(after.values()) == 1


def test_a_unit_that_was_disabled_stays_so(trial: dict[str, Any]) -> None:
    assert trial["journal"] == "disabled", said(trial, "upgrading")


def test_a_removal_stops_the_daemon_and_keeps_spool_and_configuration(
    trial: dict[str, Any],
) -> None:
    assert trial["removed"] == 0, said(trial, "removing")
    assert (trial["unit_left"], trial["code_left"], trial["running"]) == (0, 0, 0)
    assert (trial["place"] / "after/spool").is_dir()


def test_a_purge_deletes_all_of_it(trial: dict[str, Any]) -> None:
    assert trial["purged"] == 0, said(trial, "purging")
    assert (trial["left"], trial["links"]) == ("", "")


def test_the_higher_package_was_told_from_the_first(packages: dict[str, Path]) -> None:
    words = ["dpkg", "--compare-versions", told(packages["amd64"], "Version"), "lt", HIGHER]
    assert subprocess.run(words, check=False).returncode == 0
