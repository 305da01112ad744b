"""What proves the driver of pulses."""

from __future__ import annotations

from drivers import pulse, pulse_weight
from edgenode.bus import edges
from edgenode.virtual.kinds import Hello
from edgenode.virtual.pulse import PulseSpec, VirtualPulse
from edgenode.virtual.series import Play
from tests.drivers.known_pulse import (
    MUTANTS,
    OF_THE_COUNT,
    OF_THE_WEIGHT,
    count_holds,
    known_answers_hold,
    weights_hold,
)
from tests.support.bed_lines import Edges
from tests.support.beds import Bed, Wire
from tests.support.proofs import KernelOracle, Mutants, Proof


def part(bed: Bed) -> Wire:
    """Play three pulses a second: a meter of 1,000 a kWh at 11 kW."""
    spec = PulseSpec("s", every_ms=1_000, pulses=Play(offset=3))
    return Edges(bed, VirtualPulse(spec, bed.truth, bed.now_ns), Hello("gpio", edge="rising"))


PROOFS = (
    Proof(
        driver="pulse",
        part=part,
        options={"line": 0},
        against=(KernelOracle("gpio-sim", "tests/lab/test_street.py"),),
        known="1000 pulses that nobody read are `line_seqno` 1000 of linux/gpio.h; 1000 imp/kWh "
        "of S0, 10 L of a reed, 0.2 mm of Davis, 2.4 km/h per Hz of SparkFun",
        mutants=(
            Mutants(pulse, tuple(MUTANTS), known_answers_hold),
            Mutants(edges, tuple(OF_THE_COUNT), count_holds),
            Mutants(pulse_weight, tuple(OF_THE_WEIGHT), weights_hold),
        ),
        damage="a contact has no checksum; debouncing is the kernel's",
        found="",
    ),
)
