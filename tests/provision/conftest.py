"""What these tests share: a machine, a city's PKI, its EST server, and a node that may enrol."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.provision.identity import Identity
from edgenode.provision.places import Places
from edgenode.provision.store import Enrolment, Store
from tests.support.est_server import EstServer, Rules
from tests.support.outbox import NODE
from tests.support.pki import Ca
from tests.support.powercut import unflushed
from tests.support.provisioned import TOKEN, machine


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Flush nothing really: it takes time, and shows nothing where the power stays on."""
    unflushed(monkeypatch)


@pytest.fixture
def node(tmp_path: Path) -> Places:
    """A machine that is about to be provisioned."""
    return machine(tmp_path / "node")


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


@pytest.fixture
def identity(tmp_path: Path) -> Identity:
    """A node without a pair."""
    made = Identity(tmp_path / "tls", None)
    made.settle()
    return made
