"""The job inside the guest: what the real kernel says, as one JSON file for the tests.

A step that fails leaves its traceback in place of its findings; the others go on.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from tests.lab.cards import cards
from tests.lab.compare import Bench
from tests.lab.kernel import load
from tests.lab.parts import PARTS
from tests.lab.pins import pins
from tests.lab.street import street
from tests.lab.thermometers import thermometers

MODULES = (
    *("i2c-dev", "vhci-hcd", "i2c-tiny-usb", "gpio-sim"),
    *("bmp280-i2c", "lm75", "ti-ads1015", "ina2xx-adc", "sht3x", "sht4x", "ds2482", "w1_therm"),
)


def main(share: Path) -> None:
    load("-a", *MODULES)
    findings: dict[str, Any] = {"kernel": os.uname().release}
    for name, step in steps(share).items():
        began = time.monotonic()
        try:
            findings[name] = step()
        except Exception:  # noqa: BLE001 - a claim about this step fails with it
            findings[name] = {"failed": traceback.format_exc()}
        print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)  # noqa: T201 - the log
        (share / "findings.json").write_text(json.dumps(findings))


def steps(share: Path) -> dict[str, Callable[[], Any]]:
    """Return the steps in their order."""
    bench = Bench()
    return {
        "pins": pins,
        **{f"registers {part.name}": partial(bench.compared, part) for part in PARTS},
        "unplug": bench.close,
        "thermometers": thermometers,
        "cards": cards,
        "street": partial(street, share),
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
