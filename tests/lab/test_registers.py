"""The kernel's drivers are the oracle: both read the same registers, and agree within a step."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.conftest import Step
from tests.lab.parts import PARTS, Part

pytestmark = [pytest.mark.root, pytest.mark.timeout(400)]
FRAMES = 200
ROUNDING = 1e-9  # of the decimal fractions that sysfs shows


@pytest.fixture(params=PARTS, ids=lambda part: part.name)
def part(request: pytest.FixtureRequest) -> Part:
    found: Part = request.param
    return found


@pytest.fixture
def found(part: Part, step: Step) -> Any:
    return step(f"registers {part.name}")


def test_our_driver_reads_what_the_kernels_driver_reads(part: Part, found: Any) -> None:
    assert len(found["images"]) >= FRAMES
    assert len(found["ours"]) == len(found["kernel"]) == len(found["images"])
    for image, ours, kernels in zip(found["images"], found["ours"], found["kernel"], strict=True):
        for channel, step in part.step.items():
            told = f"{channel}: ours {ours[channel]}, the kernel's {kernels[channel]}, from {image}"
            assert ours[channel] is not None, told
            assert abs(ours[channel] - kernels[channel]) <= step + ROUNDING, told


def test_the_registers_differ_and_so_do_the_readings(part: Part, found: Any) -> None:
    assert len({str(image) for image in found["images"]}) == len(found["images"])
    for channel in part.step:
        told = {kernels[channel] for kernels in found["kernel"]}
        assert len(told) >= FRAMES // 2, channel
        assert max(told) - min(told) > 100 * part.step[channel], channel
