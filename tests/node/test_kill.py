"""kill -9 at random moments of the real daemon: what a commit covered is there, once, and right."""

import os
import random
import time
from pathlib import Path

import pytest

from edgenode.demo.account import account
from edgenode.demo.stage import boot_ms
from tests.support.daemons import Place, terminated, until
from tests.support.leftbehind import evidence

KILLS = int(os.environ.get("EDGENODE_TEST_KILLS", "25"))
COMMIT_MS = 200
FLUSH_MS = 1_500  # a busy machine's slowest


@pytest.mark.timeout(600)
def test_kills_at_random_moments_cost_at_most_the_open_commit(tmp_path: Path) -> None:
    place = Place(tmp_path, commit_s=COMMIT_MS / 1000)
    dice = random.Random(9)
    kills = []
    with place.instruments():
        for _ in range(KILLS):
            with place.daemon() as process:
                time.sleep(dice.uniform(0.0, 0.9))  # from its very start to well within its work
                process.kill()
                process.wait()
                kills.append(boot_ms())
        with place.daemon() as process:
            until(lambda: place.sampled(2), "the last life commits")
            assert terminated(process) == 0
    result = account(evidence(place, kills, COMMIT_MS + FLUSH_MS))
    assert not result.problems
    assert result.matched > 2 * KILLS, "most lives leave readings behind"
