"""The machine of claims.py goes on: updated, tried, confirmed, refused, thrown back; and a Pi 3."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.image.card import Card
from tests.image.conftest import CHECKOUT, Keys
from tests.image.evidence import Evidence
from tests.image.machine import Machine
from tests.image.node import plug_in
from tests.image.pi import raspberry_pi
from tests.update.machine import Signer

pytestmark = [pytest.mark.usefixtures("told"), pytest.mark.timeout(3600)]


def test_an_update_is_installed_tried_confirmed_and_kept(
    machine: Machine, files: dict[str, Path], signer: Keys, work: Path, evidence: Evidence
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
    machine: Machine, files: dict[str, Path], signer: Keys, work: Path
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
    began = time.monotonic()
    machine.tried("echo c | sudo tee /proc/sysrq-trigger", 5)
    assert machine.restarted().partition == 3, "the firmware starts what is confirmed"
    evidence.fact("a panic ends a try after", f"{time.monotonic() - began:.0f} s")
    machine.reached()
    assert "rauc.slot=B" in machine.said("cat /proc/cmdline")
    status = json.loads(machine.said("sudo edgenode update status --json"))
    assert (status["booted"], status["trying"]) == ("B", False)


def test_the_image_boots_as_the_sd_card_of_a_raspberry_pi_3(
    machine: Machine, work: Path, files: dict[str, Path], evidence: Evidence
) -> None:
    machine.off()
    card = Card(work / "pi.img", files["img.xz"])
    evidence.fact("boot in -M raspi3b until the login prompt", f"{raspberry_pi(card, work):.0f} s")


def _bundle(files: dict[str, Path], signer: Keys | Signer, out: Path, version: str) -> Path:
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
