"""The kernel's drivers are the oracle: both read the same registers, and agree within a step."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.conftest import Step
from tests.lab.parts import PARTS, Part

pytestmark = [pytest.mark.root, pytest.mark.timeout(400)]
FRAMES = 200
ROUNDING = 1e-9  # of the decimal fractions that sysfs shows


each = pytest.mark.parametrize("part", PARTS, ids=lambda part: part.name)
ours = pytest.mark.parametrize(
    "part", [part for part in PARTS if part.driver], ids=lambda part: part.name
)
generic = pytest.mark.parametrize(
    "part", [part for part in PARTS if part.generic], ids=lambda part: part.name
)


@pytest.fixture
def found(part: Part, step: Step) -> Any:
    return step(f"registers {part.name}")


@ours
def test_our_driver_reads_what_the_kernels_driver_reads(part: Part, found: Any) -> None:
    compare(part, found, "ours", list(part.step))


@generic
def test_the_driver_for_any_kernel_device_reads_what_its_files_say(part: Part, found: Any) -> None:
    compare(part, found, "generic", list(part.generic.read) if part.generic else [])


@each
def test_the_registers_differ_and_so_do_the_readings(part: Part, found: Any) -> None:
    assert len({str(image) for image in found["images"]}) >= FRAMES // 2
    for channel, step in part.step.items():
        told = {kernels[channel] for kernels in found["kernel"]}
        assert len(told) >= FRAMES // 2, channel
        assert max(told) - min(told) > 100 * step, channel


def test_an_lm75_is_told_as_its_datasheet_says(step: Step) -> None:
    found = step("registers lm75")
    for image, told in zip(found["images"], found["generic"], strict=True):
        raw = int(image["0"])
        assert told["temperature"] == (raw - (raw >> 15 << 16)) / 256


def compare(part: Part, found: Any, whose: str, channels: list[str]) -> None:
    """Hold readings to the kernel's, image by image."""
    assert len(found["images"]) >= FRAMES
    assert len(found[whose]) == len(found["kernel"]) == len(found["images"])
    for image, told, kernels in zip(found["images"], found[whose], found["kernel"], strict=True):
        for channel in channels:
            words = f"{channel}: {told[channel]}, the kernel's {kernels[channel]}, from {image}"
            assert told[channel] is not None, words
            assert abs(told[channel] - kernels[channel]) <= part.step[channel] + ROUNDING, words
