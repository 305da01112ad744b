"""Debian's packages for the node's architecture, asked for with an APT of our own.

Nothing of the building machine's APT is read or changed but its archive keys. What is resolved
is a lock: a line for each package with its version and the SHA-256 that the signed lists give.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from .recipe import ARCHITECTURE, MIRROR, SECURITY, BuildError, run

KEYS = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# A snapshot of the archive is out of date by design; what was used is in the lock.
CONFIGURATION = """\
Dir "{directory}";
Dir::Etc "{directory}";
Dir::Etc::parts "/nonexistent";
Dir::State::status "{directory}/status";
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::ForceHash "sha256";
Acquire::Check-Valid-Until "false";
Acquire::Check-Date "false";
Acquire::Retries "3";
"""
_PRINTED = re.compile(
    r"^'(?P<url>[^']+)' (?P<file>\S+) (?P<size>\d+) SHA256:(?P<sha256>[0-9a-f]{64})$"
)


@dataclass(frozen=True, order=True)
class Package:
    """One .deb of the archive, as the signed package lists name it."""

    name: str
    version: str
    architecture: str
    sha256: str
    url: str

    @property
    def line(self) -> str:
        return f"{self.name} {self.version} {self.architecture} {self.sha256}"


class Archive:
    """Debian's archive as the node sees it; `suite` is a release such as bookworm."""

    def __init__(self, directory: Path, suite: str, mirror: str = MIRROR) -> None:
        self.suite, self.mirror = suite, mirror
        self._debs = directory.parent / "debs"
        for name in ("lists/partial", "archives/partial"):
            (directory / "var" / name).mkdir(parents=True, exist_ok=True)
        self._debs.mkdir(exist_ok=True)
        for name in ("apt.conf.d", "preferences.d", "var/lib/apt/lists/partial",
                     "var/cache/apt/archives/partial"):  # fmt: skip
            (directory / name).mkdir(parents=True, exist_ok=True)
        (directory / "status").touch()
        (directory / "sources.list").write_text("".join(f"{line}\n" for line in self.sources))
        conf = directory / "apt.conf"
        conf.write_text(CONFIGURATION.format(directory=directory, architecture=ARCHITECTURE))
        self._env = {"APT_CONFIG": str(conf)}

    @property
    def sources(self) -> list[str]:
        """The lines of sources.list; the firmware of the Raspberry Pi is non-free."""
        security = self.mirror if self.mirror != MIRROR else SECURITY
        rows = [(self.mirror, self.suite), (self.mirror, f"{self.suite}-updates")]
        if security == SECURITY:
            rows.append((SECURITY, f"{self.suite}-security"))
        what = f"[signed-by={KEYS}]"
        return [f"deb {what} {url} {suite} main non-free-firmware" for url, suite in rows]

    def update(self) -> None:
        """Read the lists of packages anew."""
        run(["apt-get", "update", "-qq"], env=self._env)

    def closure(self, names: tuple[str, ...]) -> list[Package]:
        """Return these packages, all that they need, and the essential ones, sorted by name."""
        said = run(
            ["apt-get", "install", "--print-uris", "-qq", "-y", "?essential", "apt", *names],
            env=self._env,
        )
        return sorted(self._printed(said))

    def fetch(self, name: str) -> tuple[Package, Path]:
        """Download one package; returns what it is and where it lies, its checksum verified."""
        (package,) = self._printed(
            run(["apt-get", "download", "--print-uris", "-qq", name], env=self._env)
        )
        path = self._debs / package.url.rsplit("/", 1)[1]
        if not path.exists():
            run(["apt-get", "download", "-qq", name], env=self._env, cwd=self._debs)
            fetched = self._debs / unquote(package.url.rsplit("/", 1)[1])
            for candidate in self._debs.glob(f"{package.name}_*_{package.architecture}.deb"):
                if _sha256(candidate) == package.sha256:
                    fetched = candidate
            path = fetched
        if _sha256(path) != package.sha256:
            raise BuildError(f"{path} is not what the list of packages names; remove it")
        return package, path

    def newest_kernel(self, meta: str) -> str:
        """Return the name of the kernel package that the meta package stands for."""
        said = run(["apt-cache", "depends", "--important", meta], env=self._env)
        found = re.search(r"Depends: (linux-image-\S+)", said)
        if not found:
            raise BuildError(f"{meta} depends on no kernel; is {self.suite} a release of Debian?")
        return found.group(1)

    @staticmethod
    def _printed(said: str) -> list[Package]:
        packages = []
        for line in said.splitlines():
            match = _PRINTED.match(line.strip())
            if match is None:
                continue
            name, version, architecture = match["file"].removesuffix(".deb").split("_")
            packages.append(
                Package(name, unquote(version), architecture, match["sha256"], match["url"])
            )
        return packages


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ""


def lock(packages: list[Package]) -> str:
    """Return the lock as text: name, version, architecture and SHA-256, a package a line."""
    return "".join(f"{package.line}\n" for package in sorted(set(packages)))
