from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import Played, played


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Played]:
    """A daemon on a socket of its own, which answers with the documents of docs/cli.md."""
    with played(tmp_path) as served:
        yield served
