"""The daemon as a process, over virtual wires."""

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgenode.clock import SystemClock
from edgenode.config import load
from edgenode.node import parts, sensors
from edgenode.node.boot import BootCause
from edgenode.reading import EventCode
from edgenode.spool import Spool
from edgenode.virtual.control import send_command
from edgenode.wire import decode
from tests.support.daemons import NODE, Manager, Place, terminated, until


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.instruments():
        yield made


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    made = Manager(tmp_path)
    yield made
    made.close()


def test_sigterm_leaves_within_two_seconds_and_everything_is_committed(place: Place) -> None:
    with place.daemon() as process:
        until(lambda: place.sampled(3), "three commits")
        asked = time.monotonic()
        assert terminated(process) == 0
        assert time.monotonic() - asked < 2
    said = [json.loads(line) for line in place.truth.read_text().splitlines()]
    answers = sum(s["channel"] == "air/temperature" for s in said)
    assert kept(place)["air/temperature"] >= answers - 1, "all but a read that was under way"


def kept(place: Place) -> dict[str, int]:
    """How many readings of each channel a new process finds on the disk, sealed."""
    groups = sensors.groups(load(place.config))
    spool = reopened(place)
    assert spool.stats().window_readings == 0, "SIGTERM seals the open window"
    found = dict.fromkeys((c.name for g in groups.values() for c in g.channels), 0)
    spool.outbox.begin_session()
    for sealed in spool.outbox.take(live=False, limit=64):
        batch = decode(sealed.data)
        for group in getattr(batch, "groups", ()):
            for channel in groups[group.gid].channels:
                found[channel.name] += group.n
    spool.close()
    return found


def reopened(place: Place) -> Spool:
    """The spool that a daemon left behind."""
    config = load(place.config)
    options = parts.spool_options(config)
    return Spool.open(options, bytes.fromhex(NODE), sensors.groups(config), SystemClock(1000))


def boots(place: Place) -> list[object]:
    """The causes of all boot events on the disk."""
    spool = reopened(place)
    spool.outbox.begin_session()
    batches = [decode(sealed.data) for sealed in spool.outbox.take(live=False, limit=64)]
    spool.close()
    events = [event for batch in batches for event in getattr(batch, "events", ())]
    return [event.value for event in events if event.code == EventCode.BOOT]


def test_a_boot_is_told_once_with_its_cause_and_a_restart_is_none(place: Place) -> None:
    for _ in range(2):
        with place.daemon() as process:
            until(place.sampled, "a commit")
            assert terminated(process) == 0
    assert boots(place) == [BootCause.FIRST]


def test_a_boot_is_told_although_the_daemon_is_killed_before_it_is_durable(place: Place) -> None:
    with place.daemon() as process:
        process.kill()
    with place.daemon() as process:
        until(place.sampled, "a commit")
        assert terminated(process) == 0
    assert boots(place) == [BootCause.FIRST]


def drained(place: Place, *words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "edgenode", "run", "--config", str(place.config), "--drain"]
    return subprocess.run([*program, *words], capture_output=True, text=True, check=False)


