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
from pathlib import Path
from typing import Any

from tests.lab.compare import registers
from tests.lab.kernel import load
from tests.lab.pins import pins

MODULES = (
    *("i2c-dev", "vhci-hcd", "i2c-tiny-usb", "gpio-sim"),
    *("bmp280-i2c", "lm75", "ti-ads1015", "ina2xx-adc", "sht3x", "sht4x"),
)


def main(share: Path) -> None:
    load("-a", *MODULES)
    findings: dict[str, Any] = {"kernel": os.uname().release}
    for name, step in STEPS.items():
        began = time.monotonic()
        try:
            findings[name] = step()
        except Exception:  # noqa: BLE001 - a claim about this step fails with it
            findings[name] = {"failed": traceback.format_exc()}
        print(f"{name}: {time.monotonic() - began:.1f} s", flush=True)  # noqa: T201 - the log
        (share / "findings.json").write_text(json.dumps(findings))


STEPS: dict[str, Callable[[], dict[str, Any]]] = {"registers": registers, "pins": pins}

if __name__ == "__main__":
    main(Path(sys.argv[1]))
