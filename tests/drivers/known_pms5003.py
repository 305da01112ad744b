"""Known answers of Plantower's parts, and the changes to them that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from unittest.mock import patch

from drivers import pms5003
from edgenode.errors import BusTimeout, EdgenodeError, ImpossibleValue, WrongDevice
from edgenode.reading import Quality
from tests.support.fake_serial import FakeSerial
from tests.support.pms5003 import RECORDED, air, frame, recorded

MUTANTS = (
    ('HEADER: Final = b"BM"', 'HEADER: Final = b"MB"'),
    ("HEAD_BYTES: Final = 4", "HEAD_BYTES: Final = 3"),
    ("LENGTH: Final = 28", "LENGTH: Final = 20"),
    ("range(20, 37)", "range(21, 37)"),
    ("range(20, 37)", "range(20, 36)"),
    ("range(20, 37)", "range(4, 37)"),
    ("VERSION_AT, ERROR_AT = 28, 29", "VERSION_AT, ERROR_AT = 29, 28"),
    ("424de400010174", "424de400000173"),
    ("424de100010171", "424de100000170"),
    ("PERIOD_MS: Final = 2_500", "PERIOD_MS: Final = 2_200"),
    ("PERIOD_MS: Final = 2_500", "PERIOD_MS: Final = 25_000"),
    ("silent_ms=4 * PERIOD_MS", "silent_ms=8 * PERIOD_MS"),
    ("silent_ms=4 * PERIOD_MS", "silent_ms=PERIOD_MS"),
    ("unheard_ms=2 * PERIOD_MS", "unheard_ms=PERIOD_MS"),
    ("unheard_ms=2 * PERIOD_MS", "unheard_ms=20 * PERIOD_MS"),
    ("gap_ms=150", "gap_ms=15"),
    ("gap_ms=150", "gap_ms=15_000"),
    ("opening_s=3.0", "opening_s=2.0"),
    ("wake=WAKE + STREAM", "wake=STREAM + WAKE"),
    ("head[2:4]", "head[1:3]"),
    ("sum(frame[:-2])", "sum(frame[2:-2])"),
    ("sum(frame[:-2])", "-sum(frame[:-2])"),
    ('(">3H", frame, 10)', '("<3H", frame, 10)'),
    ('(">3H", frame, 10)', '(">3H", frame, 4)'),
    ('(">3H", frame, 10)', '(">3H", frame, 12)'),
    ('(">4H", frame, 16)', '("<4H", frame, 16)'),
    ('(">4H", frame, 16)', '(">4H", frame, 18)'),
    ("over_03um, _, _, over_25um", "over_03um, _, over_25um, _"),
    ("return over_03um, over_25um", "return over_25um, over_03um"),
    ("frame[6:8]", "frame[4:6]"),
    ("frame[6:8]", "frame[12:14]"),
    (
        "(*masses(frame), *counts(frame), cf1(frame))",
        "(*counts(frame), *masses(frame), cf1(frame))",
    ),
    ("aged(sample) if", "sample if"),
)
# What they have in common with all that talks by itself.
OF_THE_STREAM = (
    ("now_ms - self._fed_ms, now_ms", "now_ms - self._newest_ms, now_ms"),
    ("self._opened_s) * 1000", "self._opened_s) * 1"),
    ("now_ms - int(", "now_ms + int("),
    ("unheard_ms > self._talk.unheard_ms", "unheard_ms < 0"),
    ("self._heard_ms > self._talk.gap_ms", "self._heard_ms < 0"),
    ("age_ms > self._talk.silent_ms", "age_ms < 0"),
    ("        port.discard()", "        pass"),
    ("self._port.write(self._talk.wake)", "self._port.write(b'')"),
    ("frames[-1], 0", "frames[0], 0"),
)
OF_THE_T = (
    ('(">hH", frame, 24)', '(">HH", frame, 24)'),
    ('(">hH", frame, 24)', '(">hH", frame, 26)'),
    ('(">hH", frame, 24)', '("<hH", frame, 24)'),
    ("tenths_cel / 10, tenths_rh / 10", "tenths_rh / 10, tenths_cel / 10"),
    ("tenths_cel / 10, tenths_rh / 10", "tenths_cel / 100, tenths_rh / 10"),
    ("tenths_cel / 10, tenths_rh / 10", "tenths_cel / 10, tenths_rh"),
    ('(">3H", frame, 22)', '(">3H", frame, 20)'),
    ("over_5um > over_25um or", "over_5um < over_25um or"),
    ("or over_10um > over_5um", "or over_10um > 0"),
    ("if any(air):", "if all(air):"),
    (
        "(*masses(frame), *counts(frame), cf1(frame))\n        air",
        "(*masses(frame), cf1(frame), *counts(frame))\n        air",
    ),
)
OF_THE_PMS3003 = (
    ("SHORT: Final = 20", "SHORT: Final = 28"),
    ("HEAD_BYTES: Final = 4", "HEAD_BYTES: Final = 5"),
    ("range(20, 37)", "range(21, 37)"),
    ('(">3H", frame, 10)', '(">3H", frame, 4)'),
    ('(">3H", frame, 10)', '("<3H", frame, 10)'),
    ("frame[6:8]", "frame[12:14]"),
    ('frame[6:8], "big"', 'frame[6:8], "little"'),
    ("Sample((*masses(frame), cf1(frame)))", "Sample((cf1(frame), *masses(frame)))"),
    ("length: ClassVar[int] = SHORT", "length: ClassVar[int] = LENGTH"),
    ('TALK._replace(wake=b"")', "TALK"),
)


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
    port.say(frame(*range(2001, 2013)) + frame(*range(1001, 1013)))
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


def known_answers_of_the_stream_hold(module: ModuleType) -> bool:
    with patch.object(pms5003, "Newest", module.Newest):
        return known_answers_hold(pms5003)


def heard(module: ModuleType, name: str, said: bytes) -> Any:
    """Return the sample of a driver that has just heard this."""
    port = FakeSerial(said)
    return getattr(module, name)(port, module.PMS5003Options(), clock=port.clock).read(0)


def known_answers_of_the_t_hold(module: ModuleType) -> bool:
    """Temperature at 24 is signed, humidity at 26; 0 and 0 is no air; told from a PMS5003."""
    warm = frame(1, 2, 3, 4, 5, 6, 900, 300, 80, 20, 215, 483)
    cold = frame(1, 2, 3, 4, 5, 6, 900, 300, 80, 20, 0xFFF6, 903)
    dusty = frame(1, 2, 3, 4, 5, 6, 9000, 3000, 800, 400, 215, 483)
    dust = (4.0, 5.0, 6.0, 900.0, 20.0, 2.0)
    try:
        freezing = heard(module, "PMS5003T", frame(1, 2, 3, 4, 5, 6, 900, 300, 80, 20, 0, 903))
        none = heard(module, "PMS5003T", frame(1, 2, 3, 4, 5, 6, 900, 300, 80, 20))
        return bool(
            heard(module, "PMS5003T", warm).values == (*dust, 21.5, 48.3)
            and heard(module, "PMS5003T", cold).values == (*dust, -1.0, 90.3)
            and freezing.values == (*dust, 0.0, 90.3)
            and none.values == (*dust, None, None)
            and none.quality[-2:] == (Quality.FAULT, Quality.FAULT)
            and module.PMS5003T.recognise(warm)
            and module.PMS5003T.recognise(dusty)
            and not module.PMS5003.recognise(warm)
            and module.PMS5003.recognise(frame(1, 2, 3, 4, 5, 6, 900, 300, 80, 20, 4, 1))
        )
    except EdgenodeError:
        return False


def known_answers_of_the_pms3003_hold(module: ModuleType) -> bool:
    """The masses stand as in a PMS5003; a silent one is told nothing."""
    said = frame(259, 2, 3, 4, 5, 6, length=20)
    silent = FakeSerial()
    try:
        if heard(module, "PMS3003", said).values != (4, 5, 6, 2):
            return False
        module.PMS3003(silent, module.PMS5003Options(), clock=silent.clock)
    except BusTimeout:
        return not silent.written
    except EdgenodeError:
        return False
    return False
