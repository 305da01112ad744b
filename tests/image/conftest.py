"""The trial of the image: one build, one city, one machine for all claims of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.image.card import Card
from tests.image.city import City
from tests.image.evidence import Evidence
from tests.image.machine import Machine
from tests.image.node import NODE, TOKEN, document
from tests.update.machine import Signer

CHECKOUT = Path(__file__).parents[2]
DEB = CHECKOUT / "build/deb"
OUT = CHECKOUT / "build/image-test"
AGAIN = bool(os.environ.get("EDGENODE_IMAGE_AGAIN"))  # with the image of the last trial


@pytest.fixture(scope="session")
def evidence() -> Iterator[Evidence]:
    made = Evidence()
    yield made
    made.write(Path(os.environ.get("EDGENODE_EVIDENCE", OUT / "evidence.md")))


@pytest.fixture(scope="session")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("card")


class Keys(NamedTuple):
    """What a release is signed with, and what nodes trust."""

    keyring: Path
    certificate: Path
    key: Path


@pytest.fixture(scope="session")
def signer() -> Keys:
    room = OUT / "releases"
    if not (AGAIN and room.exists()):
        shutil.rmtree(OUT, ignore_errors=True)
        Signer(room)
    return Keys(room / "ca.pem", room / "signer.pem", room / "signer.key")


@pytest.fixture(scope="session")
def files(signer: Keys, evidence: Evidence) -> dict[str, Path]:
    """Build the image, with the keyring of the trial; name its files by their last words."""
    told = OUT / "told"
    if not (AGAIN and told.exists()):
        _build(signer, told)
    evidence.built(told.read_text(), float((OUT / "seconds").read_text()))
    names = [line.split()[1] for line in told.read_text().splitlines()]
    return {name.split("-arm64.", 1)[1]: OUT / name for name in names}


def _build(signer: Keys, told: Path) -> None:
    deb = max(DEB.glob("edgenode_*deb12_arm64.deb"))
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "deploy.image", "--deb", str(deb), "--out", str(OUT),
         "--keyring", str(signer.keyring)],
        check=False, capture_output=True, text=True, cwd=CHECKOUT,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (OUT / "seconds").write_text(f"{time.monotonic() - began:.0f}")
    told.write_text(done.stdout)


@pytest.fixture(scope="session")
def city(work: Path) -> Iterator[City]:
    with City(work / "city", NODE, TOKEN) as made:
        yield made


@pytest.fixture(scope="session")
def machine(
    work: Path, files: dict[str, Path], city: City, evidence: Evidence
) -> Iterator[Machine]:
    node_json, city_pub, key = document(work / "office", city)
    card = Card(work / "card.img", files["img.xz"])
    card.put(node_json, "node.json")
    card.put(city_pub, "city.pub")
    made = Machine(card, work, key)
    yield made
    made.off()
    evidence.console(made.console)


@pytest.fixture
def told(request: pytest.FixtureRequest, evidence: Evidence, machine: Machine) -> Iterator[None]:
    """Write down each claim and whether it held."""
    del machine  # built and switched on before the clock of a claim runs
    began, failed = time.monotonic(), request.session.testsfailed
    yield
    held = request.session.testsfailed == failed
    evidence.claim(request.node.name, time.monotonic() - began, held=held)
