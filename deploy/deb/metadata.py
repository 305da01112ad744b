"""What tells of the package and of the code in it: dist-info, control, md5sums, changelog."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from deploy.deb import BuildError
from deploy.deb.target import Target

ROOT: Final = Path(__file__).parents[2]
TEMPLATES: Final = Path(__file__).parent / "debian"
ENTRY: Final = re.compile(r"edgenode \(([^)]+)\) [a-z-]+;")
KIB: Final = 1024


def project() -> dict[str, Any]:
    """Return [project] of pyproject.toml."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    found: dict[str, Any] = whole["project"]
    return found


def filled(name: str, values: Mapping[str, str]) -> str:
    """Return a template of ./debian with every @NAME@ filled in; BuildError where one is left."""
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    if left := re.search(r"@[A-Z]+@", text):
        raise BuildError(f"deploy/deb/debian/{name}: nothing fills {left[0]}")
    return text


def changelog(version: str, target: Target) -> str:
    """Return the changelog with its first entry made that of this package.

    Raises BuildError where no entry tells of this version.
    """
    text = (TEMPLATES / "changelog").read_text(encoding="utf-8")
    entry = ENTRY.match(text)
    if entry is None or entry[1] != project()["version"]:
        raise BuildError(
            f"deploy/deb/debian/changelog: its first entry is not of {project()['version']};"
            " write what is new"
        )
    return text.replace(entry[0], f"edgenode ({version}) {target.release.codename};", 1)


def dist_info(directory: Path) -> None:
    """Write our own dist-info, by which our drivers are found as entry points are.

    Format: core metadata and entry points of the Python packaging user guide.
    """
    about = project()
    lines = [
        "Metadata-Version: 2.4",
        "Name: edgenode",
        f"Version: {about['version']}",
        f"Summary: {about['description']}",
        f"Requires-Python: {about['requires-python']}",
        f"License-Expression: {about['license']}",
        *(f"Requires-Dist: {need}" for need in about["dependencies"]),
    ]
    points = []
    for group, rows in sorted(about["entry-points"].items()):
        points.append(f"[{group}]")
        points += [f"{name} = {where}" for name, where in sorted(rows.items())]
    directory.mkdir()
    (directory / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (directory / "entry_points.txt").write_text("\n".join(points) + "\n", encoding="utf-8")


def control(tree: Path, version: str, target: Target) -> str:
    """Return the file `control`; the size is rounded up file by file (deb-substvars(5))."""
    files = [path for path in tree.rglob("*") if not path.is_dir()]
    size = sum(-(-path.stat().st_size // KIB) for path in files)
    return filled(
        "control",
        {
            "VERSION": version,
            "ARCHITECTURE": target.architecture,
            "SIZE": str(size),
            "PYTHON": target.release.python,
            "NEXT": target.next_python,
            "GLIBC": str(target.release.glibc),
        },
    )


def md5sums(tree: Path) -> str:
    """Return the file `md5sums` (deb-md5sums(5)), by which `dpkg --verify` finds damage."""
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    return "".join(
        f"{hashlib.md5(path.read_bytes()).hexdigest()}  {path.relative_to(tree)}\n"  # noqa: S324
        for path in files
    )
