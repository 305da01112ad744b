"""One image for all tests, which nobody may change; and room in memory for cards."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.flash.images import make_image


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image(tmp_path_factory.mktemp("image"))


@pytest.fixture
def ram() -> Iterator[Path]:
    """A folder in memory: a flush to a card there does not wait for the disk of this machine."""
    with tempfile.TemporaryDirectory(dir="/dev/shm", prefix="edgenode-card-") as folder:
        yield Path(folder)
