"""The parts that are played: clocks, sensors, latencies, the loop, and what a plan refuses."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from edgenode.cli import main
from edgenode.errors import ConfigError
from edgenode.fleet.clocks import SkewedClock
from edgenode.fleet.latency import Latencies
from edgenode.fleet.loop import Loop, Seat, now_ms
from edgenode.fleet.plan import Outage, Plan, foreign
from edgenode.fleet.sensors import sensors
from edgenode.fleet.watch import Watch, holders, listeners, usage
from edgenode.reading import ClockSource
from edgenode.uplink import Broker
from edgenode.uplink.wait import Desk, Turns, Wish
from edgenode.wire import scaled, unscaled

PLAN = Plan(run=1, directory=Path("nowhere"), brokers=(Broker("127.0.0.1", 1, tls=False),))


# --- what a plan refuses ---


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.8.9.10", "localhost", "::1"]
)  # fmt: skip
def test_a_broker_on_loopback_may_be_loaded(host: str) -> None:
    assert foreign((Broker(host),)) == []


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "no.such.host.invalid"])
def test_any_other_broker_is_foreign(host: str) -> None:
    (problem,) = foreign((Broker("127.0.0.1"), Broker(host)))
    assert host in problem
    assert "--really" in problem


def test_a_foreign_broker_is_refused_before_anything_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state = tmp_path / "state"
    words = ["fleet", "--broker", "127.0.0.1", "--broker", "192.0.2.1:1883", "--no-tls"]
    assert main([*words, "--state", str(state)]) == 2
    assert "192.0.2.1:1883 is not on loopback" in capsys.readouterr().err
    assert not state.exists()


def test_every_mistake_is_told_with_its_option() -> None:
    with pytest.raises(ConfigError) as told:
        replace(PLAN, nodes=70_000, every_ms=1, outage=Outage(-1, 5))
    assert [line.split()[0] for line in told.value.problems] == ["--nodes", "--every", "--outage"]
    with pytest.raises(ConfigError, match="no node at all"):
        replace(PLAN, nodes=0)


def test_no_two_nodes_have_one_id_and_each_has_one_process() -> None:
    plan = replace(PLAN, nodes=1_000, processes=3)
    shares = [index for worker in range(3) for index in plan.mine(worker)]
    assert sorted(shares) == list(range(1_000))
    assert len({plan.node(index) for index in shares}) == 1_000
    assert plan.node(1) != replace(plan, run=2).node(1)


# --- clocks and sensors ---


def test_a_wall_clock_errs_within_what_it_vouches_for() -> None:
    sources = set()
    for n in range(50):
        clock = SkewedClock(Random(n), 500, f"boot {n}")
        source, err = clock.sync()
        sources.add(source)
        wrong = abs(clock.utc_ms() - clock.true_ms())
        assert wrong <= 500 + 1
        assert source == ClockSource.NONE or wrong <= err
    assert sources == {ClockSource.NONE, ClockSource.NTP}


def test_nodes_have_been_up_for_different_times() -> None:
    assert len({SkewedClock(Random(n), 500, "").boot_ms() for n in range(50)}) == 50


@pytest.mark.parametrize("channels", [1, 4, 5, 20])
def test_sensors_have_the_channels_asked_for_and_values_that_travel_exactly(channels: int) -> None:
    made = sensors(channels, 1_000)
    assert sum(len(sensor.group.channels) for sensor in made) == channels
    for sensor in made:
        for place, channel in enumerate(sensor.group.channels):
            values = [one.sample.values[place] for one in sensor.rows]
            assert len(set(values)) > 10, "a recorded series varies"
            for value in values:
                assert value is not None
                assert unscaled(scaled(value, channel.scale), channel.scale) == value


def test_quantiles_are_off_by_a_bucket_at_most() -> None:
    told = Latencies()
    assert told.quantile(0.5) is None
    for ms in range(1, 1_001):
        told.add(ms, 20)
    half, most = told.quantile(0.5), told.quantile(0.99)
    assert half is not None
    assert most is not None
    assert half == pytest.approx(500, rel=0.06)
    assert most == pytest.approx(990, rel=0.06)
    assert sum(told.take().values()) == 20_000
    assert told.quantile(0.5) is None


# --- the loop ---


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    made.at(now_ms() + 5_000, made.stop)  # a test that hangs ends so, and fails
    yield made
    made.close()


def test_a_seat_has_its_turn_when_a_descriptor_is_ready_or_the_time_is_over(loop: Loop) -> None:
    reader, writer = os.pipe()
    seen = []

    def turns(_: Desk) -> Turns[None]:
        seen.append((yield Wish(10, (reader,))))
        os.write(writer, b"x")
        seen.append((yield Wish(5_000, (reader,))))
        loop.stop()

    seat = Seat(loop, turns, lambda: None)
    began = now_ms()
    loop.run()
    assert now_ms() - began < 3_000
    assert [reader in events for events in seen] == [False, True]
    assert seat.over
    os.close(reader)
    os.close(writer)


def test_a_descriptor_that_comes_again_under_its_old_number_is_listened_to(loop: Loop) -> None:
    """The kernel forgets what is closed; who goes by the number alone waits for ever."""
    first = os.eventfd(0)
    heard = []

    def turns(_: Desk) -> Turns[None]:
        yield Wish(0, (first,))
        os.close(first)
        again = os.eventfd(1)
        assert again == first
        heard.append((yield Wish(5_000, (again,))))
        os.close(again)
        loop.stop()

    Seat(loop, turns, lambda: None)
    loop.run()
    assert heard
    assert first in heard[0]


def test_another_thread_can_wake_a_seat(loop: Loop) -> None:
    def turns(desk: Desk) -> Turns[None]:
        threading.Timer(0.02, desk.wake).start()
        yield Wish(60_000)
        loop.stop()

    Seat(loop, turns, lambda: None)
    began = now_ms()
    loop.run()
    assert now_ms() - began < 3_000


def test_a_seat_that_is_stopped_comes_to_its_end(loop: Loop) -> None:
    def turns(desk: Desk) -> Turns[None]:
        while not desk.stopped:
            yield Wish(60_000)

    seat = Seat(loop, turns, lambda: None)
    loop.at(now_ms() + 10, seat.stop)
    loop.at(now_ms() + 50, loop.stop)
    loop.run()
    assert seat.over


# --- what processes use ---


def test_the_process_that_listens_or_holds_a_file_is_found(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert listeners([server.getsockname()[1]]) == [os.getpid()]
    path = tmp_path / "held"
    with path.open("w"):
        assert holders(path) == []  # never ourselves


def test_a_group_of_processes_that_ends_is_looked_for_again() -> None:
    found = [[os.getpid()], []]
    watch = Watch(lambda: found.pop(0))
    for _ in range(2):
        looked = watch.look(1.0)
        assert looked is not None
        assert looked[1] == pytest.approx(usage([os.getpid()]).rss, rel=0.1)
    watch._pids = (1 << 30,)
    assert watch.look(1.0) is None
