"""What proves the driver of signal heads."""

from __future__ import annotations

from drivers import signal, signal_head
from edgenode.virtual.kinds import Hello
from edgenode.virtual.state import StateSpec, VirtualState
from tests.drivers.known_signal import OF_THE_DRIVER, driver_holds
from tests.drivers.known_signal_head import OF_THE_HEAD, head_holds
from tests.support.bed_lines import States
from tests.support.beds import Bed, Wire
from tests.support.heads import Several
from tests.support.proofs import KernelOracle, Mutants, Proof

# A cycle of 60 s: red 28 s, the last of them with amber; green 29 s; amber 3 s.
PATTERNS = {
    "red": StateSpec("red", line=0, pattern_ms=(28_000, 32_000), first=True),
    "amber": StateSpec("amber", line=1, pattern_ms=(27_000, 1_000, 29_000, 3_000)),
    "green": StateSpec("green", line=2, pattern_ms=(29_000, 31_000), first=True, begun_ms=32_000),
}


def part(bed: Bed) -> Wire:
    """Play a signal head."""

    def lamp(spec: StateSpec) -> States:
        instrument = VirtualState(spec, bed.truth, bed.now_ns)
        return States(bed, instrument, Hello("gpio", edge="both"))

    return Several(bed, {name: lamp(spec) for name, spec in PATTERNS.items()})


PROOFS = (
    Proof(
        driver="signal",
        part=part,
        options={"red": 0, "amber": 1, "green": 2},
        against=(KernelOracle("gpio-sim", "tests/lab/test_street.py"),),
        known="a cycle of 60 s, and conflicts a ms shorter and longer than 1 s, by hand",
        mutants=(
            Mutants(signal_head, OF_THE_HEAD, head_holds),
            Mutants(signal, OF_THE_DRIVER, driver_holds),
        ),
        damage="a contact has no checksum; debouncing is the kernel's",
        found="",
        every_ms=120_000,  # a whole cycle in each
    ),
)
