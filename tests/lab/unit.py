"""In the guest, under systemd: the daemon as its shipped unit runs it, over real devices."""

from __future__ import annotations

import ctypes
import json
import os
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Final

from edgenode.control import NoDaemon, ask
from edgenode.forward import DAY_MS, MachineWall, built_ms, forward
from edgenode.timex import _Timex
from edgenode.virtual.bme280 import Bme280Spec, VirtualBME280
from edgenode.virtual.conduct import boot_ns
from edgenode.virtual.sdm import SdmSpec, VirtualSDM
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth
from tests.lab.cable import NEAR, Plugged, far_end
from tests.lab.dongle import Dongle
from tests.lab.lines import Chip
from tests.lab.waiting import until

MODULES: Final = ("i2c-dev", "vhci-hcd", "i2c-tiny-usb", "gpio-sim")
SOCKET: Final = Path("/run/edgenode/control.sock")
CONFIGURATION: Final = Path("/etc/edgenode/edgenode.toml")
AIR: Final = Bme280Spec("air", temperature=Play(offset=21.37))
POWER: Final = SdmSpec("power", voltage=Play(offset=231.5))
NODE: Final = """\
schema = 1
[node]
id = "0badcafe0010"
[clock]
manual_err_ms = 1000
[spool]
cap_mb = 8
pregrow = false
[[uplink.broker]]
host = "127.0.0.1"
port = 1883
tls = false
[[bus]]
name = "wire"
kind = "i2c"
path = "{wire}"
[[sensor]]
name = "air"
driver = "bme280"
bus = "wire"
every_s = 1
address = 0x76
purpose = "weather of the lab"
[[bus]]
name = "port"
kind = "serial"
path = "{port}"
baud = 9600
[[sensor]]
name = "power"
driver = "sdm230"
bus = "port"
every_s = 2
address = 1
serves = "public"
purpose = "power of the lab"
[[bus]]
name = "pins"
kind = "gpio"
path = "{pins}"
[[sensor]]
name = "meter"
driver = "pulse"
bus = "pins"
every_s = 1
line = 0
purpose = "pulses of the lab"
"""
PULSES: Final = 37
DISCIPLINED_US: Final = 5_000
ADJ_MAXERROR, ADJ_STATUS, STA_PLL = 0x0004, 0x0010, 0x0001  # linux/timex.h


def main(share: Path) -> None:
    """Write what was found, or why nothing was."""
    findings: dict[str, Any] = {}
    try:
        for name, step in (
            ("devices", devices),
            ("node", node),
            ("clock", clock),
            ("memory", memory),
        ):
            began = time.monotonic()
            findings[name] = step()
            print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)  # noqa: T201 - the log
    except Exception:  # noqa: BLE001 - every claim about it fails with this
        findings["failed"] = traceback.format_exc()
    (share / "findings.json").write_text(json.dumps(findings))


def devices() -> dict[str, Any]:
    """Plug everything in, and return how udev has left the devices."""
    subprocess.run(["modprobe", "configfs"], check=True)
    until(lambda: Path("/sys/kernel/config").is_mount())
    subprocess.run(["modprobe", "-a", *MODULES], check=True)
    truth = Truth(Path("/run/truth"))
    dongle = Dongle({0x76: VirtualBME280(AIR, truth, boot_ns())}, 1)
    meter = Plugged(VirtualSDM(POWER, truth, boot_ns()), far_end())
    KEPT.extend((dongle, meter, chip := Chip("unit", 4)))
    subprocess.run(["udevadm", "trigger", f"--name-match={NEAR}"], check=True)
    subprocess.run(["udevadm", "settle", "--timeout=20"], check=True)
    paths = {"wire": dongle.path, "port": NEAR, "pins": chip.path}
    CONFIGURATION.parent.mkdir(exist_ok=True)
    CONFIGURATION.write_text(NODE.format(**paths))
    Path("/dev/i2c-probe").symlink_to(dongle.path)
    Path("/dev/cpu_dma_latency").chmod(0o666)
    return {bus: _listed(Path(path)) for bus, path in paths.items()}


KEPT: Final[list[Any]] = []  # for as long as the machine is on


def node() -> dict[str, Any]:
    """Start the unit, and return what it reads and may do."""
    outside = _said("runuser", "-u", "edgenode", "--", "sh", "-c", ": </dev/cpu_dma_latency")
    _said("systemctl", "start", "edgenode")
    until(lambda: _well({"air", "power", "meter"}))
    chip = KEPT[-1]
    chip.pulses(0, PULSES)
    until(lambda: _values().get("meter/count") == PULSES)
    pid = _property("MainPID")
    control = Path("/sys/fs/cgroup") / _property("ControlGroup").lstrip("/")
    return {
        "values": _values(),
        "user": _said("ps", "-o", "user=", "-p", pid).strip(),
        "capabilities": _line(pid, "CapEff") + _line(pid, "CapBnd"),
        "seccomp": _line(pid, "Seccomp"),
        "probe": Path("/var/lib/edgenode/probe").read_text().splitlines(),
        "outside": outside,
        "memory_max": (control / "memory.max").read_text().strip(),
        "memory": int((control / "memory.current").read_text()),
        "pids_max": (control / "pids.max").read_text().strip(),
    }


def clock() -> dict[str, Any]:
    """Return what the boot made of the clock, and what becomes of it once somebody vouches."""
    told = ask(SOCKET, "status")
    began = {
        "utc_ms": time.time_ns() // 1_000_000,
        "up_ms": boot_ns() // 1_000_000,
        "result": _property("Result", "edgenode-clock"),
        "set_at": int(_property("ActiveEnterTimestampMonotonic", "edgenode-clock")),
        "then": {
            unit: int(_property("InactiveExitTimestampMonotonic", unit))
            for unit in ("systemd-timesyncd", "edgenode")
        },
        "before": (told["clock"], told["clock_err_ms"]),
        "again": forward(built_ms() + DAY_MS, MachineWall()),
    }
    timex = _Timex(modes=ADJ_STATUS | ADJ_MAXERROR, status=STA_PLL, maxerror=DISCIPLINED_US)
    assert ctypes.CDLL(None).adjtimex(ctypes.byref(timex)) >= 0
    _said("systemctl", "restart", "edgenode-clock-state")
    until(lambda: ask(SOCKET, "status")["clock"] == "ntp")
    told = ask(SOCKET, "status")
    return {**began, "after": (told["clock"], told["clock_err_ms"])}


def memory() -> str:
    """Take more memory than the unit may have; return what became of it."""
    _said("systemctl", "start", "greedy@200")
    return _property("Result", "greedy@200")


def _listed(path: Path) -> str:
    return _said("stat", "--format=%t:%G:%a", str(path)).strip()


def _said(*words: str) -> str:
    done = subprocess.run(words, check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


def _property(name: str, unit: str = "edgenode") -> str:
    return _said("systemctl", "show", "-P", name, unit).strip()


def _line(pid: str, key: str) -> str:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{key}:"))


def _sensors() -> list[Any]:
    try:
        found: list[Any] = ask(SOCKET, "sensors")["sensors"]
    except NoDaemon:
        return []
    return found


def _well(names: set[str]) -> bool:
    return names <= {sensor["sensor"] for sensor in _sensors() if sensor["state"] == "ok"}


def _values() -> dict[str, float]:
    return {
        channel["channel"]: channel["value"]
        for sensor in _sensors()
        for channel in sensor["channels"]
    }


if __name__ == "__main__":
    os.environ.setdefault("HOME", "/root")
    main(Path(sys.argv[1]))
