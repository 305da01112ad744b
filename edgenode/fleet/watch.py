"""CPU and memory of processes, out of /proc; and who listens on a port or holds a file open."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

TICKS: Final = os.sysconf("SC_CLK_TCK")
PAGE: Final = os.sysconf("SC_PAGE_SIZE")
LISTEN: Final = "0A"  # TCP_LISTEN of include/net/tcp_states.h, as /proc/net/tcp shows it
_UTIME, _STIME, _RSS = 11, 12, 21  # fields of /proc/PID/stat behind the name: proc_pid_stat(5)


class Usage(NamedTuple):
    """CPU seconds since the start of processes that live, and bytes that are resident."""

    cpu_s: float
    rss: int


def usage(pids: Iterable[int]) -> Usage:
    """Return what processes use together; one that is gone uses nothing."""
    cpu, rss = 0, 0
    for pid in pids:
        with suppress(OSError):
            stat = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
            fields = stat.rpartition(")")[2].split()
            cpu += int(fields[_UTIME]) + int(fields[_STIME])
            rss += int(fields[_RSS]) * PAGE
    return Usage(cpu / TICKS, rss)


class Watch:
    """A group of processes, looked at again and again. `find` is asked when all are gone."""

    def __init__(self, find: Callable[[], Iterable[int]]) -> None:
        self._find = find
        self._pids: tuple[int, ...] = ()
        self._last = Usage(0.0, 0)

    def look(self, seconds: float) -> tuple[float, int] | None:
        """Return (cores in use since the last look, resident bytes); None where nobody is known."""
        alive = tuple(pid for pid in self._pids if Path(f"/proc/{pid}").exists())
        if not alive or alive != self._pids:
            self._pids = tuple(self._find())
            self._last = usage(self._pids)
            return (0.0, self._last.rss) if self._pids else None
        before, self._last = self._last, usage(self._pids)
        return max(0.0, self._last.cpu_s - before.cpu_s) / seconds, self._last.rss


def listeners(ports: Iterable[int]) -> list[int]:
    """Return the processes of ours that listen on one of these TCP ports."""
    inodes = set(_inodes({f"{port:04X}" for port in ports}))
    return [pid for pid, link in _links() if link in inodes]


def holders(path: Path) -> list[int]:
    """Return the processes of ours that hold a file open."""
    real = str(path.resolve())
    return sorted({pid for pid, link in _links() if link == real and pid != os.getpid()})


def receivers(city: Path | str) -> list[int]:
    """Return the receivers of a sink: who holds its file, or was started with its URL."""
    if isinstance(city, Path):
        return holders(city)
    wanted = {b"receive", city.encode()}
    return [pid for pid in _pids() if pid != os.getpid() and wanted <= set(_words(pid))]


def families(pids: Iterable[int]) -> list[int]:
    """Return processes with all that descend from them."""
    found = list(pids)
    for pid in found:  # it grows meanwhile
        with suppress(OSError):
            text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
            found += map(int, text.split())
    return found


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _words(pid: int) -> list[bytes]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    return []


def _inodes(ports: set[str]) -> Iterator[str]:
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError):
            for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
                fields = line.split()
                if fields[3] == LISTEN and fields[1].rpartition(":")[2] in ports:
                    yield f"socket:[{fields[9]}]"


def _links() -> Iterator[tuple[int, str]]:
    for pid in _pids():
        with suppress(OSError):
            for link in Path(f"/proc/{pid}/fd").iterdir():
                with suppress(OSError):
                    yield pid, str(link.readlink())
