"""Where everything of a package goes."""

from __future__ import annotations

import gzip
import tomllib
from pathlib import Path
from typing import Final

from deploy.deb import gas, manual, metadata, units
from deploy.deb.licences import copyright_of
from deploy.deb.metadata import ROOT, TEMPLATES
from deploy.deb.target import Target
from deploy.deb.wheels import fetched, unpack
from edgenode.cli.grammar import grammars
from edgenode.cli.shells import SCRIPTS

CODE: Final = "usr/lib/edgenode"
DOC: Final = "usr/share/doc/edgenode"
PACKAGES: Final = ("edgenode", "drivers")
COMPLETIONS: Final = {
    "bash": "usr/share/bash-completion/completions/edgenode",
    "zsh": "usr/share/zsh/vendor-completions/_edgenode",
    "fish": "usr/share/fish/vendor_completions.d/edgenode.fish",
}
# From ./debian to the tree.
FILES: Final = {
    "edgenode": "usr/bin/edgenode",
    "first-configuration": "usr/libexec/edgenode/first-configuration",
    "first.toml": "usr/share/edgenode/first.toml",
    "first.conf": "usr/lib/systemd/system/edgenode.service.d/10-first-configuration.conf",
    "tmpfiles.conf": "usr/lib/tmpfiles.d/edgenode.conf",
    "modules.conf": "usr/lib/modules-load.d/edgenode.conf",
    "60-edgenode.rules": "usr/lib/udev/rules.d/60-edgenode.rules",
    "lintian-overrides": "usr/share/lintian/overrides/edgenode",
}
EXAMPLES: Final = ("edgenode.toml", "mosquitto", "nats", "rabbitmq")  # of deploy/


def stage(tree: Path, version: str, target: Target, cache: Path, epoch: int) -> None:
    """Put every file of the package below `tree`; `epoch` is the date of what is made here.

    What `cache` has not comes from the package index. Raises BuildError.
    """
    code = tree / CODE
    for wheel in fetched(target, cache):
        unpack(wheel, code)
    gas.add(code, target, cache)
    _write(tree / DOC / "copyright", copyright_of(code, CODE))
    for package in PACKAGES:
        _own(package, code)
    metadata.dist_info(code / f"edgenode-{metadata.project()['version']}.dist-info")
    for name, where in FILES.items():
        _copy(TEMPLATES / name, tree / where)
    _units(tree)
    _documents(tree, version, target, epoch)


def _own(package: str, code: Path) -> None:
    """Copy a package of ours: its modules, and the data that pyproject.toml names."""
    whole = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    data = whole["tool"]["setuptools"]["package-data"][package]
    home = ROOT / package
    for pattern in ("**/*.py", *data):
        for path in sorted(home.glob(pattern)):
            _copy(path, code / path.relative_to(ROOT))


def _units(tree: Path) -> None:
    for path in units.shipped():
        _copy(path, tree / "usr/lib/systemd/system" / path.name)
    for path in units.programs():
        _copy(path, tree / "usr/libexec/edgenode" / path.name)
    for path in units.examples():
        _copy(path, tree / DOC / "examples/systemd" / path.name)
    _copy(ROOT / "systemd/edgenode.sysusers", tree / "usr/lib/sysusers.d/edgenode.conf")


def _documents(tree: Path, version: str, target: Target, epoch: int) -> None:
    taken = list(grammars())
    for shell, where in COMPLETIONS.items():
        _write(tree / where, SCRIPTS[shell](taken))
    _packed(tree / "usr/share/man/man1/edgenode.1.gz", manual.page(taken, epoch))
    _packed(tree / DOC / "changelog.gz", metadata.changelog(version, target))
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("**/*.md"))):
        if "node_modules" not in path.parts:
            _copy(path, tree / DOC / path.relative_to(ROOT))
    for name in EXAMPLES:
        source = ROOT / "deploy" / name
        for path in sorted(source.iterdir()) if source.is_dir() else [source]:
            _copy(path, tree / DOC / "examples" / path.relative_to(ROOT / "deploy"))


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _packed(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))
