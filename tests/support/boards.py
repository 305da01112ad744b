"""What the kernels of some boards say, as far as node health asks; a Tree over it.

Hand-made after public sources: formats from the kernel's own documentation and code, which
drivers/health.py names; magnitudes from public reports of such boards.
"""

from __future__ import annotations

from dataclasses import dataclass, field

STAT_RPI = " 12345  6789  987654  43210  22222  33333  4194304  98765  0  55555  141975"
MEMINFO_RPI = """\
MemTotal:        3884372 kB
MemFree:         2962152 kB
MemAvailable:    3415100 kB
Buffers:           44328 kB"""
CPU = "cpu  1000 50 500 90000 400 0 50 0 300 0\ncpu0 250 12 125 22500 100 0 12 0 75 0\nintr 12345 0"
WIRELESS = """\
Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   61.  -49.  -256        0      0      0      0     11        0"""
MOUNTS_RPI = """\
24 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw
25 24 0:22 / /proc rw,relatime shared:12 - proc proc rw
31 24 179:1 / /boot/firmware rw,relatime shared:20 - vfat /dev/mmcblk0p1 rw"""

PI4 = {  # Raspberry Pi 4, SD card, the kernel of Raspberry Pi OS
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "48686",
    "sys/devices/platform/soc/soc:firmware/get_throttled": "0",
    "sys/block/mmcblk0/dev": "179:0",
    "sys/block/mmcblk0/stat": STAT_RPI,
    "sys/block/mmcblk0/device/type": "SD",
    "sys/block/mmcblk0/mmcblk0p1/dev": "179:1",
    "sys/block/mmcblk0/mmcblk0p2/dev": "179:2",
    "proc/meminfo": MEMINFO_RPI,
    "proc/stat": CPU,
    "proc/uptime": "350735.47 234388.90",
    "proc/net/wireless": WIRELESS,
    "proc/self/mountinfo": MOUNTS_RPI,
}
CM4 = {  # Compute Module 4 with eMMC, the kernel of Debian: no get_throttled, no radio in use
    "sys/class/thermal/thermal_zone0/type": "cpu-thermal",
    "sys/class/thermal/thermal_zone0/temp": "61342",
    "sys/class/hwmon/hwmon0/name": "cpu_thermal",
    "sys/class/hwmon/hwmon1/name": "rpi_volt",
    "sys/class/hwmon/hwmon1/in0_lcrit_alarm": "0",
    "sys/block/mmcblk0/dev": "179:0",
    "sys/block/mmcblk0/stat": STAT_RPI,
    "sys/block/mmcblk0/device/life_time": "0x01 0x02",
    "sys/block/mmcblk0/device/pre_eol_info": "0x01",
    "sys/block/mmcblk0/mmcblk0p2/dev": "179:2",
    "proc/meminfo": MEMINFO_RPI,
    "proc/stat": CPU,
    "proc/uptime": "12.50 40.01",
    "proc/net/wireless": "\n".join(WIRELESS.splitlines()[:2]),
    "proc/self/mountinfo": MOUNTS_RPI,
}
WHOLE = {**CM4, **PI4}  # a board that has everything
PC = {  # an x86 machine: several zones, data on the second disk
    "sys/class/thermal/thermal_zone0/type": "acpitz",
    "sys/class/thermal/thermal_zone0/temp": "27800",
    "sys/class/thermal/thermal_zone1/type": "x86_pkg_temp",
    "sys/class/thermal/thermal_zone1/temp": "55000",
    "sys/block/nvme0n1/dev": "259:0",
    "sys/block/nvme0n1/stat": "1 0 8 0 2 0 16 0 0 0 0",
    "sys/block/nvme0n1/nvme0n1p1/dev": "259:1",
    "sys/block/sda/dev": "8:0",
    "sys/block/sda/stat": "1 0 8 0 7 0 1000 0 0 0 0 0 0 0 0 0 0",
    "sys/block/sda/sda1/dev": "8:1",
    "proc/meminfo": "MemTotal:       16303872 kB\nMemAvailable:   12000000 kB",
    "proc/stat": CPU,
    "proc/uptime": "86400.00 300000.00",
    "proc/self/mountinfo": """\
24 1 259:1 / / rw,relatime - ext4 /dev/nvme0n1p1 rw
40 24 8:1 / /var/lib rw,relatime - ext4 /dev/sda1 rw""",
}


@dataclass
class FakeTree:
    """A Tree over a mapping of paths to texts, which a test may change as time goes by."""

    files: dict[str, str] = field(default_factory=dict)
    works: bool = False  # each look at proc/stat finds a busy second of one core more
    free: int | None = 12_345_678_000
    error_ms: int | None = 7
    closed: bool = False

    def text(self, path: str) -> str | None:
        if self.works and path == "proc/stat":
            words = self.files[path].split()
            self.files[path] = " ".join([words[0], str(int(words[1]) + 100), *words[2:]])
        return self.files.get(path)

    def names(self, path: str) -> list[str]:
        inside = [name[len(path) + 1 :] for name in self.files if name.startswith(f"{path}/")]
        return sorted({name.split("/")[0] for name in inside})

    def free_bytes(self, path: str) -> int | None:
        return self.free if path.startswith("/") else None

    def clock_error_ms(self) -> int | None:
        return self.error_ms

    def close(self) -> None:
        self.closed = True
