"""Fixtures of what leaves the city: a sink, a strict broker, an exporter to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from edgenode.cityos.sink import Sink
from tests.support.exporting import Export
from tests.support.ngsild import Broker, strict_broker


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink.open(tmp_path / "city.db") as sink:
        sink.db.execute("PRAGMA synchronous = OFF")  # these tests are about logic, not the disk
        yield sink


@pytest.fixture
def broker() -> Iterator[Broker]:
    with strict_broker() as broker:
        yield broker


@pytest.fixture
def export(sink: Sink, broker: Broker) -> Callable[[], Export]:
    return lambda: Export(sink, broker)
