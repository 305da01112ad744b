"""What proves the driver of the SPS30 on its UART."""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from drivers import sps30_uart
from edgenode.bus import shdlc
from edgenode.reading import SerialLine
from edgenode.virtual.sps30_uart import Sps30UartSpec, VirtualSPS30UART
from tests.drivers.known_sps30_uart import MUTANTS, OF_THE_FRAMES, frames_hold, known_answers_hold
from tests.support.beds import Bed, Cable, Wire
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof
from tests.support.pypms import observed
from tests.support.sps30_uart import DUST, framed, opened

BUGS = (b"\x7d\x31", b"\x7d\x33")  # content that PyPMS takes for stuffing, since it undoes it twice


def part(bed: Bed) -> Wire:
    """Play dust."""
    instrument = VirtualSPS30UART(Sps30UartSpec("s"), bed.truth, bed.now_ns)
    return Cable(bed, instrument, SerialLine(115_200))


def measurements(seed: str) -> Iterator[tuple[bytes, tuple[float | None, ...]]]:
    """Yield answers over the whole range, and what our driver makes of each."""
    chance = random.Random(seed)
    sensor, fake, _ = opened()
    for n in range(FRAMES + 1):
        data = struct.pack(">10f", *(10 ** chance.uniform(-3, 3.5) for _ in range(10)))
        data = data if n else bytes(4) + data[4:]
        if any(bug in data for bug in BUGS):
            continue
        fake.answers[0x03] = framed(0x03, data)
        yield fake.answers[0x03], sensor.read(n).values


def as_sensirion() -> Iterator[Agreement]:
    """Let Sensirion's SHDLC driver take the frame apart and its SPS30 driver the numbers."""
    frames: Any = import_module("sensirion_shdlc_driver.serial_frame_builder")
    commands: Any = import_module("sensirion_uart_sps30.commands")
    for said, ours in measurements("sensirion"):
        frame = frames.ShdlcSerialMisoFrameBuilder()
        assert frame.add_data(said)
        _, _, _, data = frame.interpret_data()
        theirs = commands.ReadMeasurementValuesFloat.rx.unpack(data)
        yield Agreement(said, ours, tuple(theirs), (0.0,) * 10)


def as_pypms() -> Iterator[Agreement]:
    """Let PyPMS decode the same frames."""
    names = ("pm01", "pm25", "pm04", "pm10", "n0_5", "n1_0", "n2_5", "n4_0", "n10_0", "diam")
    for said, ours in measurements("pypms"):
        seen = observed("SPS30", said)
        yield Agreement(said, ours, tuple(getattr(seen, name) for name in names), (0.0,) * 10)


def decoded(pieces: list[bytes]) -> list[Any]:
    """Read a part that answers so, once it was opened."""
    sensor, fake, _ = opened()
    fake.answers[0x03] = b"".join(pieces)
    return [sensor.read(0).values]


PROOFS = (
    Proof(
        driver="sps30_uart",
        part=part,
        options={},
        against=(
            Oracle("sensirion-shdlc-driver", "sensirion_shdlc_driver", as_sensirion),
            Oracle("PyPMS", "pms.core", as_pypms),
        ),
        known="40a78320 411777bb 414a5f83 41548ddd is 5.2, 9.5, 12.6, 13.3 µg/m³, as recorded",
        mutants=(
            Mutants(sps30_uart, MUTANTS, known_answers_hold),
            Mutants(shdlc, OF_THE_FRAMES, frames_hold),
        ),
        damage=Damage(lambda: framed(0x03, DUST), decoded),
        found="SPS30, serial number 0123456789ABCDEF",
        waits=("sleep",),
    ),
)
