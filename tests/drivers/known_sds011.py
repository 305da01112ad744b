"""Known answers of the SDS011, and the changes to it that must not give them."""

from __future__ import annotations

from types import ModuleType

from edgenode.errors import BadFrame, BusTimeout, EdgenodeError
from edgenode.reading import Quality
from tests.support import sds011 as part
from tests.support.hexdump import recorded
from tests.support.sds011 import AnsweringPort, answer, opened, report

MUTANTS = (
    ("HEAD, TAIL = 0xAA, 0xAB", "HEAD, TAIL = 0xAB, 0xAA"),
    ("COMMAND: Final = 0xB4", "COMMAND: Final = 0xB5"),
    ("MEASURED, ANSWERED = 0xC0, 0xC5", "MEASURED, ANSWERED = 0xC5, 0xC0"),
    ("FRAME_BYTES: Final = 10", "FRAME_BYTES: Final = 9"),
    ("DATA_BYTES: Final = 13", "DATA_BYTES: Final = 12"),
    ('ANYBODY: Final = b"\\xff\\xff"', 'ANYBODY: Final = b"\\x58\\xd9"'),
    ("FIRMWARE, PERIOD = 0x02, 0x06, 0x07, 0x08", "FIRMWARE, PERIOD = 0x02, 0x06, 0x08, 0x07"),
    ("REPORTING, WORK, FIRMWARE", "WORK, REPORTING, FIRMWARE"),
    ("ASK, SET = 0x00, 0x01", "ASK, SET = 0x01, 0x00"),
    ("ACTIVE: Final = 0x00", "ACTIVE: Final = 0x01"),
    ("ASLEEP, AWAKE = 0x00, 0x01", "ASLEEP, AWAKE = 0x01, 0x00"),
    ("TRIES: Final = 3", "TRIES: Final = 1"),
    ("WORKING_MS: Final = 30_000", "WORKING_MS: Final = 300_000"),
    ("LATE_MS: Final = 10_000", "LATE_MS: Final = 1_000"),
    ("minutes * 60_000", "minutes * 6_000"),
    ("2 * cycle if minutes", "4 * cycle if minutes"),
    ("sum(frame[2:-2])", "sum(frame[1:-2])"),
    ("frame[-1] == TAIL and ", ""),
    ('frame[2:4], "little"', 'frame[2:4], "big"'),
    ("frame[4:6]", "frame[2:4]"),
    ('"little") / 10, int', '"little") / 100, int'),
    ("told[4] != value", "told[4] == value"),
    ("frame[2] == code", "True"),
    ("min(now_ms - self._told_ms, WORKING_MS)", "now_ms - self._told_ms"),
    ("self._told_ms = now_ms\n        return ()", "pass\n        return ()"),
    ("self._opened_s) * 1000", "self._opened_s) * 1"),
    ("now_ms - int(", "now_ms + int("),
    ("age_ms > self._cycle_ms", "age_ms < 0"),
    ("if not self._stream.frame:", "if False:"),
)


def opens(module: ModuleType) -> bool:
    """Whether it is told what others tell it, and nothing that it knows."""
    _, well = opened(module)
    other = part.WELL | {part.PERIOD: answer(8, 0, 0), part.MODE: answer(2, 0, 1)}
    sensor, new = opened(module, answers=other)
    sensor.close()
    late = part.WELL | {part.PERIOD: answer(2, 0, 0) + answer(8, 0, 5)}
    asked = [opened(module, answers=late)[1].asked, well.asked]
    return asked == [[part.WAKE, part.MODE, part.PERIOD]] * 2 and new.asked == [
        part.WAKE,
        *(part.MODE, part.SET_MODE),
        *(part.PERIOD, part.SET_PERIOD),
        part.SLEEP,
    ]


def reads(module: ModuleType) -> bool:
    """Whether frames are read as recorded, 0 as 0, and none as settling."""
    sensor, port = opened(module)
    first = sensor.read(1_000)
    if (first.values, set(first.quality)) != (
        (None, None, 0),
        {Quality.SETTLING, Quality.OK},
    ):
        return False
    said = (recorded("sds01x.hexdump")[0], report(0, 0), report(123.4, 567.8), b"\xaa" * 9)
    found = []
    for n, frame in enumerate(said, 1):
        port.say(frame)
        found.append(sensor.read(30_000 + n).values)
    return found == [(0.6, 0.6, 30), (0, 0, 30), (123.4, 567.8, 30), (123.4, 567.8, 30)]


def tells_the_age(module: ModuleType) -> bool:
    """Whether a report is good for a period, then stale, then nothing."""
    sensor, port = opened(module)
    port.say(report(5, 6))
    sensor.feed(30_000)
    fresh, stale = sensor.read(340_000), sensor.read(340_001)
    if fresh.quality or set(stale.quality) != {Quality.STALE, Quality.OK}:
        return False
    try:
        sensor.read(650_001)
    except BusTimeout:
        return True
    return False


def counts(module: ModuleType) -> bool:
    """Whether half a minute counts for each report, or the time since the last one."""
    sensor, port = opened(module)
    for now_ms in (30_000, 330_000, 630_000):
        port.say(report(5, 6))
        sensor.feed(now_ms)
    late = AnsweringPort(part.WELL)
    slow = module.SDS011(late, module.SDS011Options(), clock=late.clock)
    late.s += 12
    late.say(report(5, 6))
    if slow.read(500_000).values[2] != 12:  # nobody listened, but it was awake
        return False
    always, its_port = opened(module, minutes=0)
    for n in range(1, 100):
        its_port.say(report(5, 6))
        always.feed(n * 1_000)
    return bool(sensor.counts() == {"operating_time": 90} and always.read(99_000).values[2] == 99)


def is_found(module: ModuleType) -> bool:
    """Whether it is known by its stream and by its firmware, and nothing else is."""
    port = AnsweringPort({part.told(7): report(1, 2) + answer(7, 18, 11, 16)})
    heard = module.SDS011.recognise(b"\xab" + recorded("sds01x.hexdump")[0])
    asked = module.SDS011.identify(port)
    return bool(
        heard
        and heard.words == "SDS011, id 58d9"
        and asked
        and asked.words == "SDS011, id 58d9, firmware 2018-11-16"
        and not module.SDS011.recognise(recorded("sds01x.hexdump")[0][:-1] + b"\xac")
        and not module.SDS011.recognise(answer(7, 18, 11, 16))
    )


class Deep(AnsweringPort):
    """Heeds nothing but being woken, and answers that the next time only."""

    def write(self, data: bytes) -> None:
        known, self.answers = self.answers, {} if not self.written else self.answers
        super().write(data)
        self.answers = known


def wakes(module: ModuleType) -> bool:
    port = Deep(part.WELL)
    module.SDS011(port, module.SDS011Options(), clock=port.clock)
    silent = AnsweringPort({})
    noisy = AnsweringPort({part.WAKE: b"\x55" * 20})
    raised = []
    for bad in (silent, noisy):
        try:
            module.SDS011(bad, module.SDS011Options(), clock=bad.clock)
        except EdgenodeError as exc:
            raised.append(type(exc))
    return port.asked[:2] == [part.WAKE] * 2 and raised == [BusTimeout, BadFrame]


def known_answers_hold(module: ModuleType) -> bool:
    try:
        tried = (opens, reads, tells_the_age, counts, is_found, wakes)
        return all(one(module) for one in tried)
    except EdgenodeError:
        return False
