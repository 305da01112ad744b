"""One image for all tests, which nobody may change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.flash.images import make_image


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_image(tmp_path_factory.mktemp("image"))
