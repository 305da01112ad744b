"""What proves the SPS30 driver."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

from drivers import sps30
from drivers.sps30 import SPS30, SPS30Options
from edgenode.virtual.sps30 import Sps30Spec, VirtualSPS30
from tests.drivers.known_sps30 import MUTANTS, answers, known_answers_hold
from tests.support.beds import Address, Bed, Wire
from tests.support.chips import ChipBus
from tests.support.plays import Anything
from tests.support.proofs import FRAMES, Agreement, Mutants, Oracle, Proof
from tests.support.sensirion import channel, damage


def part(bed: Bed) -> Wire:
    """Play dust."""
    return Address(bed, VirtualSPS30(Sps30Spec("s"), bed.truth, bed.now_ns))


def as_sensirion() -> Iterator[Agreement]:
    """Let both read the same virtual chip: ours the measurement, theirs the same once more."""
    names = ("pm1", "pm25", "pm4", "pm10")
    plays: Any = {name: Anything(0, 1000) for name in names}
    bus = ChipBus({})
    bus.chips = {0x69: VirtualSPS30(Sps30Spec("s", every_ms=1, **plays), Bed().truth, 0)}
    theirs = import_module("sensirion_i2c_sps30").Sps30Device(channel(bus, 0x69))
    ours = SPS30(bus.device(0x69), SPS30Options(), sleep=bus.sleep)
    assert theirs.read_product_type() == sps30.PRODUCT
    assert theirs.read_auto_cleaning_interval() == 604_800
    for _ in range(FRAMES):
        bus.sleep(1.0)
        values = ours.read(bus.now_ns // 1_000_000).values
        their = theirs.read_measurement_values_float()
        frame = bus.said
        assert theirs.read_device_status_register() == 0
        yield Agreement(frame, values, tuple(their), (0.0,) * 10)


PROOFS = (
    Proof(
        driver="sps30",
        part=part,
        options={},
        against=(Oracle("sensirion-i2c-sps30", "sensirion_i2c_sps30", as_sensirion),),
        known="floats 5.2, 9.5, 12.6, 13.3 as Linux's sps30 and Sensirion's driver read them",
        mutants=(Mutants(sps30, MUTANTS, known_answers_hold),),
        damage=damage(SPS30, answers(), b"\x03\x00"),
        found=r"SPS30, serial number 0123456789ABCDEF",
        waits=("sleep",),
    ),
)
