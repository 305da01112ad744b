"""One wrong constant or sign in the PMS5003 driver must turn its known answers red."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from drivers import pms5003
from edgenode.errors import BusTimeout, EdgenodeError, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from tests.support.fake_serial import FakeSerial
from tests.support.mutants import mutated
from tests.support.pms5003 import RECORDED, air, frame, recorded

MUTANTS = [
    ('HEADER: Final = b"BM"', 'HEADER: Final = b"MB"'),
    ("HEAD_BYTES: Final = 4", "HEAD_BYTES: Final = 3"),
    ("LENGTH: Final = 28", "LENGTH: Final = 20"),
    ("range(20, 37)", "range(21, 37)"),
    ("range(20, 37)", "range(20, 36)"),
    ("range(20, 37)", "range(4, 37)"),
    ("ERROR_AT: Final = 29", "ERROR_AT: Final = 28"),
    ("424de400010174", "424de400000173"),
    ("424de100010171", "424de100000170"),
    ("PERIOD_MS: Final = 2_500", "PERIOD_MS: Final = 2_200"),
    ("PERIOD_MS: Final = 2_500", "PERIOD_MS: Final = 25_000"),
    ("SILENT_MS: Final = 4 * PERIOD_MS", "SILENT_MS: Final = 8 * PERIOD_MS"),
    ("SILENT_MS: Final = 4 * PERIOD_MS", "SILENT_MS: Final = PERIOD_MS"),
    ("GAP_MS: Final = 150", "GAP_MS: Final = 15"),
    ("GAP_MS: Final = 150", "GAP_MS: Final = 15_000"),
    ("OPENING_S: Final = 3.0", "OPENING_S: Final = 2.0"),
    ("head[2:4]", "head[1:3]"),
    ("sum(frame[:-2])", "sum(frame[2:-2])"),
    ("sum(frame[:-2])", "-sum(frame[:-2])"),
    ("frame[6:8]", "frame[4:6]"),
    ("frame[6:8]", "frame[12:14]"),
    ('">7H"', '"<7H"'),
    ("frame, 10)", "frame, 4)"),
    ("frame, 10)", "frame, 12)"),
    ("over_03um, _, _, over_25um", "over_03um, _, over_25um, _"),
    ("(pm1, pm25, pm10, over", "(pm1, pm10, pm25, over"),
    ("over_03um, over_25um, pm25_cf1))", "over_25um, over_03um, pm25_cf1))"),
    ("now_ms - self._fed_ms, now_ms", "now_ms - self._newest_ms, now_ms"),
    ("self._opened_s) * 1000", "self._opened_s) * 1"),
    ("now_ms - int(", "now_ms + int("),
    ("unheard_ms > UNHEARD_MS", "unheard_ms < 0"),
    ("UNHEARD_MS: Final = 2", "UNHEARD_MS: Final = 1"),
    ("UNHEARD_MS: Final = 2", "UNHEARD_MS: Final = 20"),
    ("        wire.discard()", "        pass"),
    ("Quality.STALE", "Quality.OK"),
]


def opened(module: ModuleType, *coming: bytes, pause_s: float = 2.3) -> tuple[Any, FakeSerial]:
    port = FakeSerial(*coming, waiting=air(200), pause_s=pause_s)
    return module.PMS5003(port, module.PMS5003Options(), clock=port.clock), port


def reads_what_was_recorded(module: ModuleType) -> bool:
    sensor, port = opened(module, recorded()[0])
    for n, (raw, values) in enumerate(zip(recorded(), RECORDED, strict=True)):
        port.say(raw[:20])
        sensor.feed(n * 2_300)
        port.say(raw[20:])
        if sensor.read(n * 2_300 + 30).values != values:
            return False
    port.say(frame(*range(1001, 1013)))
    return bool(sensor.read(18_000).values == (1004, 1005, 1006, 1007, 1010, 1002))


def tells_the_age(module: ModuleType) -> bool:
    """Whether a frame is good for one period, then stale, then nothing, and a queue never new."""
    sensor, port = opened(module, air(9))
    port.s += 1
    found = [set(sensor.read(ms).quality) for ms in (5_000, 6_500, 6_600, 9_000, 11_500, 13_900)]
    stale = {Quality.STALE}
    if found != [set(), set(), stale, stale, stale, stale]:
        return False
    sensor, port = opened(module, air(9))
    sensor.read(0)
    for now_ms in (3_000, 9_000, 13_000):  # late, but somebody listened
        sensor.feed(now_ms - 3_000)
        port.say(air(now_ms // 1_000))
        if sensor.read(now_ms).values[1] != now_ms // 1_000:
            return False
    port.say(air(200))
    try:
        sensor.read(23_200)
    except BusTimeout:
        pass
    else:
        return False
    port.say(b"BM\x00\x24" + air(200))  # looks like the start of a longer frame
    sensor.feed(23_300)
    port.say(b"\x00" * 8)
    try:
        sensor.read(24_100)
    except EdgenodeError:
        return True
    return False


def refuses(module: ModuleType) -> bool:
    """Whether another part, an error of the part, and silence are told apart."""
    for length in (20, 36):
        try:
            opened(module, frame(1, length=length))
        except WrongDevice:
            continue
        return False
    sensor, port = opened(module, bytes.fromhex("424d0004e1010175") + air(9))
    port.say(frame(1, 2, 3, 4, 5, error=1))
    try:
        sensor.read(0)
    except ImpossibleValue:
        pass
    else:
        return False
    silent = FakeSerial()
    try:
        module.PMS5003(silent, module.PMS5003Options(), clock=silent.clock)
    except BusTimeout:
        return b"".join(silent.written).hex() == "424de400010174424de100010171"
    return False


def known_answers_hold(module: ModuleType) -> bool:
    try:
        return reads_what_was_recorded(module) and tells_the_age(module) and refuses(module)
    except EdgenodeError:
        return False


def test_the_driver_itself_gives_the_known_answers() -> None:
    assert known_answers_hold(pms5003)


@pytest.mark.parametrize(("old", "new"), MUTANTS, ids=[new for _, new in MUTANTS])
def test_a_wrong_constant_or_sign_turns_the_known_answers_red(old: str, new: str) -> None:
    assert not known_answers_hold(mutated(pms5003, old, new))
