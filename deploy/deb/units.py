"""Which units the package has, and which of them are enabled and started."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from deploy.deb.metadata import ROOT

KINDS: Final = (".service", ".socket", ".timer", ".path", ".target")
DAEMON: Final = "edgenode.service"
STARTED: Final = (".socket", ".timer")  # at once; one-shots run at boot, before the daemon


def shipped() -> list[Path]:
    """Return every unit in systemd/, by name."""
    return sorted(path for path in (ROOT / "systemd").iterdir() if path.suffix in KINDS)


def examples() -> list[Path]:
    """Return the drop-ins for the rest of the machine, which the image installs."""
    return sorted((ROOT / "systemd").glob("*.conf"))


def enabled() -> list[str]:
    """Return the units that say where they want to be enabled; the others are started by these."""
    return [path.name for path in shipped() if "[Install]" in path.read_text("utf-8").splitlines()]


def words() -> dict[str, str]:
    """Return what the maintainer scripts are told."""
    wanted = enabled()
    return {
        "UNITS": " ".join(path.name for path in shipped()),
        "ENABLED": " ".join(wanted),
        "HELPERS": " ".join(name for name in wanted if name.endswith(STARTED)),
    }
