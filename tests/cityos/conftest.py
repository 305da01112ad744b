"""Fixtures of the city's side: a sink in a file, a city on it, a node that sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.sink import Sink
from tests.support.sender import Sender


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    with Sink.open(tmp_path / "city.db") as sink:
        sink.db.execute("PRAGMA synchronous = OFF")  # these tests are about logic, not the disk
        yield sink


@pytest.fixture
def city(sink: Sink) -> City:
    return City(sink, CityOptions())


@pytest.fixture
def sender() -> Sender:
    return Sender()
