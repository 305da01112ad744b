"""What holds for every test: it leaves no descriptors behind, and stays beside its servers."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.spools import let_go_in_the_end

HERE = Path(__file__).parent
# Real daemons, servers and kernels, which keep time: one after the other, in one process.
TIMED = {
    "brokers", "commission", "demo", "fleet", "install", "lab", "node", "packaging", "systemd",
    "update", "uplink",
}  # fmt: skip
# Their tests share no server: any process may take a file of them.
APART = {"config", "drivers", "provision", "road", "sensing", "spool", "virtual", "wire"}


@pytest.fixture(autouse=True)
def _let_go() -> Iterator[None]:
    with let_go_in_the_end():
        yield


def pytest_itemcollected(item: pytest.Item) -> None:
    """Say which tests stay together where pytest runs several processes (--dist loadgroup)."""
    item.add_marker(pytest.mark.xdist_group(_group(item)))


def _group(item: pytest.Item) -> str:
    parts = item.path.relative_to(HERE).parts
    if parts[0] in TIMED:
        return "timed"
    return "/".join(parts) if parts[0] in APART else parts[0]


@pytest.fixture(autouse=True)
def _give_way(request: pytest.FixtureRequest) -> Iterator[None]:
    """Let tests that only compute give way to those that keep time, where it is allowed."""
    together = "PYTEST_XDIST_WORKER" in os.environ and os.geteuid() == 0
    if not together or _group(request.node) == "timed":
        yield
        return
    os.setpriority(os.PRIO_PROCESS, 0, 10)
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
