"""A disk that is really full, and one that has become read-only: degraded, never an exit."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgenode.reading import Channel, EventCode, Group, Sample
from edgenode.spool import Spool, SpoolOptions
from edgenode.wire import Batch, decode
from tests.disk.child import in_child
from tests.disk.ledger import Ledger, content
from tests.disk.witness import drain
from tests.disk.workload import NODE, clock_of
from tests.support.clock import FakeClock
from tests.support.disks import loop_device, make_ext4, mounted, run, tmpfs

pytestmark = pytest.mark.root

CHANNELS = 20
GROUPS = {1: Group(1, tuple(Channel(f"a/c{n}", "count") for n in range(CHANNELS)))}
DISK_BYTES = 16 << 20
SMALL_BYTES = 6 << 20
PAST = 28_000  # seconds in which noise takes more than the small disk
SECONDS = 12_000
NOISE = 1 << 45  # values that no code can make small: about 6 bytes each


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with tmpfs(tmp_path / "disk", DISK_BYTES) as directory:
        yield directory


def options(directory: Path, *, pregrow: bool, cap_mb: int = 2) -> SpoolOptions:
    return SpoolOptions(directory / "spool", cap_bytes=cap_mb << 20, pregrow=pregrow)


def fill(disk: Path) -> Path:
    """Take every byte that is left."""
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file:
        for size in (1 << 16, 4096, 1):
            with suppress(OSError):
                while file.write(bytes(size)):
                    pass
    return filler


def sample(spool: Spool, clock: FakeClock, seconds: int, rng: random.Random) -> int:
    """Append noise each second, doing what is due; return how many readings."""
    due = 0
    for _ in range(seconds):
        clock.advance(1_000)
        values = tuple(float(rng.randrange(NOISE)) for _ in range(CHANNELS))
        spool.append(1, clock.boot_ms(), Sample(values))
        if clock.boot_ms() >= due:
            due = spool.step()
    return seconds * CHANNELS


def account(spool: Spool) -> dict[str, Any]:
    """Drain the spool and add up what it held and what it says is lost."""
    ledger, codes = Ledger(), list[int]()
    for data in drain(spool).values():
        batch = decode(data)
        assert isinstance(batch, Batch)
        unpacked = content(data, spool.outbox.birth(batch.schema) or b"")
        ledger.add(unpacked)
        codes += unpacked.codes
    came, lost = ledger.came(0), ledger.lost(0)
    return {"came": came, "lost": lost, "problems": ledger.problems(), "codes": codes}


def settle(spool: Spool, clock: FakeClock) -> None:
    """Let an uplink come and a whole window pass, so that all that was appended can be taken."""
    spool.outbox.begin_session()
    for _ in range(75):
        clock.advance(1_000)
        spool.step()


def run_full(disk: Path, *, pregrow: bool) -> dict[str, Any]:
    """Open, fill the disk, sample far past the cap, free the disk, and account for all."""
    clock, rng = clock_of(0), random.Random(1)
    spool = Spool.open(options(disk, pregrow=pregrow), NODE, GROUPS, clock)
    appended = sample(spool, clock, 100, rng)
    filler = fill(disk)
    appended += sample(spool, clock, SECONDS, rng)
    degraded = spool.stats().degraded
    filler.unlink()
    appended += sample(spool, clock, 700, rng)
    recovered = not spool.stats().degraded
    settle(spool, clock)
    found = account(spool)
    return found | {"appended": appended, "degraded": degraded, "recovered": recovered}


@pytest.mark.parametrize("pregrow", [True, False], ids=["pre-grown", "growing"])
def test_on_a_full_disk_the_oldest_goes_and_every_reading_is_sent_or_told_as_lost(
    disk: Path, *, pregrow: bool
) -> None:
    found = in_child(partial(run_full, disk, pregrow=pregrow))
    assert found["problems"] == []
    assert found["lost"] > 0
    assert found["came"] > 0
    assert found["came"] + found["lost"] == found["appended"]
    assert found["recovered"]


def test_a_store_grown_beforehand_is_not_degraded_by_a_disk_that_others_fill(disk: Path) -> None:
    found = in_child(partial(run_full, disk, pregrow=True))
    assert found["degraded"] == ""
    assert EventCode.SPOOL_DEGRADED not in found["codes"]


def run_small(disk: Path, *, pregrow: bool) -> dict[str, Any]:
    """Ask for four times what the disk has, and sample far past it without a link."""
    clock, rng = clock_of(0), random.Random(4)
    spool = Spool.open(options(disk, pregrow=pregrow, cap_mb=24), NODE, GROUPS, clock)
    appended = sample(spool, clock, 500, rng)
    early = spool.stats()
    appended += sample(spool, clock, PAST, rng)
    settle(spool, clock)
    stats = spool.stats()
    return account(spool) | {
        "appended": appended,
        "early": early.degraded,
        "used": early.used_bytes,
        "degraded": stats.degraded,
        "cap": stats.cap_bytes,
        "short": stats.cap_short_bytes,
        "overflow": stats.overflow_readings,
    }


@pytest.mark.parametrize("pregrow", [True, False], ids=["pre-grown", "growing"])
def test_a_cap_beyond_the_disk_costs_the_oldest_and_never_the_newest(
    tmp_path: Path, *, pregrow: bool
) -> None:
    with tmpfs(tmp_path / "small", SMALL_BYTES) as disk:
        found = in_child(partial(run_small, disk, pregrow=pregrow))
    assert (found["early"], found["degraded"]) == ("", "")
    assert found["used"] >= 0
    assert found["problems"] == []
    assert found["overflow"] == 0
    assert found["lost"] > 0
    assert found["came"] + found["lost"] == found["appended"]
    if pregrow:
        assert found["cap"] < SMALL_BYTES
        assert found["short"] > 3 * SMALL_BYTES


def run_without_disk(disk: Path, life: int) -> dict[str, Any]:
    """Open where nothing can be written, and work."""
    clock = clock_of(life)
    spool = Spool.open(options(disk, pregrow=True), NODE, GROUPS, clock)
    appended = sample(spool, clock, 60, random.Random(2))
    degraded = spool.stats().degraded
    settle(spool, clock)
    return account(spool) | {"appended": appended, "degraded": degraded}


def test_a_spool_born_on_a_full_disk_works_in_memory_says_so_and_is_well_at_the_next_start(
    disk: Path,
) -> None:
    filler = fill(disk)
    found = in_child(partial(run_without_disk, disk, 0))
    assert "starts anew" in found["degraded"]
    assert found["problems"] == []
    assert found["came"] == found["appended"]
    assert EventCode.SPOOL_DEGRADED in found["codes"]
    filler.unlink()
    after = in_child(partial(run_without_disk, disk, 1))
    assert after["degraded"] == ""
    assert after["came"] == after["appended"]


def run_then_leave(disk: Path) -> int:
    """Work for a while and leave as after a power cut; return how many readings are committed."""
    clock = clock_of(0)
    spool = Spool.open(options(disk, pregrow=True), NODE, GROUPS, clock)
    appended = sample(spool, clock, 200, random.Random(3))
    clock.advance(10_000)
    spool.step()
    return appended


def test_on_a_read_only_disk_the_spool_works_in_memory_and_costs_nothing_committed_before(
    disk: Path,
) -> None:
    before = in_child(partial(run_then_leave, disk))
    run("mount", "-o", "remount,ro", disk)
    found = in_child(partial(run_without_disk, disk, 1))
    assert "starts anew" in found["degraded"]
    assert EventCode.SPOOL_DEGRADED in found["codes"]
    assert found["came"] == found["appended"]
    run("mount", "-o", "remount,rw", disk)
    after = in_child(partial(run_without_disk, disk, 2))
    assert after["degraded"] == ""
    assert after["problems"] == []
    assert after["came"] == before + after["appended"]


def run_until_error(disk: Path, device: str) -> dict[str, Any]:
    """Work, let the file system meet an error and turn read-only, and work on in memory."""
    clock, rng = clock_of(0), random.Random(6)
    spool = Spool.open(options(disk, pregrow=True), NODE, GROUPS, clock)
    committed = sample(spool, clock, 100, rng)
    clock.advance(10_000)
    spool.step()
    Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("a test", encoding="ascii")
    sample(spool, clock, SECONDS, rng)
    stats = spool.stats()
    return {
        "committed": committed,
        "degraded": stats.degraded,
        "ring": stats.window_readings,
        "overflow": stats.overflow_readings,
    }


def reopen(disk: Path) -> dict[str, Any]:
    """Open after the repair and account for what is there."""
    clock = clock_of(1)
    spool = Spool.open(options(disk, pregrow=True), NODE, GROUPS, clock)
    sample(spool, clock, 10, random.Random(7))
    settle(spool, clock)
    return account(spool)


def test_a_file_system_that_turns_read_only_degrades_the_spool_and_costs_nothing_committed(
    tmp_path: Path,
) -> None:
    make_ext4(tmp_path / "image", DISK_BYTES * 2)
    with loop_device(tmp_path / "image") as device:
        with mounted(device, tmp_path / "disk", "errors=remount-ro") as disk:
            name = device.removeprefix("/dev/")
            found = in_child(partial(run_until_error, disk, name))
        run("e2fsck", "-fy", device, ok=(0, 1))
        with mounted(device, tmp_path / "disk") as disk:
            after = in_child(partial(reopen, disk))
    assert found["degraded"]
    assert found["overflow"] > 0, "the ring in memory has no bound"
    assert after["problems"] == []
    assert after["came"] + after["lost"] >= found["committed"] + 10 * CHANNELS
    assert after["lost"] == 0
