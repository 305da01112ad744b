"""A node to be: its document, who may log in, its virtual instruments, and its signed updates."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tests.image.city import HOST, City
from tests.image.machine import Machine

NODE, TOKEN = "0a1b2c3d4e5f6071", "one-time-token-of-the-trial"
WIRES = "/run/wires/socket"
TEMPLATE = f"""\
[site]
name = "Sejong-daero 110"
purpose = "trial of the image"

[network]
ethernet = {{ dhcp = true }}
ntp = ["{HOST}"]

[[buses]]
name = "self"
kind = "sysfs"
path = "/"

[[buses]]
name = "i2c1"
kind = "i2c"
path = "sim:{WIRES}#i2c"

[[buses]]
name = "pins"
kind = "gpio"
path = "sim:{WIRES}#gpio"

[[sensors]]
name = "node"
driver = "health"
bus = "self"
every_s = 10

[[sensors]]
name = "air"
driver = "bme280"
bus = "i2c1"
every_s = 2
purpose = "weather of the square"

[[sensors]]
name = "meter"
driver = "pulse"
bus = "pins"
line = 27
every_s = 5
purpose = "energy of the cabinet"
"""
# The instruments are no part of the image: they are started over SSH, as one plugs in a sensor.
PLUG_IN = (
    "sudo systemd-run --quiet --unit=wires --property=UMask=0 --property=RuntimeDirectory=wires "
    "--setenv=PYTHONPATH=/usr/lib/edgenode /usr/bin/python3 -m edgenode.virtual "
    f"--socket {WIRES} --truth /run/wires/truth"
)


def document(directory: Path, city: City) -> tuple[Path, Path, Path]:
    """Make node.json and city.pub with the commands an office uses, and the maintainer's key."""
    directory.mkdir()
    key = directory / "maintainer"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    (directory / "template.toml").write_text(TEMPLATE)
    (directory / "token").write_text(TOKEN)
    _edgenode(directory, "provision", "key", "city.key")
    _edgenode(
        directory, "provision", "new", "--template", "template.toml", "--key", "city.key",
        "--id", NODE, "--broker", f"{HOST}:{city.broker.port}", "--trust", str(city.trust),
        "--est", city.est.url, "--est-trust", str(city.trust), "--token-file", "token",
        "--ssh-key", "maintainer.pub",
    )  # fmt: skip
    return directory / "node.json", next(directory.glob("city*.pub")), key


def _edgenode(directory: Path, *words: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "edgenode", *words], check=False, capture_output=True, text=True,
        cwd=directory, env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def plug_in(machine: Machine) -> None:
    """Plug the instruments in, and wait until the node reads them."""
    machine.said(PLUG_IN)
    machine.until(lambda: works(machine) >= {"air", "meter", "node"}, "sensors that read", 300)


def works(machine: Machine) -> set[str]:
    """Return the names of the sensors that answer; a virtual machine has no card to tell of."""
    rows = asked(machine, "sensors").get("sensors", ())
    return {row["sensor"] for row in rows if row["state"] == "ok"}


def asked(machine: Machine, verb: str) -> dict[str, Any]:
    """Return what a verb of the node's command line says with --json; empty without an answer."""
    done = machine.tried(f"edgenode {verb} --json")
    answer: dict[str, Any] = json.loads(done.stdout) if done.stdout.startswith("{") else {}
    return answer


def wait(seconds: float) -> None:
    """Let the node live for a while."""
    time.sleep(seconds)
