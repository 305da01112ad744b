"""Adafruit's drivers and ours on the same virtual instruments: they share no code and agree.

A module of Adafruit's that cannot be imported fails these tests; nothing here skips.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers.sht4x import SHT4x, SHT4xOptions
from edgenode.reading import Channel
from edgenode.virtual.sht4x import Sht4xSpec, VirtualSHT4x
from edgenode.virtual.truth import Truth
from tests.support.chips import ChipBus, Sleeper, adafruit

FRAMES = 250
MINUTE_S = 60  # a row of what is played: both drivers measure within it


@pytest.fixture
def truth(tmp_path: Path) -> Iterator[Truth]:
    log = Truth(tmp_path / "truth")
    yield log
    log.close()


def agree(channels: tuple[Channel, ...], ours: Any, theirs: Any) -> None:
    """Both values of each channel lie within a step of its resolution of one another."""
    for channel, our, their in zip(channels, ours, theirs, strict=True):
        assert our == pytest.approx(their, abs=10.0**channel.scale), channel.name


def test_the_sht4x_agrees_at_every_precision(truth: Truth, monkeypatch: pytest.MonkeyPatch) -> None:
    chip = VirtualSHT4x(Sht4xSpec("air", every_ms=MINUTE_S * 1000), truth, 0)
    bus = ChipBus({0x44: chip})
    library = adafruit("adafruit_sht4x")
    monkeypatch.setattr(library, "time", Sleeper(bus.sleep))
    theirs = library.SHT4x(bus)
    for precision, mode in (
        ("high", library.Mode.NOHEAT_HIGHPRECISION),
        ("medium", library.Mode.NOHEAT_MEDPRECISION),
        ("low", library.Mode.NOHEAT_LOWPRECISION),
    ):
        theirs.mode = mode
        options = SHT4xOptions(precision=precision)  # type: ignore[arg-type]
        ours = SHT4x(bus.device(0x44), options, sleep=bus.sleep)
        agree(ours.channels, ours.read(0).values, theirs.measurements)
