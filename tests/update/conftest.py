from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.update.machine import NEEDED, Machine, Signer, need, plain


@dataclass(frozen=True)
class Releases:
    """What somebody who releases has made, and what somebody else has."""

    signer: Signer
    newer: Path
    older: Path
    foreign: Path
    other_kind: Path


@pytest.fixture(scope="session")
def releases(tmp_path_factory: pytest.TempPathFactory) -> Releases:
    need(NEEDED)
    room = tmp_path_factory.mktemp("releases")
    signer, stranger = Signer(room / "city"), Signer(room / "stranger")
    return Releases(
        signer,
        newer=plain(room / "newer", signer, "newer", "9.0"),
        older=plain(room / "older", signer, "older", "0.0.1"),
        foreign=plain(room / "foreign", stranger, "foreign", "9.0"),
        other_kind=plain(room / "kind", signer, "kind", "9.0", "edgenode-armhf"),
    )


@pytest.fixture
def machine(tmp_path: Path, releases: Releases) -> Iterator[Machine]:
    machine = Machine(tmp_path / "card", releases.signer.keyring)
    before = machine.data.read_bytes()
    yield machine
    assert machine.data.read_bytes() == before, "an update touched the data partition"
