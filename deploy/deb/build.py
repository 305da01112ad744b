"""Build one package so that the same sources give the same bytes (reproducible-builds.org)."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final

from deploy.deb import BuildError, layout, metadata, units
from deploy.deb.metadata import ROOT, TEMPLATES
from deploy.deb.target import Target

SCRIPTS: Final = ("postinst", "prerm", "postrm")
PROGRAMS: Final = ("usr/bin", "usr/libexec")  # whatever lies there can be run
DIRECTORY, PROGRAM, FILE = 0o755, 0o755, 0o644
TOOL_S: Final = 300


def source_date(environment: Mapping[str, str]) -> int:
    """Return the date of all files, Unix seconds.

    SOURCE_DATE_EPOCH where it is set, else that of the commit, else of the changelog.
    Raises BuildError for one that is no number.
    """
    given = environment.get("SOURCE_DATE_EPOCH")
    if given is not None:
        if not given.isdecimal():
            raise BuildError(f"SOURCE_DATE_EPOCH={given}: not a number of seconds")
        return int(given)
    words = ["git", "-C", str(ROOT), "log", "-1", "--format=%ct"]
    if shutil.which("git"):
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=TOOL_S)
        if done.returncode == 0 and done.stdout.strip():
            return int(done.stdout)
    trailer = (TEMPLATES / "changelog").read_text(encoding="utf-8").partition("\n -- ")[2]
    day = trailer.partition("\n")[0].rpartition("  ")[2]
    return round(parsedate_to_datetime(day).timestamp())


def version_of(target: Target) -> str:
    """Return the version of the package; one for a later release of Debian is the higher one."""
    return f"{metadata.project()['version']}~deb{target.release.number}"


def build(target: Target, output: Path, cache: Path, epoch: int, level: int) -> Path:
    """Build the package of a target into the directory `output`, and return its file.

    `level` is that of xz, 0 to 9: how long it may take to make the file small.
    Raises BuildError for what is missing: dpkg-deb, a compiler, the package index, a licence.
    """
    if shutil.which("dpkg-deb") is None:
        raise BuildError("dpkg-deb is missing; install the Debian package dpkg")
    version = version_of(target)
    output.mkdir(parents=True, exist_ok=True)
    package = output / f"edgenode_{version}_{target.architecture}.deb"
    with tempfile.TemporaryDirectory(prefix="edgenode-deb-") as work:
        tree = Path(work) / "edgenode"
        tree.mkdir()
        layout.stage(tree, version, target, cache, epoch)
        _describe(tree, version, target)
        _settle(tree, epoch)
        _pack(tree, package, epoch, level)
    return package


def _describe(tree: Path, version: str, target: Target) -> None:
    """Write DEBIAN/, which dpkg-deb takes for the control half."""
    made = {
        "control": metadata.control(tree, version, target),
        "md5sums": metadata.md5sums(tree),
        **{name: metadata.filled(name, units.words()) for name in SCRIPTS},
    }
    (tree / "DEBIAN").mkdir()
    for name, text in made.items():
        (tree / "DEBIAN" / name).write_text(text, encoding="utf-8")


def _settle(tree: Path, epoch: int) -> None:
    """Give every file the modes and the date of the package, whatever made it."""
    programs = {path for place in PROGRAMS for path in (tree / place).rglob("*")}
    programs |= {tree / "DEBIAN" / name for name in SCRIPTS}
    for path in [tree, *tree.rglob("*")]:
        mode = DIRECTORY if path.is_dir() else PROGRAM if path in programs else FILE
        path.chmod(mode)
        os.utime(path, (epoch, epoch))


def _pack(tree: Path, package: Path, epoch: int, level: int) -> None:
    words = ["dpkg-deb", "--root-owner-group", "-Zxz", f"-z{level}"]
    words += ["--build", str(tree), str(package)]
    environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
    environment["SOURCE_DATE_EPOCH"] = str(epoch)
    done = subprocess.run(
        words, capture_output=True, text=True, check=False, timeout=TOOL_S, env=environment
    )
    if done.returncode:
        raise BuildError(f"dpkg-deb: {done.stderr.strip()}")
