"""What proves the driver of vehicle loops."""

from __future__ import annotations

from drivers import loop
from edgenode.bus import edges
from edgenode.virtual.kinds import Hello
from edgenode.virtual.pulse import PulseSpec, VirtualPulse
from edgenode.virtual.series import Play
from tests.drivers.known_loop import MUTANTS, OF_THE_SUMS, known_answers_hold, sums_hold
from tests.support.bed_lines import Edges
from tests.support.beds import Bed, Wire
from tests.support.proofs import KernelOracle, Mutants, Proof


def part(bed: Bed) -> Wire:
    """Play 900 vehicles an hour: thirty edges a read."""
    spec = PulseSpec("s", pulses=Play(offset=15), occupancy=Play(offset=20))
    return Edges(bed, VirtualPulse(spec, bed.truth, bed.now_ns), Hello("gpio", edge="both"))


PROOFS = (
    Proof(
        driver="loop",
        part=part,
        options={"line": 0},
        against=(KernelOracle("gpio-sim", "tests/lab/test_street.py"),),
        known="counts and stamps as `struct gpio_v2_line_event` of linux/gpio.h tells them",
        mutants=(
            Mutants(loop, tuple(MUTANTS), known_answers_hold),
            Mutants(edges, tuple(OF_THE_SUMS), sums_hold),
        ),
        damage="a contact has no checksum; debouncing is the kernel's",
        found="",
        every_ms=60_000,
    ),
)
