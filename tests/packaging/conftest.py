"""The packages for Debian 12, built once for all tests here."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.packages import ROOT, built, copied


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkout as it is at this moment."""
    return copied(ROOT, tmp_path_factory.mktemp("sources") / "here")


@pytest.fixture(scope="session")
def packages(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages by processor."""
    return built(sources, tmp_path_factory.mktemp("packages"), TZ="UTC", LC_ALL="C.UTF-8")


@pytest.fixture(scope="session")
def lintian(packages: dict[str, Path]) -> Iterator[subprocess.Popen[str]]:
    """A judge at work on one of them; it takes ten seconds, beside other tests."""
    assert shutil.which("lintian"), "install the Debian package lintian"
    words = ["lintian", "--allow-root", "--fail-on", "error", str(packages["amd64"])]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield process
