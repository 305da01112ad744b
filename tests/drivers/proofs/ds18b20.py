"""What proves the DS18B20 driver."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

import pytest

from drivers import ds18b20
from drivers.ds18b20 import DS18B20, DS18B20Options
from edgenode.bus import open_tree
from tests.drivers.known_ds18b20 import MUTANTS, ROM, WARM, holds
from tests.support.beds import Bed, Files, Wire
from tests.support.devices import W1, w1
from tests.support.proofs import FRAMES, Agreement, Mutants, Oracle, Proof


def part(bed: Bed) -> Wire:
    """Be in a room."""
    return Files(bed, w1(ROM, WARM, 25_062))


def as_w1thermsensor() -> Iterator[Agreement]:
    """Let both read the same files, over the whole range of the part."""
    with pytest.MonkeyPatch.context() as env:
        env.setenv("W1THERMSENSOR_NO_KERNEL_MODULE", "1")
        from w1thermsensor import W1ThermSensor  # type: ignore[import-untyped] # noqa: PLC0415
    chance = random.Random(18)
    with (
        TemporaryDirectory() as root,
        patch.object(W1ThermSensor, "BASE_DIRECTORY", Path(root, W1)),
    ):
        for sixteenths in chance.sample(range(-55 * 16, 85 * 16), FRAMES):
            scratchpad = (sixteenths & 0xFFFF).to_bytes(2, "little") + bytes((75, 70, 127, 255))
            scratchpad += bytes((16 - (sixteenths & 15), 16, 0))
            (file, text), *_ = w1(ROM, scratchpad, sixteenths * 1000 // 16).items()
            Path(root, file).parent.mkdir(parents=True, exist_ok=True)
            Path(root, file).write_text(text + "\n")
            ours = DS18B20(open_tree(root), DS18B20Options(id=ROM)).read(0).values
            theirs = W1ThermSensor(sensor_id=ROM[3:]).get_temperature()
            yield Agreement(text.encode(), ours, (theirs,), (0.001,))


PROOFS = (
    Proof(
        driver="ds18b20",
        part=part,
        options={"id": ROM},
        against=(Oracle("w1thermsensor", "w1thermsensor", as_w1thermsensor),),
        known="91 01 is 25.0625 °C, 5E FF is -10.125 °C: DS18B20 datasheet, table 1",
        mutants=(Mutants(ds18b20, MUTANTS, holds),),
        damage="the kernel proves the CRC of the nine bytes and says so in the file",
        found="",
    ),
)
