"""The packages for Debian 12, built once for all tests here."""

from pathlib import Path

import pytest

from tests.support.packages import ROOT, built


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The packages by processor."""
    return built(ROOT, tmp_path_factory.mktemp("packages"), TZ="UTC", LC_ALL="C.UTF-8")
