"""Which units the package has, and which of them are enabled and started."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deploy.deb.metadata import ROOT

UNITS: Final = ROOT / "systemd"
KINDS: Final = (".service", ".socket", ".timer", ".path", ".target")
DAEMON: Final = "edgenode.service"


def shipped() -> list[Path]:
    """Return every unit in systemd/, by name."""
    return sorted(path for path in UNITS.iterdir() if path.suffix in KINDS)


def programs() -> list[Path]:
    """Return the scripts that units run."""
    return sorted(path for path in UNITS.iterdir() if path.is_file() and not path.suffix)


def examples() -> list[Path]:
    """Return the drop-ins for the rest of the machine, which the image installs."""
    return sorted(UNITS.glob("*.conf"))


def words() -> dict[str, str]:
    """Return what the maintainer scripts are told.

    A unit that says where it wants to be enabled is; the others are started by these. At once only
    what lasts or waits is started: the rest is for a boot.
    """
    enabled = [path for path in shipped() if _has(path, "[Install]")]
    lasting = [p for p in shipped() if _has(p, "Restart=always") and p.name != DAEMON]
    waiting = [path for path in enabled if path.suffix in {".socket", ".timer", ".path"}]
    started = waiting + [path for path in enabled if path in lasting]
    return {
        "UNITS": _names(shipped()),
        "ENABLED": _names(enabled),
        "STARTED": _names(started),
        "LASTING": _names(lasting),
    }


def _has(unit: Path, line: str) -> bool:
    return line in unit.read_text(encoding="utf-8").splitlines()


def _names(units: list[Path]) -> str:
    return " ".join(path.name for path in units)
