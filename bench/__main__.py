"""`make bench`: every figure that the project quotes, as a table and as one JSON object.

Nothing is asserted here: machines differ and are noisy. Compare within one run. The exit code is
1 where something could not be measured that should be, such as a driver.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import sysconfig
from pathlib import Path
from typing import Any

from bench import citynodes, cityos, disk, drivers, fits, fleet, node, pipeline, sensing, wire
from bench.peers import BYTES_PER_READING, PEERS, TARGETS

FULL_DISK_S = 300.0
QUICK_DISK_S = 60.0


def main() -> int:
    """Measure, print the table to stderr and the JSON object to stdout."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", choices=sorted(PARTS), action="append", help="default: all")
    parser.add_argument("--quick", action="store_true", help="one minute of disk, not five")
    asked = parser.parse_args()
    figures: dict[str, Any] = {"python": _python(), "cpu": _cpu()}
    for name in asked.only or PARTS:
        _say(f"measuring: {name} …")
        figures.update(PARTS[name](QUICK_DISK_S if asked.quick else FULL_DISK_S))
    figures["measured_elsewhere"] = {
        "bytes_per_reading": BYTES_PER_READING,
        "peers": [peer._asdict() for peer in PEERS],
    }
    _table(figures)
    print(json.dumps(figures, indent=1))
    missing = [name for name, _ in _flat(figures) if name.endswith(".error")]
    for name in missing:
        _say(f"not measured: {name}")
    return 1 if missing else 0


PARTS = {
    "wire": lambda _seconds: wire.measure(),
    "node": lambda _seconds: node.measure(),
    "drivers": lambda _seconds: drivers.measure(),
    "sensing": lambda _seconds: {**pipeline.measure(), **sensing.measure()},
    "fits": lambda _seconds: fits.measure(),
    "cityos": lambda _seconds: {**cityos.measure(), **citynodes.measure()},
    "fleet": lambda _seconds: fleet.measure(),
    "disk": disk.measure,
}


def _python() -> str:
    optimised = "--enable-optimizations" in (sysconfig.get_config_var("CONFIG_ARGS") or "")
    return f"{platform.python_version()}{'' if optimised else ', built without optimisation'}"


def _cpu() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith(("model name", "Model")):
            return line.partition(":")[2].strip()
    return platform.machine()


def _table(figures: dict[str, Any]) -> None:
    _say(f"\n{'figure':<58}{'measured':>14}  target")
    for name, value in _flat(figures):
        _say(f"{name:<58}{value:>14}  {_target(name)}")
    _say("\nmeasured elsewhere, not by this run:")
    _say(f"{'':<26}{'µs/reading':>14}{'RSS MB':>8}{'sent B':>8}{'lost: down, kill, half-open':>30}")
    for peer in PEERS:
        cpu, lost = (
            f"{peer.cpu_us_20:g} / {peer.cpu_us_200:g}",
            (f"{peer.lost_broker_down}, {peer.lost_kill}, {peer.lost_half_open}"),
        )
        _say(f"{peer.name:<26}{cpu:>14}{peer.rss_mb:>8g}{peer.sent_b:>8g}{lost:>30}")


def _flat(value: Any, path: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [
            row
            for key, inner in value.items()
            if key not in {"python", "cpu", "measured_elsewhere"}
            for row in _flat(inner, f"{path}.{key}" if path else key)
        ]
    return [(path, f"{value:,.4g}" if isinstance(value, float) else str(value))]


def _target(name: str) -> str:
    """Return the target of a figure; wire sizes have one for packed batches of 60 samples."""
    found: Any = TARGETS
    for key in name.replace(".60.packed", "").split("."):
        if not isinstance(found, dict) or key not in found:
            return ""
        found = found[key]
    return "" if isinstance(found, dict) else f"{found:,}"


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
