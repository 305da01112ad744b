"""Debian's RAUC with the node's own configuration, backend and hook, over slots that are files."""

from __future__ import annotations

import copy
import shutil
import signal
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from edgenode import __version__
from edgenode.errors import NodeError
from edgenode.spool.confirmed import confirmed
from edgenode.update import record
from edgenode.update.confirm import Around, gate
from edgenode.update.gate import Limits
from edgenode.update.install import Site, install, rollback
from edgenode.update.rauc import Rauc
from tests.support.clock import FakeClock
from tests.support.documents import STATUS
from tests.update.conftest import Releases
from tests.update.machine import SLOTS, Machine

pytestmark = pytest.mark.root


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def well() -> dict[str, Any]:
    """A node that has delivered a batch before the first look, and delivers the next one."""
    return copy.deepcopy(STATUS)


def site(machine: Machine, clock: FakeClock, status: Mapping[str, Any] | None = STATUS) -> Site:
    return Site(Rauc(), machine.state, clock, lambda: status, lambda: False, lambda _: None)


def put(machine: Machine, clock: FakeClock, bundle: Path, *, downgrade: bool = False) -> None:
    with machine.booted():
        install(site(machine, clock), bundle, downgrade=downgrade)
    clock.reboot()


def judged(machine: Machine, clock: FakeClock, *, works: bool = True) -> bool:
    """Run the gate in the system that runs, on a node that does or does not deliver."""
    status = well()

    def pause(seconds: float) -> bool:
        clock.advance(round(seconds * 1000))
        if works:
            status["uplink"]["city_acks"] += 1
        return False

    around = Around(
        Rauc(), machine.state, clock, lambda: status, lambda: True, lambda: 0, pause,
        lambda _: None, Limits(),
    )  # fmt: skip
    return gate(around)


