"""What holds for every test: it leaves no descriptors behind, and stays beside its servers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.spools import let_go_in_the_end

HERE = Path(__file__).parent
# Their tests share no server and no boot, so that any process may take a file of them.
APART = {"config", "drivers", "provision", "road", "sensing", "spool", "virtual", "wire"}


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    with let_go_in_the_end():
        yield


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the tests of one directory in one process, where pytest runs several of them."""
    for item in items:
        parts = item.path.relative_to(HERE).parts
        group = "/".join(parts) if parts[0] in APART else parts[0]
        item.add_marker(pytest.mark.xdist_group(group))
