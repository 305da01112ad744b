"""For which releases and processors packages are built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Release:
    """A release of Debian: what of it decides which wheels fit.

    Sources: the packages python3 and libc6 of each release (packages.debian.org).
    """

    number: int
    codename: str
    python: str  # the one minor version that its python3 is
    glibc: int  # the 36 of glibc 2.36


@dataclass(frozen=True, slots=True)
class Target:
    """One package to be built."""

    release: Release
    architecture: str  # as Debian calls it

    @property
    def name(self) -> str:
        """Return what files of this target are called, such as deb12-arm64."""
        return f"deb{self.release.number}-{self.architecture}"

    @property
    def next_python(self) -> str:
        """Return the first minor version that the wheels do not fit any more."""
        major, _, minor = self.release.python.partition(".")
        return f"{major}.{int(minor) + 1}"

    def tags(self) -> list[str]:
        """Return pip's options for wheels that run there (PEP 600, PEP 599 and before)."""
        machine = MACHINES[self.architecture]
        platforms = [f"manylinux_2_{minor}_{machine}" for minor in range(self.release.glibc, 4, -1)]
        platforms += [f"{older}_{machine}" for older in OLDER[self.architecture]]
        words = [f"--platform={platform}" for platform in platforms]
        return ["--implementation=cp", f"--python-version={self.release.python}", *words]


RELEASES: Final = {
    12: Release(12, "bookworm", "3.11", 36),
    13: Release(13, "trixie", "3.13", 41),
}
MACHINES: Final = {"arm64": "aarch64", "amd64": "x86_64"}
OLDER: Final = {
    "arm64": ("manylinux2014",),
    "amd64": ("manylinux2014", "manylinux2010", "manylinux1"),
}


def targets(releases: tuple[int, ...], architectures: tuple[str, ...]) -> list[Target]:
    """Return every pair of these."""
    return [Target(RELEASES[release], a) for release in releases for a in architectures]
