"""Debian packages of this checkout: built as the Makefile builds them, and looked into."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ARCHITECTURES = ("amd64", "arm64")
BUILD_S = 300
EPOCH = "1764115200"
SOURCES = ("README.md", "pyproject.toml", "deploy", "docs", "drivers", "edgenode", "systemd")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def built(source: Path, output: Path, *before: str, **environment: str) -> dict[str, Path]:
    """Build for Debian 12, side by side; `before` stands before each command.

    Returns the packages by processor.
    """
    words = [sys.executable, "-m", "deploy.deb", "--debian", "12", "--level", "0"]
    running = [
        subprocess.Popen(
            [*before, *words, "--output", str(output), "--arch", architecture],
            cwd=source, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            env={
                "PATH": os.environ["PATH"], "HOME": str(Path.home()), "XDG_CACHE_HOME": str(CACHE),
                "SOURCE_DATE_EPOCH": EPOCH, "PYTHONPATH": str(source), **environment,
            },
        )
        for architecture in ARCHITECTURES
    ]  # fmt: skip
    for process in running:
        _, said = process.communicate(timeout=BUILD_S)
        assert process.returncode == 0, said
    return {a: next(output.glob(f"*_{a}.deb")) for a in ARCHITECTURES}


def copied(home: Path, target: Path) -> Path:
    """Copy what packages are built from to another path."""
    target.mkdir()
    for name in SOURCES:
        source = home / name
        if source.is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(source, target / name, ignore=ignore, symlinks=True)
        else:
            shutil.copy(source, target / name)
    return target


def raised(package: Path, version: str, work: Path) -> Path:
    """Make the same package of a higher version, in its control file and in its code."""
    tree, made = work / "raised", work / "raised.deb"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    present = told(package, "Version").partition("~")[0]
    for name, key in (
        ("DEBIAN/control", "Version: "),
        ("usr/lib/edgenode/edgenode/__init__.py", '__version__ = "'),
    ):
        file = tree / name
        file.write_text(file.read_text().replace(f"{key}{present}", f"{key}{version}"))
    words = ["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", str(tree), str(made)]
    subprocess.run(words, check=True, capture_output=True)
    return made


def told(package: Path, field: str) -> str:
    """Return a field of the control file."""
    words = ["dpkg-deb", "--field", str(package), field]
    return subprocess.run(words, check=True, capture_output=True, text=True).stdout.strip()


def extracted(package: Path, target: Path) -> Path:
    """Unpack the files of a package."""
    subprocess.run(["dpkg-deb", "--extract", str(package), str(target)], check=True)
    return target


def listed(package: Path) -> dict[str, Any]:
    """Return mode, owner and date of every path in a package, as tar shows them."""
    words = ["dpkg-deb", "--contents", str(package)]
    lines = subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()
    rows = [line.split(maxsplit=5) for line in lines]
    return {row[5].removeprefix("."): (row[0], row[1], f"{row[3]} {row[4]}") for row in rows}
