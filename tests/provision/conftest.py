"""What tests of enrolment share: a city's PKI, its EST server, and a node that may enrol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.provision.store import Enrolment, Store
from tests.support.est_server import EstServer, Rules
from tests.support.outbox import NODE
from tests.support.pki import Ca
from tests.support.provisioned import TOKEN


@pytest.fixture(scope="session")
def ca() -> Ca:
    return Ca()


@pytest.fixture
def server(tmp_path: Path, ca: Ca) -> Iterator[EstServer]:
    with EstServer(tmp_path / "est", ca, Rules({NODE.hex(): TOKEN})) as made:
        yield made


@pytest.fixture
def store(tmp_path: Path, server: EstServer) -> Store:
    """A node that was provisioned and has not enrolled yet."""
    made = Store(tmp_path / "etc")
    made.etc.mkdir()
    known = Enrolment(node=NODE.hex(), est=server.url, trust=server.ca.trust, token=TOKEN)
    known.save(made.etc, None)
    return made
