import fcntl
from pathlib import Path

import pytest

from tests.support.fake_chip import FakeChip


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeChip:
    """A chip that the ioctls of this process reach."""
    fake = FakeChip(tmp_path)
    monkeypatch.setattr(fcntl, "ioctl", fake.ioctl)
    return fake
