"""The wheels of a target: fetched as the lock file pins them, unpacked as they were published."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path, PurePosixPath
from typing import Final
from zipfile import ZipFile

from deploy.deb import BuildError
from deploy.deb.target import Release, Target

HERE: Final = Path(__file__).parent
HASH: Final = re.compile(r"--hash=sha256:([0-9a-f]{64})")
LIBRARIES: Final = frozenset({"purelib", "platlib"})  # of a .data directory; binary-dist format
PIP_S: Final = 600


def lock_of(release: Release) -> Path:
    """Return the file that pins versions and hashes for a release."""
    return HERE / f"wheels-deb{release.number}.lock"


def fetched(target: Target, cache: Path) -> list[Path]:
    """Return the wheels of a target; what `cache` has not yet comes from the package index.

    Raises BuildError where that cannot be reached, and for a wheel that is not the pinned one.
    """
    lock = lock_of(target.release).read_text(encoding="utf-8")
    digest = hashlib.sha256(lock.encode()).hexdigest()[:12]
    place = cache / f"{target.name}-{digest}"
    if not place.is_dir():
        _download(target, place)
    wheels = sorted(place.glob("*.whl"))
    pinned = set(HASH.findall(lock))
    for wheel in wheels:
        if hashlib.sha256(wheel.read_bytes()).hexdigest() not in pinned:
            raise BuildError(f"{wheel}: not the pinned file; remove {place} and build again")
    return wheels


def _download(target: Target, place: Path) -> None:
    """Fetch all or nothing: the directory appears when it is complete."""
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = lock_of(target.release)
    with tempfile.TemporaryDirectory(dir=place.parent) as work:
        words = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", "--only-binary=:all:", "--require-hashes", f"--requirement={lock}",
            f"--dest={work}", *target.tags(),
        ]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PIP_S)
        if done.returncode:
            said = done.stderr.strip().splitlines()[-3:]
            raise BuildError(
                f"the wheels of {lock.name} cannot be fetched for {target.name}; does this machine"
                f" reach the package index (pip config list)? pip said: {' '.join(said)}"
            )
        shutil.copytree(work, place.with_suffix(".part"), dirs_exist_ok=True)
    place.with_suffix(".part").replace(place)


def unpack(wheel: Path, into: Path) -> None:
    """Unpack a wheel without its programs: who uses a library needs none of them.

    Raises BuildError for a path that leads out, or that another wheel has taken.
    """
    with ZipFile(wheel) as archive:
        for entry in archive.infolist():
            where = None if entry.is_dir() else placed(entry.filename)
            if where is None:
                continue
            path = into / where
            if path.exists():
                raise BuildError(f"{wheel.name}: {where} is in another wheel too")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(archive.read(entry))


def placed(name: str) -> PurePosixPath | None:
    """Return where a file of a wheel goes, None for what is no library (binary-dist format)."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts:
        raise BuildError(f"a wheel holds the path {name}")
    if not path.parts[0].endswith(".data"):
        return path
    return PurePosixPath(*path.parts[2:]) if path.parts[1] in LIBRARIES else None
