import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.documents import Played, played


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Played]:
    """A daemon on a socket of its own, which answers with the documents of docs/cli.md."""
    with played(tmp_path) as served:
        yield served


@pytest.fixture
def seoul(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A node whose local time is nine hours ahead of UTC."""
    with monkeypatch.context() as patched:
        patched.setenv("TZ", "Asia/Seoul")
        time.tzset()
        yield
    time.tzset()
