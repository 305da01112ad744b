"""What holds for every test: it leaves no descriptors to those after it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.spools import let_go_in_the_end


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    with let_go_in_the_end():
        yield