def test_a_bundle_is_tried_once_and_kept_when_the_node_proves_well(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    with machine.booted():
        assert machine.kernel() == "factory"
        install(site(machine, clock), releases.newer, downgrade=False)
        assert confirmed(machine.state, __version__)
        assert not confirmed(machine.state, "9.0")
        slots = Rauc().slots()
        assert slots.armed
        assert (slots.other.version, slots.other.good) == ("9.0", False)
    clock.reboot()
    with machine.booted(tryboot=True):
        assert machine.kernel() == "newer"
        assert Rauc().slots().trying
        assert judged(machine, clock)
        assert not Rauc().slots().trying
    with machine.booted():
        assert machine.kernel() == "newer"
    assert confirmed(machine.state, __version__)
    known = record.load(machine.state)
    assert known
    assert (known.stage, known.slot, known.version) == (record.GOOD, "B", "9.0")


def test_a_try_that_is_cut_leads_back_and_the_old_system_says_so(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    put(machine, clock, releases.newer)
    with machine.booted(tryboot=True):
        assert machine.kernel() == "newer"
    clock.reboot()
    with machine.booted():
        assert machine.kernel() == "factory"
        assert judged(machine, clock)
        slots = Rauc().slots()
    assert (slots.booted.name, slots.primary, slots.other.good) == ("A", "A", False)
    known = record.load(machine.state)
    assert known
    assert known.stage == record.RETURNED


def test_a_node_that_does_not_prove_well_goes_back(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    put(machine, clock, releases.newer)
    with machine.booted(tryboot=True):
        assert not judged(machine, clock, works=False)
    clock.reboot()
    with machine.booted():
        assert machine.kernel() == "factory"
        assert judged(machine, clock)
    known = record.load(machine.state)
    assert known
    assert "no batch has arrived" in known.why


def test_a_tampered_bundle_changes_nothing(
    machine: Machine, releases: Releases, clock: FakeClock, tmp_path: Path
) -> None:
    whole = releases.newer.read_bytes()
    payload = len(whole) - 8 - int.from_bytes(whole[-8:], "big")  # then the signature, its length
    bundles = []
    for at in (0, payload // 2, payload - 1, len(whole) - 9, len(whole) - 1):
        data = bytearray(whole)
        data[at] ^= 1
        bundles.append(tmp_path / f"{at}.raucb")
        bundles[-1].write_bytes(data)
    _refused_and_untouched(machine, clock, bundles, "[Ss]ignature|[Bb]undle|verify")


def test_a_bundle_of_another_signer_changes_nothing(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    _refused_and_untouched(machine, clock, [releases.foreign], "signature")


def test_a_bundle_for_another_machine_is_refused_here_and_by_rauc(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    _refused_and_untouched(machine, clock, [releases.other_kind], "is for edgenode-armhf")
    with machine.booted(), pytest.raises(NodeError, match=r"[Cc]ompatible"):
        Rauc().install(releases.other_kind, lambda _: None)


def test_an_older_version_must_be_asked_for(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    _refused_and_untouched(machine, clock, [releases.older], "--downgrade")
    put(machine, clock, releases.older, downgrade=True)
    with machine.booted(tryboot=True):
        assert machine.kernel() == "older"


def _refused_and_untouched(
    machine: Machine, clock: FakeClock, bundles: list[Path], why: str
) -> None:
    other = [machine.directory / name for name in SLOTS["B"]]
    before = [path.read_bytes() for path in other]
    with machine.booted():
        for bundle in bundles:
            with pytest.raises(NodeError, match=why):
                install(site(machine, clock), bundle, downgrade=False)
        slots = Rauc().slots()
    assert [path.read_bytes() for path in other] == before
    assert (slots.booted.name, slots.primary, slots.armed) == ("A", "A", False)
    assert machine.firmware(tryboot=False) == "A"


def test_the_formats_of_a_node_let_no_plain_bundle_in(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    conf = machine.directory / "system.conf"
    conf.write_text(conf.read_text().replace("plain verity", "verity"))
    _refused_and_untouched(machine, clock, [releases.newer], "[Bb]undle format")


def test_an_installation_that_is_killed_leaves_the_old_system_and_can_be_done_again(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    fifo = machine.directory / "root-b"
    fifo.unlink()
    subprocess.run(["mkfifo", fifo], check=True)  # a card that takes the first bytes and stalls
    with machine.booted():
        running = subprocess.Popen(("rauc", "install", releases.newer), stdout=subprocess.PIPE)
        with fifo.open("rb") as card:
            half = card.read(100_000)
            machine.service.send_signal(signal.SIGKILL)
        running.communicate()
    fifo.unlink()
    fifo.write_bytes(half.ljust(4 << 20, b"\0"))
    clock.reboot()
    assert machine.firmware(tryboot=False) == "A"
    with machine.booted():
        assert machine.kernel() == "factory"
        slots = Rauc().slots()
        assert (slots.primary, slots.other.good) == ("A", False)
        assert judged(machine, clock)
        install(site(machine, clock), releases.newer, downgrade=False)
    clock.reboot()
    with machine.booted(tryboot=True):
        assert machine.kernel() == "newer"


def test_while_a_system_is_tried_nothing_may_overwrite_the_one_that_comes_back(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    put(machine, clock, releases.newer)
    before = (machine.directory / "root-a").read_bytes()
    with machine.booted(tryboot=True):
        with pytest.raises(NodeError, match="still being tried"):
            install(site(machine, clock), releases.newer, downgrade=False)
        with pytest.raises(NodeError, match="non-bootable"):
            Rauc().install(releases.newer, lambda _: None)
    assert (machine.directory / "root-a").read_bytes() == before
    with machine.booted():
        assert machine.kernel() == "factory"


def test_after_an_update_one_can_go_back_and_that_is_a_try_too(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    put(machine, clock, releases.newer)
    with machine.booted(tryboot=True):
        assert judged(machine, clock)
        done, tried = rollback(site(machine, clock))
        assert tried, done
    clock.reboot()
    with machine.booted(tryboot=True):
        assert machine.kernel() == "factory"
        assert not judged(machine, clock, works=False)
    clock.reboot()
    with machine.booted():
        assert machine.kernel() == "newer"
        assert judged(machine, clock)
        with pytest.raises(NodeError, match="nothing that has proved good"):
            rollback(site(machine, clock))


def test_a_card_whose_boot_partition_cannot_be_read_keeps_no_system_for_good(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    put(machine, clock, releases.newer)
    with machine.booted(tryboot=True):
        (machine.boot / "autoboot.txt").unlink()
        with pytest.raises(NodeError, match="mark-good"):
            judged(machine, clock)


def test_the_hook_gives_each_boot_slot_its_own_root(
    machine: Machine, releases: Releases, clock: FakeClock
) -> None:
    assert machine.cmdline("A").strip().endswith("panic=10")
    put(machine, clock, releases.newer)
    assert machine.cmdline("B") == "console=tty1 panic=10 root=PARTUUID=ed9e0001-06 rauc.slot=B"
    with machine.booted(tryboot=True):
        assert judged(machine, clock)
    put(machine, clock, releases.newer)
    assert machine.cmdline("A") == "console=tty1 panic=10 root=PARTUUID=ed9e0001-05 rauc.slot=A"


def test_without_rauc_the_way_to_update_is_named(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shutil.which("rauc")
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(NodeError, match="by apt"):
        Rauc().slots()
