"""Whether there is a way out of this machine: a default route over a link that is up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

RTF_UP, RTF_REJECT = 0x0001, 0x0200  # linux/route.h
NOWHERE: Final = "00000000"
NOWHERE_6: Final = "0" * 32


def network(proc: Path = Path("/proc/net"), links: Path = Path("/sys/class/net")) -> bool:
    """Whether any default route, IPv4 or IPv6, leads over an interface with a carrier."""
    return any(_carries(links / name) for name in {*_ipv4(proc), *_ipv6(proc)})


def _ipv4(proc: Path) -> Iterator[str]:
    """Yield interfaces; a row has interface, destination, gateway, flags, and the mask as 8th."""
    for row in _rows(proc / "route"):
        if len(row) > 7 and row[1] == row[7] == NOWHERE and int(row[3], 16) & RTF_UP:
            yield row[0]


def _ipv6(proc: Path) -> Iterator[str]:
    """Yield interfaces; a row has destination and its length first, flags and interface last."""
    for row in _rows(proc / "ipv6_route"):
        if len(row) == 10 and row[0] == NOWHERE_6 and row[1] == "00":
            flags = int(row[8], 16)
            if flags & RTF_UP and not flags & RTF_REJECT:
                yield row[9]


def _rows(path: Path) -> Iterator[list[str]]:
    try:
        lines = path.read_text("ascii", errors="replace").splitlines()
    except OSError:
        return
    for line in lines:
        row = line.split()
        if row and row[0] != "Iface":
            yield row


def _carries(link: Path) -> bool:
    try:
        return link.name != "lo" and (link / "carrier").read_text("ascii").strip() == "1"
    except OSError:  # an interface that is down refuses to say
        return False
