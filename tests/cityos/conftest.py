"""Fixtures of the city's side: a sink of each make, a city on it, a node that sends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.sink import Sink
from tests.support.postgres import Postgres, emptied
from tests.support.sender import Sender


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for all tests."""
    with Postgres() as server:
        yield server


@pytest.fixture(scope="session")
def shared(postgres: Postgres) -> str:
    """The URL of a database that every test finds empty."""
    return postgres.url(postgres.database())


@pytest.fixture(params=["sqlite", "postgresql"])
def sink(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Sink]:
    """The contract holds in both makes: whoever asks for a sink is run with each."""
    if request.param == "postgresql":
        with Sink.open(request.getfixturevalue("shared")) as sink:
            yield emptied(sink)
    else:
        with Sink.open(tmp_path / "city.db") as sink:
            sink.db.execute("PRAGMA synchronous = OFF")  # the same
            yield sink


@pytest.fixture
def city(sink: Sink) -> City:
    return City(sink, CityOptions())


@pytest.fixture
def sender() -> Sender:
    return Sender()


@pytest.fixture
def url(postgres: Postgres) -> str:
    """A database of its own, without tables."""
    return postgres.url(postgres.database())


@pytest.fixture
def first(url: str) -> Iterator[Sink]:
    with Sink.open(url) as sink:
        yield sink


@pytest.fixture
def second(first: Sink, url: str) -> Iterator[Sink]:
    with Sink.open(url) as sink:
        yield sink
