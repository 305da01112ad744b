"""What RAUC says about the two systems on the card, as values; nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from edgenode.errors import NodeError

ROOT = "rootfs"  # the class of the slots that have a bootname; deploy/ota/system.conf


@dataclass(frozen=True, slots=True)
class Slot:
    """One system: its bootname (A or B), what was installed there, whether it has proved good."""

    name: str
    good: bool
    version: str = ""  # empty: flashed with the card, not installed
    installed: str = ""  # ISO 8601, by the clock of the moment
    whole: bool = True  # false: an installation began and did not finish


@dataclass(frozen=True, slots=True)
class Slots:
    """Both systems. `primary` is what an ordered reboot leads to."""

    compatible: str
    booted: Slot
    other: Slot
    primary: str

    @property
    def trying(self) -> bool:
        """Whether the system that runs has still to prove good."""
        return not self.booted.good

    @property
    def armed(self) -> bool:
        """Whether the other system is to be tried at the next reboot."""
        return not self.trying and self.primary == self.other.name


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a bundle says of itself, once its signature held."""

    compatible: str
    version: str


def slots_of(told: Mapping[str, Any]) -> Slots:
    """Read `rauc status --detailed --output-format=json` (RAUC 1.8); raises NodeError."""
    try:
        rows = [(name, row) for part in told["slots"] for name, row in part.items()]
        roots = {name: row for name, row in rows if row["class"] == ROOT}
        whole = {
            name: all(_whole(row) for own, row in rows if _of(own, row, name)) for name in roots
        }
        found = {name: _slot(row, whole=whole[name]) for name, row in roots.items()}
        (booted,) = [found[name] for name, row in roots.items() if row["state"] == "booted"]
        (other,) = [slot for slot in found.values() if slot is not booted]
        primary = found[told["boot_primary"]].name if told.get("boot_primary") else booted.name
        return Slots(str(told["compatible"]), booted, other, primary)
    except (KeyError, TypeError, ValueError, AttributeError) as exc:
        raise NodeError(
            f"rauc status tells of no two slots of which one runs ({exc}): "
            "look at /etc/rauc/system.conf and for rauc.slot= in /proc/cmdline"
        ) from exc


def _of(own: str, row: Mapping[str, Any], root: str) -> bool:
    return root in (own, row.get("parent"))


def _whole(row: Mapping[str, Any]) -> bool:
    """Whether nothing was begun in this slot and left unfinished."""
    status = (row.get("slot_status") or {}).get("status")
    return status in {None, "ok"}


def _slot(row: Mapping[str, Any], *, whole: bool) -> Slot:
    status = row.get("slot_status") or {}
    return Slot(
        name=str(row["bootname"]),
        good=row.get("boot_status") == "good",
        version=str((status.get("bundle") or {}).get("version") or ""),
        installed=str((status.get("installed") or {}).get("timestamp") or ""),
        whole=whole,
    )


def bundle_of(told: Mapping[str, Any]) -> Bundle:
    """Read `rauc info --output-format=json`; raises NodeError."""
    compatible, version = told.get("compatible"), told.get("version")
    if not (isinstance(compatible, str) and isinstance(version, str) and compatible and version):
        raise NodeError("the bundle says neither what it fits nor its version: have it made anew")
    return Bundle(compatible, version)


def older(one: str, two: str) -> bool:
    """Whether version `one` is older than `two`: numbers as numbers, and "1.0~rc1" before "1.0".

    The order of Debian's versions (deb-version(7)) without epochs.
    """
    for left, right in zip_longest(_pieces(one), _pieces(two), fillvalue=("", 0)):
        if left != right:
            return (_rank(left[0]), left[1]) < (_rank(right[0]), right[1])
    return False


def _pieces(version: str) -> list[tuple[str, int]]:
    return [
        (text, int(digits or 0)) for text, digits in re.findall(r"([^0-9]*)([0-9]*)", version)[:-1]
    ]


def _rank(text: str) -> list[int]:
    """Sort as dpkg does: a tilde before the end, the end before letters, letters before others."""
    return [-1 if c == "~" else ord(c) + (0 if c.isalpha() else 256) for c in text] + [0]
