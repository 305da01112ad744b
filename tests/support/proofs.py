"""What proves a driver, as data: one `Proof` a driver, which tests/drivers/test_contract.py tries.

A module tests/drivers/proofs/<family>.py holds `PROOFS`, a tuple of them. A driver joins by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, Final, NamedTuple

from tests.support.beds import Bed, Wire

FRAMES: Final = 200  # the least that ours and theirs are both given
MUTANTS: Final = 10  # the least


class Agreement(NamedTuple):
    """What both made of the same frame: values in the order of the channels that are compared."""

    frame: bytes  # or the registers, the line, the telegram: whatever both were given
    ours: tuple[float | None, ...]
    theirs: tuple[float | None, ...]
    steps: tuple[float, ...]  # by how much they may differ: as a rule a step of resolution, or 0


class Oracle(NamedTuple):
    """Somebody else's decoder. Its code must really run: the suite watches it."""

    package: str  # the name on PyPI
    module: str  # imported by `agreements`, never before
    agreements: Callable[[], Iterable[Agreement]]  # FRAMES or more, each frame another one


class KernelOracle(NamedTuple):
    """A driver of the Linux kernel, held against ours by tests/lab."""

    driver: str  # such as "ina2xx"
    test: str  # such as "tests/lab/test_chips.py"


class Captures(NamedTuple):
    """Frames recorded from real parts, for a part that nobody else's program decodes."""

    source: str  # where they are published, and their licence
    agreements: Callable[[], Iterable[Agreement]]  # ours beside what was published with them


class Nobody(NamedTuple):
    """Neither: the driver is graded "unverified"."""

    searched: str  # what was looked for, and where


class Mutants(NamedTuple):
    """Changes to the source, each of which must make `holds` false."""

    module: ModuleType
    changes: tuple[tuple[str, str], ...]  # the text as it is, and a wrong one
    holds: Callable[[ModuleType], bool]  # whether the known answers hold; true of the module itself


class Damage(NamedTuple):
    """A frame, as a rule with a checksum, and what becomes of its bytes.

    `decoded` takes the pieces in which bytes arrive and returns what the driver made of them, a
    value for each frame that it took; it raises DriverError or returns nothing where it refuses.
    """

    frame: Callable[[], bytes]
    decoded: Callable[[list[bytes]], list[Any]]
    pieces: bool = False  # whether it arrives as a stream, cut anywhere
    unguarded: tuple[range, ...] = ()  # bytes that no checksum covers and no value depends on
    blind: str = ""  # why a flipped bit cannot be noticed, where there is no checksum


class Proof(NamedTuple):
    """Everything that is claimed of one driver."""

    driver: str
    part: Callable[[Bed], Wire]  # a virtual instrument in good health, on its wire
    options: Mapping[str, Any]  # what must be written in [[sensor]], at least
    against: tuple[Oracle | KernelOracle | Captures | Nobody, ...]
    known: str  # whose known answers `holds` of the first mutants checks
    mutants: tuple[Mutants, ...]
    damage: Damage | str  # or why a flipped bit cannot be noticed on this wire
    found: str  # a regular expression of what a scan says of it; empty: it has no identity
    every_ms: int = 1_000  # how often the bench reads it
    waits: tuple[str, ...] = ()  # what its constructor takes of the bed: "sleep", "clock"
