"""The whole image in QEMU: flashed, provisioned, at work, hung, cut off, updated, rolled back.

Not collected by itself: `make image-test` names this file. The claims follow each other on one
card, as the years of a node do; each takes up where the one before it left the machine.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.image.card import Card
from tests.image.city import City
from tests.image.evidence import Evidence
from tests.image.machine import Machine
from tests.image.node import NODE, TOKEN, asked, document, plug_in, wait, works
from tests.image.pi import raspberry_pi
from tests.update.machine import Signer

CHECKOUT = Path(__file__).parents[2]
DEB = CHECKOUT / "build/deb"
OUT = CHECKOUT / "build/image-test"
SEED = 20261126
AGAIN = bool(os.environ.get("EDGENODE_IMAGE_AGAIN"))  # with the image of the last trial
pytestmark = pytest.mark.timeout(3600)


@pytest.fixture(scope="module")
def evidence() -> Iterator[Evidence]:
    made = Evidence()
    yield made
    made.write(Path(os.environ.get("EDGENODE_EVIDENCE", OUT / "evidence.md")))


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("card")


@pytest.fixture(scope="module")
def signer() -> Signer:
    if not (AGAIN and (OUT / "releases").exists()):
        shutil.rmtree(OUT, ignore_errors=True)
        return Signer(OUT / "releases")
    made = Signer.__new__(Signer)
    room = OUT / "releases"
    made.keyring, made.key = room / "ca.pem", room / "signer.key"
    made.certificate = room / "signer.pem"
    return made


@pytest.fixture(scope="module")
def files(signer: Signer, evidence: Evidence) -> dict[str, Path]:
    """Build the image, with the keyring of the trial; name its files by their last words."""
    told, took = OUT / "told", 0.0
    if not (AGAIN and told.exists()):
        took = _build(signer, told)
    evidence.built(told.read_text(), took)
    names = [line.split()[1] for line in told.read_text().splitlines()]
    return {name.split("-arm64.", 1)[1]: OUT / name for name in names}


def _build(signer: Signer, told: Path) -> float:
    deb = max(DEB.glob("edgenode_*deb12_arm64.deb"))
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "deploy.image", "--deb", str(deb), "--out", str(OUT),
         "--keyring", str(signer.keyring)],
        check=False, capture_output=True, text=True, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told.write_text(done.stdout)
    return time.monotonic() - began


@pytest.fixture(scope="module")
def city(work: Path) -> Iterator[City]:
    with City(work / "city", NODE, TOKEN) as made:
        yield made


@pytest.fixture(scope="module")
def machine(
    work: Path, files: dict[str, Path], city: City, evidence: Evidence
) -> Iterator[Machine]:
    node_json, city_pub, key = document(work / "office", city)
    card = Card(work / "card.img", files["img.xz"])
    card.put(node_json, "node.json")
    card.put(city_pub, "city.pub")
    made = Machine(card, work, key)
    yield made
    made.off()
    evidence.console(made.console)


@pytest.fixture(autouse=True)
def told(request: pytest.FixtureRequest, evidence: Evidence, machine: Machine) -> Iterator[None]:
    """Write down each claim and whether it held."""
    del machine  # built and switched on before the clock of a claim runs
    began, failed = time.monotonic(), request.session.testsfailed
    yield
    held = request.session.testsfailed == failed
    evidence.claim(request.node.name, time.monotonic() - began, held=held)


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
    wait(150)  # two windows are sealed in the spool, and one is open
    spool = asked(machine, "spool")
    machine.cut()
    machine.on()
    evidence.fact("boot after a power cut until SSH answers", f"{machine.reached():.0f} s")
    city.broker.start()
    plug_in(machine)
    assert machine.said(identity) == before
    held = _readings(city)
    machine.until(lambda: _readings(city) > held, "the backlog", 600)
    machine.until(
        lambda: asked(machine, "spool").get("held_batches", 99) <= 2, "an empty spool", 600
    )
    evidence.fact("readings at the City OS after it", str(_readings(city)))
    evidence.fact("of them lost or unexplained", str(_lost(city)))
    assert spool["held_batches"] >= 2
    assert _lost(city) == 0, city.audit()


def _readings(city: City) -> int:
    return sum(int(stream["received"]) for stream in city.audit().get("streams", ()))


def _lost(city: City) -> int:
    """Readings that the city misses, or that the node says it has lost; those it holds are safe."""
    streams = city.audit()["streams"]
    return sum(row["unexplained"] + sum(row["lost"].values()) for row in streams)


def test_an_update_is_installed_tried_confirmed_and_kept(
    machine: Machine, files: dict[str, Path], signer: Signer, work: Path, evidence: Evidence
) -> None:
    _install(machine, _bundle(files, signer, work / "next.raucb", "9.0"), evidence)
    assert machine.restarted().partition == 3, "the other slot is tried"
    evidence.fact("boot of the tried slot until SSH answers", f"{machine.reached():.0f} s")
    assert "rauc.slot=B" in machine.said("cat /proc/cmdline")
    assert _permanent(machine) == "2", "nothing is kept before it has proved good"
    plug_in(machine)
    began = time.monotonic()
    machine.until(lambda: _permanent(machine) == "3", "the slot is confirmed", 1800)
    evidence.fact("the health gate kept the slot after", f"{time.monotonic() - began:.0f} s")
    machine.said("sudo systemctl reboot; true")
    assert machine.restarted().partition == 3
    machine.reached()


def test_a_bundle_that_was_tampered_with_or_is_somebody_elses_is_refused(
    machine: Machine, files: dict[str, Path], signer: Signer, work: Path
) -> None:
    plug_in(machine)
    stranger = Signer(work / "stranger")
    foreign = _bundle(files, stranger, work / "foreign.raucb", "9.1")
    tampered = work / "tampered.raucb"
    data = bytearray(_bundle(files, signer, work / "good.raucb", "9.1").read_bytes())
    data[len(data) // 3] ^= 1
    tampered.write_bytes(data)
    for bundle in (foreign, tampered):
        machine.copy(bundle, "/data/bundle.raucb")
        done = machine.tried("sudo edgenode update install --no-reboot /data/bundle.raucb", 900)
        assert done.returncode != 0, done.stdout
    assert _permanent(machine) == "3"


def test_a_slot_that_panics_while_it_is_tried_leads_back_to_the_one_before(
    machine: Machine, evidence: Evidence, work: Path
) -> None:
    _install(machine, work / "good.raucb", evidence)
    assert machine.restarted().partition == 2
    machine.reached()
    machine.tried("echo c | sudo tee /proc/sysrq-trigger", 30)
    began = time.monotonic()
    assert machine.restarted().partition == 3, "the firmware starts what is confirmed"
    evidence.fact("a panic ends a try after", f"{time.monotonic() - began:.0f} s")
    machine.reached()
    assert "rauc.slot=B" in machine.said("cat /proc/cmdline")
    assert asked(machine, "update status")["booted"] == "B"


def test_the_image_boots_as_the_sd_card_of_a_raspberry_pi_3(
    machine: Machine, work: Path, files: dict[str, Path], evidence: Evidence
) -> None:
    machine.off()
    card = Card(work / "pi.img", files["img.xz"])
    evidence.fact("boot in -M raspi3b until the login prompt", f"{raspberry_pi(card, work):.0f} s")


def _bundle(files: dict[str, Path], signer: Signer, out: Path, version: str) -> Path:
    """Make a signed update of the image's own slots under another version."""
    done = subprocess.run(
        ["deploy/ota/bundle", "--rootfs", files["root.squashfs"], "--boot", files["boot.vfat"],
         "--cert", signer.certificate, "--key", signer.key, "--keyring", signer.keyring,
         "--version", version, out],
        check=False, capture_output=True, text=True, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def _install(machine: Machine, bundle: Path, evidence: Evidence) -> None:
    machine.copy(bundle, "/data/bundle.raucb")
    began = time.monotonic()
    machine.said("sudo edgenode update install --no-reboot /data/bundle.raucb", 1800)
    evidence.fact("a verity bundle is installed in", f"{time.monotonic() - began:.0f} s")
    machine.said("sudo systemctl --reboot-argument='0 tryboot' reboot; true")


def _permanent(machine: Machine) -> str:
    """The partition that the firmware boots, by autoboot.txt."""
    text = machine.said("sudo cat /boot/firmware/autoboot.txt")
    return text.split("boot_partition=")[1][0]
