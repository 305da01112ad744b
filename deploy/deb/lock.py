"""Pin what the packages vendor: `python -m deploy.deb.lock` writes wheels-deb*.lock anew.

Versions are the newest that pyproject.toml allows, the same for both processors of a release. pip
judges markers such as python_version by the Python that it runs on, so `try-trixie` has the last
word for Debian 13.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Final

from deploy.deb import BuildError
from deploy.deb.target import MACHINES, RELEASES, Release, Target
from deploy.deb.wheels import PIP_S, lock_of

ROOT: Final = Path(__file__).parents[2]
EXTRAS: Final = ("provision", "sign")
# Named by libraries for halves of theirs that no node uses: colorzero's installer, sources in
# colour and Markdown of rich, declarations of C for cffi. A test imports all of ours without them.
UNUSED: Final = frozenset({"markdown-it-py", "mdurl", "pycparser", "pygments", "setuptools"})
# Whose compiled half no node needs: four fifths of its size, for what is done once a sign.
PURE: Final = frozenset({"fonttools"})
HEAD: Final = (
    "# Made by `python -m deploy.deb.lock`: the wheels in the package for Debian {number}.\n"
)
Row = dict[str, Any]  # of pip's report
Pins = dict[tuple[str, str], set[str]]


def requirements() -> list[str]:
    """Return what edgenode needs on a node, as pyproject.toml says."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *(need for extra in EXTRAS for need in extras[extra])]


def pins(release: Release) -> Pins:
    """Return the SHA-256 of every wheel by name and version, over all processors.

    Raises BuildError where pip finds no wheels, or other versions for another processor.
    """
    found: Pins = {}
    wanted = requirements()
    for architecture in MACHINES:
        rows = _resolved(Target(release, architecture).tags(), wanted)
        for row in map(_pure, rows):
            if row["metadata"]["name"].lower() in UNUSED:
                continue
            about, hashes = row["metadata"], row["download_info"]["archive_info"]["hashes"]
            found.setdefault((about["name"].lower(), about["version"]), set()).add(hashes["sha256"])
        wanted = [f"{name}=={version}" for name, version in found]
    return found


def _pure(row: Row) -> Row:
    """Return the wheel without compiled code, of a library that has both."""
    about = row["metadata"]
    if about["name"].lower() not in PURE:
        return row
    tags = ["--implementation=py", "--abi=none", "--platform=any", "--no-deps"]
    (found,) = _resolved(tags, [f"{about['name']}=={about['version']}"])
    return found


def _resolved(tags: list[str], wanted: list[str]) -> list[Row]:
    words = [
        sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check",
        "--dry-run", "--ignore-installed", "--report=-", "--target=/nonexistent",
        "--only-binary=:all:", *tags, *wanted,
    ]  # fmt: skip
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PIP_S)
    if done.returncode:
        raise BuildError(f"pip finds no wheels for {wanted}: {done.stderr.strip()}")
    rows: list[Row] = json.loads(done.stdout)["install"]
    return rows


def text(release: Release, found: Pins) -> str:
    """Return a lock file: a requirements file of pip with hashes."""
    lines = [HEAD.format(number=release.number)]
    for (name, version), hashes in sorted(found.items()):
        each = " \\\n".join(f"    --hash=sha256:{digest}" for digest in sorted(hashes))
        lines.append(f"{name}=={version} \\\n{each}\n")
    return "".join(lines)


def main() -> int:
    """Write all lock files."""
    for release in RELEASES.values():
        lock_of(release).write_text(text(release, pins(release)), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
