"""Sensirion's gas index algorithm (extra `gas`), of which nobody publishes wheels.

Its C is compiled as it was published, for the processor of the target; ./gas_wrap.py stands in
place of its generated wrapper.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Final

from deploy.deb import BuildError
from deploy.deb.target import MACHINES, Target

NAME: Final = "sensirion_gas_index_algorithm"
VERSION: Final = "3.2.2"
SHA256: Final = "a7c1de5ffef8f2245b35ad3c5a426747bbbfa5b3803534bc27ba88d77dbcaf2e"
MODULES: Final = ("__init__", "gas_index_algorithm", "nox_algorithm", "version", "voc_algorithm")
WRAPPER: Final = Path(__file__).with_name("gas_wrap.py")
# The same roundings on every processor: no fused multiply-add, which arm64 has and amd64 may not.
FLAGS: Final = (
    "-O2", "-fPIC", "-shared", "-ffp-contract=off", "-s",
    "-Wl,-z,relro,-z,now,--build-id=none", "-lm",
)  # fmt: skip
LIBC: Final = {"arm64": "libc6-dev-arm64-cross", "amd64": "libc6-dev-amd64-cross"}
TOOL_S: Final = 300


def add(code: Path, target: Target, cache: Path) -> None:
    """Put the library beside the wheels in `code`.

    Raises BuildError where its sources cannot be fetched, or no compiler is there.
    """
    home = code / NAME
    home.mkdir()
    with tempfile.TemporaryDirectory() as work:
        with tarfile.open(_fetched(cache)) as archive:
            archive.extractall(work, filter="data")
        source = Path(work) / f"{NAME.replace('_', '-')}-{VERSION}"
        for module in MODULES:
            shutil.copyfile(source / NAME / f"{module}.py", home / f"{module}.py")
        shutil.copyfile(WRAPPER, home / f"{NAME}_wrap.py")
        _compile(source / "swig", home / "libgasindex.so", target)
        _describe(source, code / f"{NAME}-{VERSION}.dist-info")


def _fetched(cache: Path) -> Path:
    archive = cache / f"{NAME.replace('_', '-')}-{VERSION}.tar.gz"
    if not archive.exists():
        _download(archive)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
        raise BuildError(f"{archive}: not the pinned file; remove it and build again")
    return archive


def _download(archive: Path) -> None:
    archive.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=archive.parent) as work:
        pin = Path(work) / "pin"
        pin.write_text(f"{NAME}=={VERSION} --hash=sha256:{SHA256}\n", encoding="utf-8")
        words = [
            sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
            "--no-deps", f"--no-binary={NAME}", "--require-hashes", f"--requirement={pin}",
            f"--dest={work}",
        ]  # fmt: skip
        done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=TOOL_S)
        if done.returncode:
            said = " ".join(done.stderr.strip().splitlines()[-3:])
            raise BuildError(
                f"{archive.name} cannot be fetched; does this machine reach the package index"
                f" (pip config list)? pip said: {said}"
            )
        (Path(work) / archive.name).replace(archive)


def _compile(source: Path, library: Path, target: Target) -> None:
    machine = MACHINES[target.architecture]
    compiler = f"{machine}-linux-gnu-gcc"
    missing = (
        f"{compiler} cannot compile for {target.architecture}; install the Debian packages"
        f" gcc-{machine.replace('_', '-')}-linux-gnu and {LIBC[target.architecture]}"
    )
    if shutil.which(compiler) is None:
        raise BuildError(missing)
    words = [compiler, "sensirion_gas_index_algorithm.c", *FLAGS, "-o", str(library)]
    done = subprocess.run(
        words, cwd=source, capture_output=True, text=True, check=False, timeout=TOOL_S
    )
    if done.returncode:
        raise BuildError(f"{missing}: {done.stderr.strip()}")


def _describe(source: Path, information: Path) -> None:
    """Write its dist-info; the licence stands at the head of the C."""
    information.mkdir()
    shutil.copyfile(source / "PKG-INFO", information / "METADATA")
    head = (source / "swig/sensirion_gas_index_algorithm.c").read_text(encoding="utf-8")
    lines = head.partition("*/")[0].splitlines()[1:]
    text = "\n".join(line.removeprefix(" *").removeprefix(" ") for line in lines)
    (information / "LICENSE").write_text(text.strip() + "\n", encoding="utf-8")
    record = f"{NAME}/__init__.py,,\n{information.name}/METADATA,,\n"
    (information / "RECORD").write_text(record, encoding="utf-8")
