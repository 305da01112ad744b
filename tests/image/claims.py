"""The whole image in QEMU: flashed, provisioned, at work, hung, cut off.

Not collected by itself: `make image-test` names this file. The claims follow each other on one
card, as the years of a node do; each takes up where the one before it left the machine.
"""

from __future__ import annotations

import json
import random
import time
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from tests.image.city import City
from tests.image.evidence import Evidence
from tests.image.machine import Machine
from tests.image.node import NODE, TOKEN, asked, plug_in, wait, works

SEED = 20261126
OUTAGE_S = 150.0
LATE_S = 100.0  # no batch is so late unless it waited for the broker
pytestmark = [pytest.mark.usefixtures("told"), pytest.mark.timeout(3600)]


def test_the_image_is_small_and_says_what_is_in_it(files: dict[str, Path]) -> None:
    assert files["img.xz"].stat().st_size <= 150_000_000
    packages = files["debs"].read_text().splitlines()
    bill = files["cdx.json"].read_text()
    assert JsonStrictValidator(SchemaVersion.V1_5).validate_str(bill) is None
    named = {(part["name"], part["version"]) for part in json.loads(bill)["components"]}
    assert {tuple(row.split()[:2]) for row in packages} <= named
    assert "paho-mqtt" in {name for name, _ in named}


def test_a_first_boot_that_is_cut_three_times_ends_provisioned(
    machine: Machine, evidence: Evidence
) -> None:
    chance = random.Random(SEED)
    for _ in range(3):
        machine.on()
        moment = chance.uniform(5, 60)
        wait(moment)
        machine.cut()
        evidence.fact("first boots cut after", f"{moment:.0f} s")
    machine.on()
    evidence.fact("first boot until SSH answers", f"{machine.reached():.0f} s")
    machine.until(lambda: "node.json" not in machine.card.names(), "node.json is gone", 120)
    status = machine.said("sudo cat /boot/firmware/status.txt")
    assert status.startswith(f"provisioned as {NODE}"), status
    assert TOKEN.encode() not in machine.card.path.open("rb").read(300 << 20)


def test_no_unit_has_failed(machine: Machine) -> None:
    machine.until(
        lambda: machine.tried("systemctl is-system-running").stdout.strip()
        in {"running", "degraded"}, "the boot is done", 300,
    )  # fmt: skip
    assert machine.said("systemctl list-units --failed --plain --no-legend") == ""
    assert machine.said("cat /run/edgenode-image/failed 2>/dev/null || true") == ""


def test_nothing_listens_but_ssh(machine: Machine) -> None:
    rows = machine.said("sudo ss --tcp --udp --listening --numeric --no-header --processes")
    outside = [row for row in rows.splitlines() if "127.0.0.1" not in row and "[::1]" not in row]
    assert outside, "SSH itself is not seen"
    assert all(row.startswith("tcp") and ":22 " in row for row in outside), rows


def test_no_account_has_a_password_and_ssh_takes_none(machine: Machine) -> None:
    rows = [row.split(":") for row in machine.said("sudo cat /etc/shadow").splitlines()]
    assert {row[1][:1] for row in rows} <= {"*", "!"}
    effective = machine.said("sudo sshd -T")
    for line in (
        "passwordauthentication no", "permitrootlogin no", "authenticationmethods publickey",
        "kbdinteractiveauthentication no", "permitemptypasswords no",
    ):  # fmt: skip
        assert line in effective.splitlines()


def test_the_root_is_read_only_and_the_data_partition_fills_the_card(
    machine: Machine, evidence: Evidence
) -> None:
    mounts = machine.said("cat /proc/self/mounts").splitlines()
    assert any(row.startswith("overlay / overlay rw") for row in mounts)
    data = next(row.split() for row in mounts if row.split()[1] == "/data")
    assert {"noatime", "commit=60", "nosuid", "nodev"} <= set(data[3].split(","))
    size = int(machine.said("df --output=size --block-size=1M /data").split()[-1])
    evidence.fact("data partition on a card of 4096 MiB", f"{size} MiB")
    assert size > 2500
    bound = {row.split()[1] for row in mounts if row.split()[0] == data[0]}
    assert {"/etc/edgenode", "/var/lib/edgenode", "/etc/machine-id", "/etc/ssh/keys"} <= bound


