"""Lines of registers as meters print them: an OBIS code, then values in parentheses.

IEC 62056-21 §6.5 (data block: `address(value*unit)`, several to a line) and IEC 62056-61 (the
codes A-B:C.D.E*F). Both DSMR P1 and the optical readout are made of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

GROUPS_MOST: Final = 64  # of one register: a log of failures has some twenty
CODE_MOST: Final = 40  # characters
REGISTER: Final = re.compile(
    rb"([^()\r\n]{1,%d})((?:\([^()\r\n]*\)){1,%d})" % (CODE_MOST, GROUPS_MOST)
)
NUMBER: Final = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,9})?")
STEPS: Final = {"": 0, "k": 3, "M": 6, "G": 9}  # powers of ten


class Register(NamedTuple):
    """One register: its code as it is printed, and what stands in its parentheses."""

    code: str
    groups: tuple[str, ...]


class Amount(NamedTuple):
    """A number and its unit; the unit is empty where none is printed."""

    value: float
    unit: str


def registers(text: bytes) -> Iterator[Register]:
    """Yield the registers of a data block in their order; what is none of them is left out."""
    for code, groups in REGISTER.findall(text):
        inner = groups[1:-1].decode("ascii", "replace").split(")(")
        yield Register(code.decode("ascii", "replace").strip(), tuple(inner))


def amount(group: str) -> Amount | None:
    """Return what `000123.456*kWh` says; None where it is no number."""
    digits, _, unit = group.partition("*")
    return Amount(float(digits), unit) if NUMBER.fullmatch(digits) else None


def in_unit(found: Amount, wanted: str) -> float | None:
    """Return the number in a unit that differs by k, M or G at most; None where it cannot be.

    An amount without a unit is taken to be in the one that is wanted.
    """
    if found.unit in ("", wanted):
        return found.value
    for base in (wanted, wanted[1:]):
        given, want = found.unit.removesuffix(base), wanted.removesuffix(base)
        if base and given in STEPS and want in STEPS and found.unit.endswith(base):
            step: float = 10.0 ** (STEPS[given] - STEPS[want])
            return found.value * step
    return None
