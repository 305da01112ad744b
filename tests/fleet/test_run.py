"""Small fleets over a real Mosquitto and a real receiver: every reading is accounted for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from edgenode.cityos.brokers import CityBroker
from edgenode.cityos.sink import Sink
from edgenode.errors import NodeError
from edgenode.fleet import Fleet, Outage, Plan
from edgenode.fleet.city import held_rows
from edgenode.fleet.compare import compare
from edgenode.fleet.ledger import read_kills, read_rows
from edgenode.fleet.second import Second
from edgenode.fleet.verdict import Verdict, judge
from edgenode.fleet.watch import families
from edgenode.uplink import Broker
from tests.support.mosquitto import Mosquitto
from tests.support.ports import until
from tests.support.receiving import receiving

CHANNELS = 6


class Ran(NamedTuple):
    """A run that is over, and what it left."""

    plan: Plan
    verdict: Verdict
    seconds: list[Second]
    db: Path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Mosquitto, Path]]:
    directory = tmp_path_factory.mktemp("fleet")
    db = directory / "city.sqlite"
    with Mosquitto(directory / "broker") as broker:
        where = CityBroker("127.0.0.1", broker.port, tls=False)
        with receiving(db, [where]):
            yield broker, db


def plan(broker: Mosquitto, directory: Path, run: int) -> Plan:
    return Plan(
        run=run,
        directory=directory,
        brokers=(Broker("127.0.0.1", broker.port, tls=False),),
        nodes=1,
        channels=CHANNELS,
        every_ms=500,
        seconds=3.0,
        commit_ms=200,
        window_ms=500,
        ramp_s=0.3,
        settle_s=15.0,
        flaps_per_h=0.0,
    )


def run(made: Plan, db: Path) -> Ran:
    seconds: list[Second] = []
    with Fleet(made, db) as fleet:
        outcome = fleet.run(seconds.append)
        real = fleet.real
    with Sink.open(db, readonly=True) as sink:
        return Ran(made, judge(made, real, outcome, sink), seconds, db)


@pytest.fixture(scope="module")
def ran(place: tuple[Mosquitto, Path], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Eight nodes in two processes, one of them killed, all links cut; and a real daemon."""
    broker, db = place
    made = replace(
        plan(broker, tmp_path_factory.mktemp("run"), 1),
        nodes=8, processes=2, real=1, kills=1, outage=Outage(1.0, 1.5),
    )  # fmt: skip
    return run(made, db)


def test_every_reading_is_held_once_and_its_account_closes(ran: Ran) -> None:
    assert ran.verdict.well
    told = ran.verdict.simulated
    assert told is not None
    assert told.found.made > 8 * CHANNELS * 3
    assert (told.found.alien, told.found.repeated, told.unexplained) == (0, 0, 0)
    assert told.found.held == told.found.made - told.killed


def test_all_that_is_held_was_acknowledged_to_the_nodes(ran: Ran) -> None:
    told, last = ran.verdict.simulated, ran.verdict.outcome.last
    assert told is not None
    assert last.made == told.found.made
    assert last.city_acked <= last.broker_acked <= last.made
    assert last.city_acked >= told.found.held * 0.75  # a kill forgets what was on its way
    assert last.waiting == last.backlog == 0
    assert last.bytes_per_reading is not None


def test_in_an_outage_every_node_tries_in_vain_and_comes_back_after_it(ran: Ran) -> None:
    """It is longer than the longest first pause; without it there would be one attempt each."""
    assert ran.seconds[-1].connected == 8
    assert sum(ran.verdict.outcome.attempts) >= 2 * 8


def test_a_node_that_is_killed_loses_one_commit_at_most_and_goes_on(ran: Ran) -> None:
    told = ran.verdict.simulated
    (kill,) = read_kills(ran.plan.directory / "ledger")
    later = [
        row for row in read_rows(ran.plan.directory / "ledger")
        if row.node == kill.node and row.mono > kill.mono
    ]  # fmt: skip
    assert told is not None
    assert told.killed <= 2 * CHANNELS, "what one commit interval holds, and one read more"
    with Sink.open(ran.db, readonly=True) as sink:
        held = held_rows(sink, [bytes.fromhex(kill.node)])
        assert compare(later, (row for row in held if row.mono > kill.mono)).equal


def test_what_brokers_and_processes_use_is_told(ran: Ran) -> None:
    load = ran.seconds[-2].load
    assert load["nodes"].rss > 20e6
    assert load["broker"].rss > 1e6


def test_a_city_that_lost_a_row_is_found_out(ran: Ran) -> None:
    nodes = [ran.plan.node(index) for index in range(8)]
    with Sink.open(ran.db, readonly=True) as sink:
        rows = list(held_rows(sink, nodes))
    before = ran.verdict.simulated
    assert before is not None
    found = compare(read_rows(ran.plan.directory / "ledger"), rows[1:])
    assert found.missing == before.found.missing + 1


def test_real_daemons_are_accounted_apart(ran: Ran) -> None:
    told = ran.verdict.real
    assert told is not None
    assert told.problems == ()
    assert told.received == told.matched + told.numberless
    assert told.numberless <= 2 * CHANNELS, "the first read of a sensor may have no number"
    assert len(told.late_ms) == 1
    assert told.said >= 2 * CHANNELS
    assert ran.seconds[1].load["real"].rss > 20e6


def test_a_process_of_the_fleet_that_dies_ends_the_run_with_its_code(
    place: tuple[Mosquitto, Path], tmp_path: Path
) -> None:
    broker, db = place
    with Fleet(plan(broker, tmp_path, 3), db) as fleet:
        process = fleet._workers[0].process
        with pytest.raises(NodeError, match="ended with code -9"):
            fleet.run(lambda _: process.kill())
    assert not process.is_alive()


def test_sigterm_ends_a_run_and_all_its_processes(
    place: tuple[Mosquitto, Path], tmp_path: Path
) -> None:
    broker, _ = place
    words = ["fleet", "--no-tls", "--broker", f"127.0.0.1:{broker.port}", "--nodes", "2", "--json"]
    command = [sys.executable, "-m", "edgenode", *words, "--seconds", "600"]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment) as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["nodes"] == 2
        workers = families([process.pid])[1:]
        process.terminate()
        assert process.wait(15) == 130
    assert len(workers) >= 2
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers), "nobody is left")
    assert list(tmp_path.iterdir()) == []
