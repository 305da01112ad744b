"""In the guest: the daemon over real buses, which are held, pulled out, and come back.

The story is told in boot-time ms; what the daemon made of it is an export of its spool.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from edgenode.control import NoDaemon, ask
from edgenode.virtual.conduct import boot_ns
from edgenode.virtual.instruments import I2C
from edgenode.virtual.kinds import I2CInstrument
from edgenode.virtual.scenario import parse
from edgenode.virtual.truth import Truth
from tests.lab.config import INSTRUMENTS, LINES, config
from tests.lab.dongle import Dongle
from tests.lab.kernel import bound
from tests.lab.lines import Chip
from tests.lab.parts import SIMULATED
from tests.lab.waiting import until

PLACE: Final = Path("/run/street")  # in the memory of the guest
LINK: Final = PLACE / "i2c-street"  # what a udev rule keeps on a node
EVERYBODY: Final = {sensor["name"] for sensor in tomllib.loads(config("", "", "", ""))["sensor"]}
PULSES: Final = 1_500
VEHICLES: Final = 700
HELD_S: Final = 11.0  # a read in vain takes the adapter two seconds, and is tried once more
OUT_S: Final = 2.0
CONVERTED_S: Final = 0.2  # what converts by itself began anew when it was bound
CALM_S: Final = 2.0
PHASE_S: Final = 0.1
CONFLICT_S: Final = 1.5  # one second is allowed
BACK_WITHIN_S: Final = 40.0


class Street:
    """Two dongles, a chip of lines, and the daemon over them."""

    def __init__(self) -> None:
        PLACE.mkdir()
        self.scenario = parse(INSTRUMENTS)
        truth = Truth(PLACE / "truth")
        self._made: dict[str, dict[int, I2CInstrument]] = {}
        for spec in self.scenario.instrument:
            made = I2C[type(spec)](spec, truth, boot_ns())
            self._made.setdefault(spec.bus, {})[spec.address] = made  # type: ignore[union-attr]
        self.street = self.plugged("street", 1)
        self.yard = self.plugged("yard", 2)
        LINK.symlink_to(self.street.path)
        self.chip = Chip("street", 7)
        self.chip.pull(LINES["red"], True)
        self.moments: dict[str, int] = {}

    def plugged(self, bus: str, port: int) -> Dongle:
        """Plug a dongle in, with the instruments of a bus on it."""
        return Dongle(self._made[bus], port)

    def moment(self, name: str) -> None:
        self.moments[name] = boot_ns() // 1_000_000

    def configured(self) -> Path:
        """Write the daemon's file."""
        path = PLACE / "node.toml"
        path.write_text(config(str(PLACE), str(LINK), self.yard.path, self.chip.path))
        return path


def street(share: Path) -> dict[str, Any]:
    """Return what happened; the spool's export lies in the share."""
    place = Street()
    path = place.configured()
    place.moment("started")
    with daemon(path, share) as process:
        until(lambda: ok(EVERYBODY))
        place.moment("well")
        time.sleep(CALM_S)
        edges = _counted(place, process)
        place.moment("held")
        place.street.held = True
        time.sleep(HELD_S)
        place.street.held = False
        place.moment("let go")
        until(lambda: ok({"air", "shade"}))
        place.moment("unplugged")
        numbers = _replugged(place)
        until(lambda: ok({"air", "shade"}), BACK_WITHIN_S)
        place.moment("well again")
        time.sleep(CALM_S)
        health = ask(PLACE / "control.sock", "status")["health"]
        process.send_signal(signal.SIGTERM)
        exit_code = process.wait(30)
    place.moment("stopped")
    _edgenode("spool", "export", str(share / "export"), "--state", str(PLACE / "state"))
    return {
        "edges": edges,
        "numbers": numbers,
        "exit": exit_code,
        "health": health,
        "kernel": kernels(place),
        "scan": scanned(place),
        "moments": place.moments,
    }


def _counted(place: Street, process: subprocess.Popen[bytes]) -> dict[str, int]:
    """Make pulses while the daemon may not run, and others while it has to share its processor."""
    process.send_signal(signal.SIGSTOP)
    place.moment("frozen")
    place.chip.pulses(LINES["meter"], PULSES)
    place.chip.pulses(LINES["lane"], VEHICLES)
    process.send_signal(signal.SIGCONT)
    place.moment("thawed")
    for _ in range(10):
        place.chip.pulses(LINES["meter"], PULSES // 10)
        place.chip.pulses(LINES["lane"], VEHICLES // 10)
    place.chip.pull(LINES["door"], True, False, True)
    changes = _crossed(place)
    place.moment("counted")
    time.sleep(CALM_S)
    return {"meter": 2 * PULSES, "lane": 2 * VEHICLES, "door": 3, "head": changes}


def _crossed(place: Street) -> int:
    """Let a signal head go once around, then show red beside green; return its changes."""
    shown = (("red", False), ("green", True), ("green", False), ("amber", True))
    for lamp, on in (*shown, ("amber", False), ("red", True), ("green", True)):
        place.chip.pull(LINES[lamp], on)
        time.sleep(PHASE_S)
    time.sleep(CONFLICT_S)
    place.chip.pull(LINES["green"], False)
    return 8


def _replugged(place: Street) -> dict[str, Any]:
    """Pull the bus out; plug another in first, so that it comes back under another number."""
    before, port = place.street.number, 3
    place.street.unplug()
    until(lambda: not Path(f"/dev/i2c-{before}").exists())
    time.sleep(OUT_S)
    place.moment("another")
    other = place.plugged("other", port)
    place.moment("back")
    place.street = place.plugged("street", port + 1)
    LINK.unlink()
    LINK.symlink_to(place.street.path)
    return {"before": before, "other": other.number, "after": place.street.number}


def kernels(place: Street) -> dict[str, float]:
    """Return, by our channel, what the kernel's drivers read from the same instruments."""
    found = {}
    for part in SIMULATED:
        dongle = place.street if part.bus == "street" else place.yard
        with bound(dongle.number, part.kernel, part.address) as driver:
            time.sleep(CONVERTED_S)
            for channel, shown in part.shown.items():
                found[f"{part.sensor}/{channel}"] = driver.value(shown)
    return found


def scanned(place: Street) -> dict[str, dict[str, str]]:
    """Return, by bus, what `edgenode scan` names at each place; the kernel holds the yard's air."""
    buses = {"street": place.street.path, "yard": place.yard.path, "pins": place.chip.path}
    with bound(place.yard.number, "bme280", 0x76):
        answer = json.loads(_edgenode("scan", "--json", *buses.values()))
    wires = {wire["path"]: wire for wire in answer["wires"]}
    assert not [wire["problem"] for wire in answer["wires"] if wire["problem"]]
    return {
        bus: {seen["place"]: seen["driver"] or seen["words"] for seen in wires[path]["seen"]}
        for bus, path in buses.items()
    }


@contextmanager
def daemon(config: Path, share: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run the daemon; what it logs lies in the share."""
    words = [sys.executable, "-m", "edgenode", "run", "--config", str(config)]
    with (share / "daemon.log").open("wb") as log:
        process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stderr=log)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def ok(sensors: set[str]) -> bool:
    """Whether the daemon says that these sensors are well."""
    try:
        told = ask(PLACE / "control.sock", "sensors")
    except NoDaemon:
        return False
    return all(one["state"] == "ok" for one in told["sensors"] if one["sensor"] in sensors)


def _edgenode(*words: str) -> str:
    command = [sys.executable, "-m", "edgenode", *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