def test_draining_a_node_that_holds_nothing_is_done_at_once(tmp_path: Path) -> None:
    done = drained(Place(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("drained: 0 batches sent")


def test_draining_to_nowhere_is_refused_with_what_to_write(place: Place) -> None:
    text = place.config.read_text()
    broker = text[text.index("[[uplink.broker]]") : text.index("[[bus]]")]
    place.config.write_text(text.replace(broker, ""))
    done = drained(place)
    assert done.returncode == 1
    assert "no broker is named: write a [[uplink.broker]] table" in done.stderr


def test_draining_without_a_city_says_what_is_left_and_keeps_it(place: Place) -> None:
    with place.daemon() as process:
        until(place.sampled, "a commit")
        assert terminated(process) == 0
    before = kept(place)
    done = drained(place, "--timeout", "1")
    assert done.returncode == 1
    assert "are not acknowledged" in done.stderr
    assert kept(place) == before


def test_ready_is_told_once_the_first_sample_is_durable(place: Place, manager: Manager) -> None:
    with place.daemon(NOTIFY_SOCKET=str(manager.path)) as process:
        until(lambda: "READY=1" in manager.heard, "READY=1")
        assert place.sampled()
        assert terminated(process) == 0
    assert manager.heard[-1] == "STOPPING=1"
    assert any(message.startswith("STATUS=") for message in manager.heard)


def test_what_ready_vouches_for_is_a_sample_and_survives_a_kill(
    place: Place, manager: Manager
) -> None:
    for sensor in ("air", "loop"):  # long enough for a commit of events alone to come first
        send_command(place.directory / "command", sensor, "hang")
    with place.daemon(NOTIFY_SOCKET=str(manager.path)) as process:
        until(lambda: "READY=1" in manager.heard, "READY=1")
        process.kill()
        process.wait()
    reopened(place).close()  # seals what is on the disk
    assert any(kept(place).values())


def test_a_node_whose_instruments_are_all_missing_starts_and_says_so(
    tmp_path: Path, manager: Manager
) -> None:
    place = Place(tmp_path)
    with place.daemon(NOTIFY_SOCKET=str(manager.path)) as process:
        until(lambda: "READY=1" in manager.heard, "READY=1 with no instrument at all")
        until(lambda: (place.status() or {})["health"] == "degraded", "degraded")
        keys = {problem["key"] for problem in (place.status() or {})["problems"]}
        assert {"sensor air", "sensor loop"} <= keys
        assert terminated(process) == 0


def test_a_bus_that_hangs_is_told_and_does_not_hold_up_the_end(place: Place) -> None:
    with place.daemon() as process:
        until(place.sampled, "a commit")
        send_command(place.directory / "command", "air", "hang")
        until(lambda: "sensor air" in str(place.status()), "a sensor that hangs is told")
        before = (place.status() or {})["spool"]["commits"]
        until(lambda: place.sampled(before + 3), "the other bus goes on")
        asked = time.monotonic()
        assert terminated(process) == 0
        assert time.monotonic() - asked < 2


def test_the_watchdog_is_fed_by_progress(place: Place, manager: Manager) -> None:
    with place.daemon(NOTIFY_SOCKET=str(manager.path), WATCHDOG_USEC="60000000"):
        until(lambda: manager.heard.count("WATCHDOG=1") >= 3, "a fed watchdog")


def test_a_daemon_that_is_stopped_dead_feeds_nothing(place: Place, manager: Manager) -> None:
    with place.daemon(NOTIFY_SOCKET=str(manager.path)) as process:
        until(lambda: "WATCHDOG=1" in manager.heard, "a fed watchdog")
        process.send_signal(signal.SIGSTOP)
        time.sleep(0.1)
        fed = manager.heard.count("WATCHDOG=1")
        time.sleep(2.5)
        assert manager.heard.count("WATCHDOG=1") == fed
        process.send_signal(signal.SIGCONT)
        until(lambda: manager.heard.count("WATCHDOG=1") > fed, "fed again")


def test_two_daemons_do_not_share_a_state_directory(place: Place) -> None:
    with place.daemon():
        until(place.sampled, "a commit")
        with place.daemon() as second:
            assert second.wait(10) == 1
        assert "another edgenode keeps its spool here" in place.log()
        assert place.status() is not None, "the first goes on"


def test_a_state_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    place = Place(tmp_path)
    with place.daemon() as process:
        assert process.wait(10) == 1
    assert "set node.state" in place.log()


def test_a_node_without_its_control_socket_samples_all_the_same(
    place: Place, manager: Manager
) -> None:
    place.socket.mkdir()
    with place.daemon(NOTIFY_SOCKET=str(manager.path)) as process:
        until(lambda: "READY=1" in manager.heard, "READY=1")
        assert terminated(process) == 0
    assert "no control socket here" in place.log()
