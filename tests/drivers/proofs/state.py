"""What proves the driver of digital states."""

from __future__ import annotations

from drivers import state
from edgenode.virtual.kinds import Hello
from edgenode.virtual.state import StateSpec, VirtualState
from tests.drivers.known_state import MUTANTS, known_answers_hold
from tests.support.bed_lines import States
from tests.support.beds import Bed, Wire
from tests.support.proofs import KernelOracle, Mutants, Proof


def part(bed: Bed) -> Wire:
    """Play a signal head: three changes a minute."""
    instrument = VirtualState(StateSpec("s"), bed.truth, bed.now_ns)
    return States(bed, instrument, Hello("gpio", edge="both"))


PROOFS = (
    Proof(
        driver="state",
        part=part,
        options={"line": 0},
        against=(KernelOracle("gpio-sim", "tests/lab/test_street.py"),),
        known="changes and stamps as `struct gpio_v2_line_event` of linux/gpio.h tells them",
        mutants=(Mutants(state, tuple(MUTANTS), known_answers_hold),),
        damage="a contact has no checksum; debouncing is the kernel's",
        found="",
        every_ms=60_000,
    ),
)
