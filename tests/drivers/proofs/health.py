"""What proves the driver of the machine's own health."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from drivers import health, health_card, health_certificate
from drivers.health import Health, HealthOptions
from edgenode.bus import open_tree
from tests.drivers.known_health import MUTANTS, OF_THE_CARD, card_holds, known_answers_hold
from tests.drivers.known_health_certificate import (
    FILE,
    LONG_LIVED,
    OF_THE_CERTIFICATE,
    certificate_holds,
)
from tests.support.beds import Bed, Files, Wire
from tests.support.proofs import FRAMES, Agreement, Mutants, Oracle, Proof

# A Raspberry Pi with an eMMC and a radio, its long files as long as there. The processor is busy.
BOARD = {
    "proc/meminfo": "MemTotal: 3884352 kB\nMemFree: 2913468 kB\nMemAvailable: 3409784 kB\n"
    + "".join(f"Other{n}: {n * 1000} kB\n" for n in range(45)),
    "proc/stat": "cpu  {ticks} 0 40412 8032420 5092 0 1234 0 0 0\n"
    + "".join(f"cpu{n} 25431 0 10103 2008105 1273 0 308 0 0 0\n" for n in range(4)),
    "proc/uptime": "20471.87 80324.20",
    "proc/net/wireless": "Inter-| sta-| Quality\n face | tus | link level noise\n"
    " wlan0: 0000   54.  -56.  -256        0      0      0      0     66        0",
    "proc/self/mountinfo": "24 1 179:2 / / rw,noatime - ext4 /dev/root rw",
    "sys/block/mmcblk0/dev": "179:0",
    "sys/block/mmcblk0/mmcblk0p2/dev": "179:2",
    "sys/block/mmcblk0/stat": "14532 5120 1203456 18233 90321 71002 2903124 401233 0 9000 419466",
    "sys/block/mmcblk0/device/life_time": "0x01 0x02",
    "sys/block/mmcblk0/device/pre_eol_info": "0x01",
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "47236",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0",
    FILE: LONG_LIVED,
}
NAMES = [channel.name for channel in Health.channels]
MEMORY, BUSY = NAMES.index("memory_available"), NAMES.index("cpu_busy")


def part(bed: Bed) -> Wire:
    """Be that board."""
    return Files(bed, BOARD)


def as_psutil() -> Iterator[Agreement]:
    """Let both read the same files of a kernel, memory and ticks of the processor."""
    import psutil  # type: ignore[import-untyped] # noqa: PLC0415 - the suite watches it run

    chance = random.Random(1)
    with TemporaryDirectory() as root, patch.object(psutil, "PROCFS_PATH", f"{root}/proc"):
        proc = Path(root, "proc")
        proc.mkdir()
        ticks = [chance.randrange(1000) for _ in range(10)]
        _kernel(proc, ticks, chance)
        driver = Health(open_tree(root), HealthOptions())
        before = psutil.cpu_times()
        for _ in range(FRAMES):
            ticks = [was + chance.randrange(500) for was in ticks]
            text = _kernel(proc, ticks, chance)
            now = psutil.cpu_times()
            values = driver.read(0).values
            theirs = (psutil.virtual_memory().available, _busy(before, now))
            yield Agreement(text, (values[MEMORY], values[BUSY]), theirs, (0, 0.01))
            before = now


def _kernel(proc: Path, ticks: list[int], chance: random.Random) -> bytes:
    """Write what a kernel says, and return it."""
    total = chance.randrange(1 << 19, 1 << 23)
    free, cached, buffers = (chance.randrange(total // 4) for _ in range(3))
    sizes = {"MemTotal": total, "MemFree": free, "MemAvailable": chance.randrange(total)}
    sizes |= {"Buffers": buffers, "Cached": cached, "Shmem": 1, "Active": 2, "Inactive": 3}
    sizes |= {"Slab": 4, "SReclaimable": 5}
    meminfo = "".join(f"{name}: {size} kB\n" for name, size in sizes.items())
    # Guest time, the last two columns, is in user and nice already.
    user, nice, system, idle, wait, irq, soft, steal, guest, guest_nice = ticks
    columns = (user + guest, nice + guest_nice, system, idle, wait, irq, soft, steal)
    stat = f"cpu  {' '.join(map(str, (*columns, guest, guest_nice)))}\nbtime 1700000000\n"
    (proc / "meminfo").write_text(meminfo)
    (proc / "stat").write_text(stat)
    return (meminfo + stat).encode()


def _busy(before: tuple[float, ...], now: tuple[float, ...]) -> float:
    """Return the share of time that was not idle and did not wait for a disk, in %.

    The first eight of psutil's times: user, nice, system, idle, iowait, irq, softirq, steal.
    """
    passed = [after - was for after, was in zip(now, before, strict=True)][:8]
    return 100 * (sum(passed) - passed[3] - passed[4]) / sum(passed)


PROOFS = (
    Proof(
        driver="health",
        part=part,
        options={},
        against=(Oracle("psutil", "psutil", as_psutil),),
        known="files of three boards, in the formats of the kernel's documentation and code",
        mutants=(
            Mutants(health, tuple(MUTANTS), known_answers_hold),
            Mutants(health_card, tuple(OF_THE_CARD), card_holds),
            Mutants(health_certificate, tuple(OF_THE_CERTIFICATE), certificate_holds),
        ),
        damage="a file of the kernel has no checksum, and nothing on its way that could flip a bit",
        found="^this machine itself",
        every_ms=60_000,
    ),
)
