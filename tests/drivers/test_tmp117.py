"""The TMP117 driver: values that are new, a chip that is set as it was, and no other part."""

from __future__ import annotations

import msgspec
import pytest

from drivers.tmp117 import TMP117, TMP117Options
from edgenode.errors import BadFrame, BusTimeout, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from edgenode.virtual.ads1115 import Ads1115Spec, VirtualADS1115
from tests.drivers.known_tmp117 import CELSIUS, FakeTMP117
from tests.support.beds import Bed
from tests.support.chips import ChipBus

WARM = 0x0C80


def opened(chip: FakeTMP117) -> TMP117:
    return TMP117(chip, TMP117Options(), sleep=lambda _: None)


@pytest.mark.parametrize(("word", "celsius"), CELSIUS.items())
def test_reads_the_datasheets_examples(word: int, celsius: float) -> None:
    assert opened(FakeTMP117(word)).read(0).values == (celsius,)


def test_what_stands_there_before_the_first_conversion_is_no_temperature() -> None:
    with pytest.raises(ImpossibleValue, match="converted nothing yet"):
        opened(FakeTMP117(0x8000)).read(0)


def test_a_value_that_is_not_new_is_given_again_then_stale_then_gone() -> None:
    chip = FakeTMP117(WARM)
    sensor = opened(chip)
    sensor.read(0)
    chip.ready = False
    assert sensor.read(2_000).quality == ()
    assert sensor.read(2_001).quality == (Quality.STALE,)
    with pytest.raises(BusTimeout, match="TMP117 at 0x48: measured nothing for 5 s"):
        sensor.read(5_001)


def test_before_the_first_conversion_it_settles() -> None:
    chip = FakeTMP117(WARM)
    chip.ready = False
    sample = opened(chip).read(0)
    assert (sample.values, sample.quality) == ((None,), (Quality.SETTLING,))


@pytest.mark.parametrize("config", [0x0220, 0x0000, 0xFFFF])
def test_a_chip_that_is_not_set_as_it_was_gives_itself_away(config: int) -> None:
    chip = FakeTMP117(WARM)
    sensor = opened(chip)
    chip.words[0x01] = config
    with pytest.raises(BadFrame, match="was it reset"):
        sensor.read(0)


def test_a_line_that_begins_to_float_at_the_value_is_never_a_temperature() -> None:
    chip = FakeTMP117(0xFFFF)
    sensor = opened(chip)
    chip.after = {0x01: 0xFFFF}
    with pytest.raises(BadFrame):
        sensor.read(0)


@pytest.mark.parametrize(
    ("device_id", "words"),
    [(0x1116, "is a TMP116"), (0x2117, "is a TMP119"), (0x7FFF, "found id 0x7fff")],
)
def test_refuses_its_relatives_by_name_and_others_by_what_they_say(
    device_id: int, words: str
) -> None:
    with pytest.raises(WrongDevice, match=words):
        opened(FakeTMP117(WARM, device_id))


def test_an_ads1115_at_its_address_is_refused() -> None:
    bus = ChipBus({0x48: VirtualADS1115(Ads1115Spec("x"), Bed().truth, 0)})
    with pytest.raises(WrongDevice):
        TMP117(bus.device(0x48), TMP117Options(), bus.sleep)


@pytest.mark.parametrize("wrong", [{"averages": 64}, {"address": 0x4C}])
def test_what_the_part_cannot_do_in_time_is_a_mistake_in_the_file(wrong: dict[str, int]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(wrong, TMP117Options)
