"""Open lines that outlive their driver and the daemon: the file descriptor store of systemd.

Protocol: sd_notify(3) (FDSTORE, FDSTOREREMOVE, FDNAME, BARRIER) and sd_listen_fds(3). What is
kept comes back at the next start as descriptors 3, 4, … with their names in LISTEN_FDNAMES, and
stays in the store until it is removed or its other end hangs up.

The name of a descriptor is `<line>.<total>.<index>.<of>`: the name that edgenode.bus gives the
line, the total at which it began to count, and which of its descriptors this is.
"""

from __future__ import annotations

import os
import re
import select
import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final, NamedTuple

from edgenode.bus import Kept
from edgenode.bus.store import place

FIRST: Final = 3  # SD_LISTEN_FDS_START
BARRIER_S: Final = 1.0  # systemd answers within milliseconds
NAME: Final = re.compile(r"([0-9a-f]+-[0-9a-f]+)\.(\d{1,20})\.(\d)\.(\d)")

Send = Callable[[str, Sequence[int]], bool]


class Part(NamedTuple):
    """One descriptor of a line, as its name tells."""

    line: str
    total: int
    number: int
    of: int

    def named(self) -> str:
        """Return the name under which systemd keeps it: no colon, below 255 characters."""
        return f"{self.line}.{self.total}.{self.number}.{self.of}"


class SystemdLines:
    """A LineStore over the socket of sd_notify; without systemd it keeps lines for this process.

    Made once, at the start, before anything else takes the descriptors. Any thread may call it.
    Each line is held by a descriptor of its own here, so that also a driver that is opened anew
    in the same process, as a reload does it, goes on with a line that is still alive.
    """

    def __init__(self, environ: Mapping[str, str], send: Send) -> None:
        self._send = send
        self._lock = threading.Lock()
        self._names: dict[str, list[str]] = {}  # by line, what systemd holds
        self._held: dict[str, Kept] = {}  # by line, what is open here
        self._receive(_passed(environ))

    def take(self, name: str) -> Kept | None:
        with self._lock:
            for other in [o for o in self._held if place(o) == place(name) and o != name]:
                self._let_go(other)
            kept = self._held.get(name)
            if kept is None or not _alive(kept.descriptors):
                return None
            return Kept(tuple(map(os.dup, kept.descriptors)), kept.total)

    def put(self, name: str, descriptors: tuple[int, ...], total: int) -> None:
        with self._lock:
            self._let_go(name)
            self._held[name] = Kept(tuple(map(os.dup, descriptors)), total)
            for index, descriptor in enumerate(descriptors):
                part = Part(name, total, index, len(descriptors)).named()
                if self._send(f"FDSTORE=1\nFDNAME={part}", [descriptor]):
                    self._names.setdefault(name, []).append(part)

    def drop(self, name: str) -> None:
        with self._lock:
            self._let_go(name)

    def close(self) -> None:
        """Close what is open here; what systemd holds stays there."""
        with self._lock:
            for kept in self._held.values():
                _close(kept.descriptors)
            self._held.clear()

    def retain(self, names: Collection[str]) -> None:
        """Let go of every line but these: a line that is no sensor any more is free again."""
        with self._lock:
            for name in [name for name in self._held if name not in names]:
                self._let_go(name)

    def _receive(self, passed: Sequence[tuple[int, str]]) -> None:
        """Sort what systemd handed over; what is not whole or not ours is closed and removed."""
        parts: dict[str, dict[int, tuple[Part, int]]] = {}
        foreign: list[str] = []
        for descriptor, name in passed:
            os.set_inheritable(descriptor, False)  # systemd cannot pass them close-on-exec
            found = NAME.fullmatch(name)
            part = Part(found[1], *map(int, found.groups()[1:])) if found else None
            if part is None or part.number in parts.get(part.line, {}):
                os.close(descriptor)
                foreign.append(name)
                continue
            parts.setdefault(part.line, {})[part.number] = part, descriptor
        for name in foreign:
            self._send(f"FDSTOREREMOVE=1\nFDNAME={name}", ())
        for line, found_parts in parts.items():
            self._sort(line, [found_parts[index] for index in sorted(found_parts)])

    def _sort(self, line: str, parts: list[tuple[Part, int]]) -> None:
        self._names[line] = [part.named() for part, _ in parts]
        first = parts[0][0]
        self._held[line] = Kept(tuple(fd for _, fd in parts), first.total)
        whole = [(first.total, index, len(parts)) for index in range(len(parts))]
        if [(part.total, part.number, part.of) for part, _ in parts] != whole:
            self._let_go(line)

    def _let_go(self, name: str) -> None:
        """Close what is open here and have systemd close the rest, before this returns."""
        kept = self._held.pop(name, None)
        _close(kept.descriptors if kept else ())
        parts = self._names.pop(name, [])
        for part in parts:
            self._send(f"FDSTOREREMOVE=1\nFDNAME={part}", ())
        if parts:
            self._barrier()

    def _barrier(self) -> None:
        """Wait until systemd has worked off what was sent; sd_notify_barrier(3)."""
        reader, writer = os.pipe2(os.O_CLOEXEC)
        try:
            sent = self._send("BARRIER=1", [writer])
        finally:
            os.close(writer)
        try:
            if sent:
                poll = select.poll()
                poll.register(reader, 0)  # its hang-up is the answer
                poll.poll(BARRIER_S * 1000)
        finally:
            os.close(reader)


def _alive(descriptors: Sequence[int]) -> bool:
    """Whether the other end of each is there: a chip that is gone hangs up."""
    poll = select.poll()
    for descriptor in descriptors:
        poll.register(descriptor, 0)
    return not poll.poll(0)


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


def _passed(environ: Mapping[str, str]) -> list[tuple[int, str]]:
    """Return the descriptors that systemd passed to this process, with their names."""
    count = environ.get("LISTEN_FDS", "")
    if environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdecimal():
        return []
    names = environ.get("LISTEN_FDNAMES", "").split(":")
    names += ["unknown"] * (int(count) - len(names))
    return [(FIRST + index, names[index]) for index in range(int(count))]
