"""A real systemd in a container over the machine's own root, with our units and the product in it.

Needs root and the Debian package systemd-container. A script inside looks, acts and reports.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
UNITS: Final = ROOT / "systemd"
BOOT_S: Final = 100.0
PYTHON: Final = Path(sys.executable).resolve().name
# The interpreter may live in a home, which the units hide: it is bound to a place of its own.
INTERPRETER: Final = f"""\
export LD_LIBRARY_PATH=/opt/python/lib
export PYTHONHOME=/opt/python PYTHONPATH=/opt/product:/opt/packages
exec /opt/python/bin/{PYTHON}"""
HELPERS: Final = ("clock-state", "keep-warnings")
LAUNCHER: Final = f'#!/bin/sh\n{INTERPRETER} -m edgenode "$@"\n'
TARGET: Final = (
    "[Unit]\nRequires=basic.target trial.service\nAfter=basic.target\nAllowIsolate=yes\n"
)
TRIAL: Final = """\
[Unit]
After=basic.target
[Service]
Type=oneshot
ExecStart=/opt/trial/trial.sh
ExecStopPost=/bin/systemctl --no-block --force poweroff
StandardOutput=file:/opt/trial/log
StandardError=inherit
"""


def installed() -> dict[str, str]:
    """Return what a package would install beside the product, by its path in the tree."""
    units = {f"etc/systemd/system/{unit.name}": unit for unit in UNITS.glob("*.service")}
    helpers = {f"usr/libexec/edgenode/{name}": UNITS / name for name in HELPERS}
    others = {
        "etc/systemd/system.conf.d/50-edgenode-watchdog.conf": UNITS / "edgenode-watchdog.conf",
        "usr/lib/systemd/journald.conf.d/50-edgenode.conf": UNITS / "edgenode-journald.conf",
        "usr/lib/sysusers.d/edgenode.conf": UNITS / "edgenode.sysusers",
    }
    found = {
        where: path.read_text("utf-8") for where, path in {**units, **helpers, **others}.items()
    }
    return {**found, "usr/bin/edgenode": LAUNCHER}


def binds(trial: Path) -> dict[str, str]:
    """Return what the product is made of, and where it is seen by the units."""
    return {
        sys.base_prefix: "/opt/python",
        sysconfig.get_path("purelib"): "/opt/packages",
        str(ROOT): "/opt/product",
        str(trial): "/opt/trial",
    }


def furnish(tree: Path, files: Mapping[str, str]) -> None:
    """Write files into a tree; what begins with #! is a program."""
    for where, text in files.items():
        path = tree / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o755 if text.startswith("#!") else 0o644)


@contextmanager
def container(work: Path, files: Mapping[str, str], script: str) -> Iterator[Path]:
    """Boot with our units and these files, run the script, and power off; yield what it left.

    The script finds /opt/trial, which is the directory that is yielded.
    """
    assert shutil.which("systemd-nspawn"), "install the Debian package systemd-container"
    trial = work / "trial"
    tree = overlay(work)
    try:
        furnish(tree, {**installed(), **files})
        furnish(tree / "etc/systemd/system", {"trial.target": TARGET, "trial.service": TRIAL})
        furnish(trial, {"trial.sh": script})
        (tree / "etc/machine-id").write_text("")
        subprocess.run(["systemd-sysusers", f"--root={tree}", "edgenode.conf"], check=True)
        done = subprocess.run(
            _nspawn(tree, trial), capture_output=True, text=True, timeout=BOOT_S, check=False,
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
        )  # fmt: skip
        assert (trial / "log").exists(), done.stdout[-3000:] + done.stderr[-3000:]
        yield trial
    finally:
        subprocess.run(["umount", "--lazy", str(tree)], check=True)


def overlay(work: Path) -> Path:
    """Mount a tree that is written to over the root of this machine; make the places it needs."""
    for name in ("tree", "upper", "work", "trial"):
        (work / name).mkdir()
    options = f"lowerdir=/,upperdir={work}/upper,workdir={work}/work"
    tree = work / "tree"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, str(tree)], check=True)
    return tree


def _nspawn(tree: Path, trial: Path) -> list[str]:
    bound = []
    for source, target in binds(trial).items():
        (tree / target.lstrip("/")).mkdir(parents=True, exist_ok=True)
        kind = "--bind" if source == str(trial) else "--bind-ro"
        bound.append(f"{kind}={source}:{target}")
    return [
        "systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-D", str(tree), "--boot",
        "--console=read-only", "--private-network", *bound,
        "--capability=CAP_SYS_TIME",  # else the container itself refuses adjtimex to everybody
        "systemd.unit=trial.target",
    ]  # fmt: skip
