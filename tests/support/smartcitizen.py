"""Fab Lab Barcelona's program for electrochemical cells, without the maps and plots around it.

`scdata` wants forty packages. Its compensation needs three of them, so the packages that hold it
are not run, and what else its module imports is stood in for; every line of the compensation
itself is theirs.
"""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from importlib.metadata import files
from types import ModuleType
from typing import Any, Final

NAME: Final = "scdata.device.process.alphasense"
CALIBRATIONS: Final[dict[str, dict[str, float]]] = {}


def _stand_in(name: str, **members: Any) -> ModuleType:
    module = sys.modules[name] = ModuleType(name)
    module.__dict__.update(members)
    return module


def _package(name: str, root: str) -> ModuleType:
    """Stand in for a package, so that its modules are found and its own code is not run."""
    module = _stand_in(name)
    module.__path__ = [f"{root}/{name.replace('.', '/')}"]
    return module


def compensation() -> Any:
    """Return the module; certificates go into CALIBRATIONS, by serial number."""
    if NAME in sys.modules:
        return sys.modules[NAME]
    init = next(path for path in files("scdata") or () if str(path) == "scdata/__init__.py")
    root = str(init.locate().parent.parent)  # type: ignore[attr-defined]
    for name in ("scdata", "scdata.tools", "scdata.device"):
        _package(name, root)
    _stand_in("scdata.tools.custom_logger", logger=logging.getLogger("scdata"))
    _stand_in("scdata.tools.units", get_units_convf=None)
    _stand_in("scdata.tools.date", find_dates=None, localise_date=None)
    _stand_in("scdata._config", config=_stand_in("scdata._config.config"))
    sys.modules["scdata._config"].config.calibrations = CALIBRATIONS
    _stand_in("smartcitizen_connector")
    _stand_in("smartcitizen_connector.tools", pandas_freq=None)
    _stand_in("scipy")
    _stand_in("scipy.stats", linregress=None)
    process = _package("scdata.device.process", root)
    process.__dict__.update(clean_ts=_uncleaned, baseline_als=None)
    return import_module(NAME)


def _uncleaned(frame: Any, name: str, **_: Any) -> Any:
    """Give a column as it is: what is fed lies within the limits that they would clip it to."""
    codes = import_module("scdata.device.process.error_codes")
    return codes.ProcessResult(frame[name], codes.StatusCode.SUCCESS)
