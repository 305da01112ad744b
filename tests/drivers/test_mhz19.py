"""The MH-Z19: what it is told, and what it says when it has nothing to say."""

from __future__ import annotations

import pytest

from drivers.mhz19 import MHZ19, MHZ19Options
from edgenode.errors import BadFrame, BusTimeout
from edgenode.reading import Quality, Sample, SerialLine
from edgenode.virtual.mhz19 import MhZ19Spec, VirtualMHZ19
from tests.drivers.known_mhz19 import REQUEST, answer
from tests.support.beds import Bed, Cable
from tests.support.fake_cable import FakeCable


def opened(said: bytes) -> tuple[MHZ19, FakeCable]:
    cable = FakeCable(lambda _: said)
    return MHZ19(cable, MHZ19Options(), sleep=lambda _: None), cable


def test_self_calibration_is_left_alone_unless_it_is_asked_for() -> None:
    _, cable = opened(answer(400))
    assert [one.hex() for one in cable.sent] == [REQUEST]


@pytest.mark.parametrize("wanted", [True, False])
def test_self_calibration_is_set_as_asked(wanted: bool) -> None:  # noqa: FBT001 - both of them
    bed = Bed()
    part = VirtualMHZ19(MhZ19Spec("s"), bed.truth, bed.now_ns)
    part.calibrates = not wanted
    options = MHZ19Options(self_calibration=wanted)
    MHZ19(Cable(bed, part, SerialLine(9600)), options, sleep=bed.sleep)
    assert part.calibrates is wanted


def test_an_answer_to_a_setting_that_comes_late_is_no_reading() -> None:
    sensor, cable = opened(answer(400))
    cable.says(b"\xff\x79\x01" + bytes(5) + b"\x86")
    cable.now_s += 1
    assert sensor.read(0) == Sample((400,))


def test_before_its_first_measurement_there_is_no_number() -> None:
    sensor, _ = opened(answer(0))
    assert sensor.read(0) == Sample((None,), (Quality.MISSING,))


def test_silence_and_noise_say_what_to_check() -> None:
    with pytest.raises(BusTimeout, match="no answer; check its 5 V"):
        opened(b"")
    with pytest.raises(BadFrame, match=r"ff 86 01 is no answer; check the baud rate \(9600\)"):
        opened(b"\xff\x86\x01")
