"""Known answers of the SHT3x driver, and changes to it and its base that must not give them."""

from __future__ import annotations

from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from drivers.sht3x import SHT3x, SHT3xOptions
from edgenode.errors import EdgenodeError, WrongDevice
from edgenode.reading import Sample
from tests.support.fake_sensirion import FakeSensirion

SERIAL = bytes.fromhex("0fa1d5 2b3cff")
WEATHER = bytes.fromhex("666693 8000a2")
ANSWERS = {
    b"\x36\x82": SERIAL,
    b"\x24\x00": WEATHER,
    b"\x24\x0b": WEATHER,
    b"\x24\x16": WEATHER,
}
LONGEST_S = {"high": ("2400", 0.0155), "medium": ("240b", 0.0065), "low": ("2416", 0.0045)}

MUTANTS = (
    ("-45 + 175", "45 + 175"),
    ("-45 + 175", "-46 + 175"),
    ("175 * raw_t", "176 * raw_t"),
    ("raw_t / 65535", "raw_t / 65335"),
    ("100 * raw_rh", "125 * raw_rh"),
    ("raw_rh / 65535", "raw_rh / 65335"),
    ("(0x2400, 0.016)", "(0x2416, 0.016)"),
    ("(0x2400, 0.016)", "(0x2400, 0.015)"),
    ("(0x240B, 0.007)", "(0x2400, 0.007)"),
    ("(0x240B, 0.007)", "(0x240B, 0.006)"),
    ("(0x2416, 0.005)", "(0x240B, 0.005)"),
    ("(0x2416, 0.005)", "(0x2416, 0.004)"),
    ("BREAK: Final = 0x3093", "BREAK: Final = 0x3094"),
    ("SOFT_RESET: Final = 0x30A2", "SOFT_RESET: Final = 0x306D"),
    ("SERIAL: Final = 0x3682", "SERIAL: Final = 0x3780"),
    ("(BREAK, SOFT_RESET)", "(SOFT_RESET, BREAK)"),
    ("] = 0x44", "] = 0x45"),
    ('] = "high"', '] = "low"'),
)
OF_BOTH = (
    ("raw_t, raw_rh = self", "raw_rh, raw_t = self"),
    ("self._measure, 2, wait", "self._measure, 1, wait"),
    ("SERIAL_WORDS: Final = 2", "SERIAL_WORDS: Final = 3"),
    ("STARTING_S: Final = 0.002", "STARTING_S: Final = 0.001"),
    ("in self.resets", "in self.resets[1:]"),
    ("self._part.identity(", "self._part.ask("),
    ("wait_s=self._measuring_s", "wait_s=STARTING_S"),
)


def reading(
    module: Any, weather: bytes = WEATHER, **options: Any
) -> tuple[Sample, FakeSensirion, list[float]]:
    """Return what one read gives, the chip, and how long was slept."""
    answers = {command: weather for command in ANSWERS if command[0] == 0x24}
    chip, naps = FakeSensirion({**ANSWERS, **answers}), list[float]()
    sensor = module.SHT3x(chip, module.SHT3xOptions(**options), sleep=naps.append)
    chip.busy = 1
    return sensor.read(0), chip, naps


def what_both_share_holds(module: ModuleType) -> bool:
    """Whether the known answers hold of an SHT3x that is made of this."""

    class Remade(module.Hygrometer):  # type: ignore[misc, name-defined]
        model, options = SHT3x.model, SHT3xOptions
        serial, resets, measure = SHT3x.serial, SHT3x.resets, SHT3x.measure
        _sample = SHT3x._sample

    return known_answers_hold(SimpleNamespace(SHT3x=Remade, SHT3xOptions=SHT3xOptions))


def known_answers_hold(module: Any) -> bool:
    """Whether a driver opens, measures and decodes as the datasheet says."""
    try:
        for precision, (command, longest_s) in LONGEST_S.items():
            sample, chip, naps = reading(module, precision=precision)
            if [c.hex() for c in chip.commands] != ["3093", "30a2", "3682", command]:
                return False
            if sample.quality or sample.values != pytest.approx((25.0, 50.0008), abs=0.0005):
                return False
            if min(naps[:2]) < 0.0015 or naps[3] < longest_s:
                return False
        low, high = (reading(module, bytes.fromhex(x))[0] for x in ("000081" * 2, "ffffac" * 2))
    except (EdgenodeError, ValueError):
        return False
    chosen = module.SHT3xOptions()
    return (
        low.values == pytest.approx((-45, 0))
        and high.values == pytest.approx((130, 100))
        and (chosen.address, chosen.precision) == (0x44, "high")
        and refuses(module)
    )


def refuses(module: Any) -> bool:
    """Whether what is no serial number is no SHT3x."""
    chip = FakeSensirion({**ANSWERS, b"\x36\x82": bytes.fromhex("0fa1d5 2b3cfe")})
    try:
        module.SHT3x(chip, module.SHT3xOptions(), sleep=lambda _: None)
    except EdgenodeError as exc:
        return isinstance(exc, WrongDevice)
    return False
