"""Known answers of the SCD4x driver, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from edgenode.errors import BusError, EdgenodeError, WrongDevice
from edgenode.reading import Quality, Sample
from edgenode.virtual.sensirion import checked
from tests.support.fake_sensirion import FakeSensirion

AIR = bytes.fromhex("01f433 6667a2 5eb93c")
ANSWERS = {
    b"\x36\x82": bytes.fromhex("f89631 9f07c2 3bbe89"),
    b"\xe4\xb8": checked(b"\x80\x06"),
    b"\xec\x05": AIR,
}
OPENING = ["3682", "21b1"]
STOPPED = ["3682", "36f6", "3f86", "3682", "21b1"]

MUTANTS = (
    ("-45 + 175", "45 + 175"),
    ("-45 + 175", "-46 + 175"),
    ("175 * raw_t", "165 * raw_t"),
    ("raw_t / 65535", "raw_t / 65335"),
    ("100 * raw_rh", "125 * raw_rh"),
    ("raw_rh / 65535", "raw_rh / 65335"),
    ("co2 == 0", "co2 == 500"),
    ("Quality.MISSING, Quality.OK, Quality.OK", "Quality.OK, Quality.OK, Quality.MISSING"),
    ("(0x21B1, 5_000)", "(0x21AC, 5_000)"),
    ("(0x21B1, 5_000)", "(0x21B1, 30_000)"),
    ("(0x21AC, 30_000)", "(0x21B1, 30_000)"),
    ("(0x21AC, 30_000)", "(0x21AC, 5_000)"),
    ("STOP: Final = 0x3F86", "STOP: Final = 0x3F87"),
    ("READY: Final = 0xE4B8", "READY: Final = 0xE4B9"),
    ("READY_MASK: Final = 0x07FF", "READY_MASK: Final = 0xFFFF"),
    ("READY_MASK: Final = 0x07FF", "READY_MASK: Final = 0x0001"),
    ("READ: Final = 0xEC05", "READ: Final = 0xEC04"),
    ("READ_WORDS: Final = 3", "READ_WORDS: Final = 2"),
    ("SERIAL: Final = 0x3682", "SERIAL: Final = 0x3680"),
    ("WAKE: Final = 0x36F6", "WAKE: Final = 0x36E0"),
    ("SET_PRESSURE: Final = 0xE000", "SET_PRESSURE: Final = 0x2427"),
    ("SET_ALTITUDE: Final = 0x2427", "SET_ALTITUDE: Final = 0x2322"),
    ("SET_SELF_CALIBRATION: Final = 0x2416", "SET_SELF_CALIBRATION: Final = 0x2313"),
    ("SET_TEMPERATURE_OFFSET: Final = 0x241D", "SET_TEMPERATURE_OFFSET: Final = 0x2318"),
    ("65535 / 175", "65535 / 165"),
    ("STOPPING_S: Final = 0.5", "STOPPING_S: Final = 0.4"),
    ("WAKING_S: Final = 0.03", "WAKING_S: Final = 0.02"),
    ("EXECUTING_S: Final = 0.001", "EXECUTING_S: Final = 0.0005"),
    ("2 * period_ms, 4", "8 * period_ms, 9"),
    ("2 * period_ms, 4", "1 * period_ms, 4"),
)


def reading(
    module: ModuleType, air: bytes = AIR, ready: int = 0x8006, **options: Any
) -> tuple[Sample, FakeSensirion, list[float]]:
    """Return what one read gives, the chip, and how long was slept."""
    said = {**ANSWERS, b"\xec\x05": air, b"\xe4\xb8": checked(ready.to_bytes(2, "big"))}
    chip, naps = FakeSensirion(said), list[float]()
    sensor = module.SCD4x(chip, module.SCD4xOptions(**options), sleep=naps.append)
    return sensor.read(0), chip, naps


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, measures, decodes and judges as the datasheet says."""
    try:
        sample, chip, naps = reading(module)
        zero, _, _ = reading(module, checked(bytes(6)))
        hidden, _, _ = reading(module, ready=0x8000)
        late = [ages(module, mode, period) for mode, period in (("periodic", 5), ("low-power", 30))]
        told, stopped = sent(module), stops(module)
    except (EdgenodeError, TypeError):
        return False
    return (
        sample.values == pytest.approx((500, 25.0027, 37.0016), abs=1e-4)
        and not sample.quality
        and [command.hex() for command in chip.commands[:2]] == OPENING
        and max(naps) < 0.03
        and min(naps) >= 0.001
        and stopped
        and zero.values == (None, -45, 0)
        and zero.quality == (Quality.MISSING, Quality.OK, Quality.OK)
        and hidden == Sample((None,) * 3, (Quality.SETTLING,) * 3)
        and late == ["21b1", "21ac"]
        and told == {"241d05da", "24270064", "24160001", "e00003b6"}
        and refuses(module)
    )


class Measuring(FakeSensirion):
    """A chip that another program has left measuring: it tells no serial number until stopped."""

    def transfer(self, data: bytes, length: int) -> bytes:
        answer = super().transfer(data, length)
        if data == b"\x36\x82" and b"\x3f\x86" not in self.commands:
            raise BusError("fake: no acknowledge")
        return answer


def stops(module: ModuleType) -> bool:
    """Whether what measures already is stopped, and given the time for it."""
    chip, naps = Measuring(ANSWERS), list[float]()
    module.SCD4x(chip, module.SCD4xOptions(), sleep=naps.append)
    return [command.hex() for command in chip.commands] == STOPPED and naps[:2] == [0.03, 0.5]


def ages(module: ModuleType, mode: str, period_s: int) -> str:
    """Return the command that starts, if a measurement is stale after two periods, and lost later.

    A measurement that is just ready after each period is none of both.
    """
    chip = FakeSensirion(ANSWERS)
    sensor = module.SCD4x(chip, module.SCD4xOptions(mode=mode), sleep=lambda _: None)
    sensor.read(0)
    chip.answers[b"\xe4\xb8"] = checked(b"\x80\x00")
    young, late = (sensor.read(int(periods * period_s * 1000)) for periods in (1.9, 3.9))
    if young.quality or late.quality != (Quality.STALE,) * 3:
        return ""
    return chip.commands[1].hex()


def sent(module: ModuleType) -> set[str]:
    """Return the settings that are sent, without their checksums."""
    chosen: dict[str, Any] = {"temperature_offset_c": 4.0, "self_calibration": True}
    places: tuple[dict[str, Any], ...] = ({"altitude_m": 100}, {"pressure_hpa": 950})
    chips = [reading(module, **chosen, **place)[1] for place in places]
    return {c[:4].hex() for chip in chips for c in chip.commands if len(c) > 2}


def refuses(module: ModuleType) -> bool:
    """Whether what is no serial number is no SCD4x."""
    chip = FakeSensirion({**ANSWERS, b"\x36\x82": bytes(9)})
    try:
        module.SCD4x(chip, module.SCD4xOptions(), sleep=lambda _: None)
    except WrongDevice:
        return True
    return False