def test_the_pages_that_remedies_name_are_on_the_node(machine: Machine) -> None:
    pages = machine.said("ls /usr/share/doc/edgenode/docs").split()
    assert {"brokers.md", "drivers.md", "cli.md", "provisioning.md"} <= set(pages)


def test_time_comes_by_ntp_and_the_certificate_by_est(machine: Machine, city: City) -> None:
    machine.until(lambda: city.clock.asked, "a question for the time", 300)
    machine.until(lambda: ("simpleenroll", 200) in city.est.log, "enrolment", 600)
    assert "PRIVATE" not in (city.directory / "mosquitto.log").read_text()
    machine.until(
        lambda: asked(machine, "status").get("clock") == "ntp", "a clock that NTP vouches for", 600
    )


def test_readings_of_all_sensors_reach_the_city(
    machine: Machine, city: City, evidence: Evidence
) -> None:
    plug_in(machine)
    machine.until(lambda: _readings(city) > 0, "the first batch", 600)
    before = _readings(city)
    machine.until(lambda: _readings(city) > before, "another batch", 300)
    evidence.fact("readings at the City OS by then", str(_readings(city)))


def test_a_daemon_that_hangs_is_restarted_by_its_watchdog(
    machine: Machine, evidence: Evidence
) -> None:
    pid = machine.said("systemctl show --property=MainPID --value edgenode").strip()
    began = time.monotonic()
    machine.said(f"sudo kill -STOP {pid}")
    machine.until(
        lambda: machine.said("systemctl show --property=MainPID --value edgenode").strip()
        not in {pid, "0"}, "another process", 300,
    )  # fmt: skip
    evidence.fact("a hung daemon is replaced after", f"{time.monotonic() - began:.0f} s")
    journal = machine.said("sudo journalctl --no-pager --unit=edgenode --boot")
    assert "watchdog" in journal.lower()
    machine.until(lambda: works(machine) >= {"air", "meter"}, "sensors that read again", 300)


def test_a_power_cut_during_an_outage_loses_nothing_that_was_committed(
    machine: Machine, city: City, evidence: Evidence
) -> None:
    identity = "cat /etc/machine-id; sudo cat /etc/edgenode/tls/node.pem | sha256sum"
    before = machine.said(identity)
    city.broker.stop()
    wait(OUTAGE_S)
    machine.cut()
    machine.on()
    evidence.fact("boot after a power cut until SSH answers", f"{machine.reached():.0f} s")
    city.broker.start()
    plug_in(machine)
    assert machine.said(identity) == before
    # What was sampled in the outage was held through the cut, and comes late.
    machine.until(lambda: _latest_s(city) > LATE_S, "what was sampled in the outage", 900)
    evidence.fact("the latest batch of the outage was on its way for", f"{_latest_s(city):.0f} s")
    evidence.fact("readings at the City OS after it", str(_readings(city)))
    evidence.fact("of them lost or unexplained", str(_lost(city)))
    assert _lost(city) == 0, city.audit()


def _latest_s(city: City) -> float:
    """The longest that a batch was on its way, from its last reading to the city."""
    latency = city.audit().get("latency_ms") or {"most": 0}
    return float(latency["most"]) / 1000


def _readings(city: City) -> int:
    return sum(int(stream["received"]) for stream in city.audit().get("streams", ()))


def _lost(city: City) -> int:
    """Readings that the city misses, or that the node says it has lost; those it holds are safe."""
    streams = city.audit()["streams"]
    return sum(row["unexplained"] + sum(row["lost"].values()) for row in streams)
