"""A clock that is set by the test, and a spool that has a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from edgenode.spool import Spool
from tests.support.clock import FakeClock
from tests.support.spools import opened


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def spool(tmp_path: Path, clock: FakeClock) -> Spool:
    spool = opened(tmp_path, clock)
    spool.outbox.begin_session()
    return spool
