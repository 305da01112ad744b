"""What holds for every test: it leaves no descriptors to others, and runs where Lanes says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.lanes import Lanes
from tests.support.spools import let_go_in_the_end


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    with let_go_in_the_end():
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Lanes | None:
    return Lanes(config, log) if config.getvalue("dist") == "loadscope" else None
