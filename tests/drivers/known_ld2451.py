"""Known answers of the LD2451 driver, and changes to it that must not give them."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from edgenode.errors import DriverError
from tests.support.fake_serial import FakeSerial

HEAD, TAIL = bytes.fromhex("f4f3f2f1"), bytes.fromhex("f8f7f6f5")
# As two public parsers read it: 0 degrees, 50 m, coming nearer at 40 km/h.
PUBLISHED = bytes.fromhex("f4f3f2f1 0700 0101 8032012814 f8f7f6f5")
EMPTY = HEAD + b"\0\0" + TAIL
NOBODY = HEAD + b"\2\0\0\0" + TAIL  # an empty list of targets
ANSWER = bytes.fromhex("fdfcfbfa 0800 ff01 0000 0100 4000 04030201")
ENABLE = bytes.fromhex("fdfcfbfa 0400 ff00 0100 04030201")
END = bytes.fromhex("fdfcfbfa 0200 fe00 04030201")
REFUSED = (
    PUBLISHED[:-1] + b"\xf4",
    PUBLISHED.replace(b"\1\1\x80", b"\2\1\x80"),  # two targets in the room of one
    PUBLISHED.replace(b"\x32\1", b"\x32\2"),  # a third direction
    PUBLISHED.replace(b"\7\0", b"\6\0"),
    HEAD + b"\x6b\0" + bytes((21, 1)) + b"\x80\x32\x01\x28\x14" * 21 + TAIL,
)

MUTANTS = [
    ("ANGLE_OFFSET: Final = 0x80", "ANGLE_OFFSET: Final = 0x7F"),
    ("body[at + 1], body[at] -", "body[at], body[at + 1] -"),
    ("WAYS[body[at + 2]], body[at + 3]", "WAYS[body[at + 2]], body[at + 4]"),
    ('= ("away", "toward")', '= ("toward", "away")'),
    ("TARGET_BYTES: Final = 5", "TARGET_BYTES: Final = 6"),
    ("TARGETS_MOST: Final = 20", "TARGETS_MOST: Final = 21"),
    ("TARGETS_MOST: Final = 20", "TARGETS_MOST: Final = 2"),
    ("HEAD_BYTES: Final = 6", "HEAD_BYTES: Final = 7"),
    ('"little")\n    return HEAD_BYTES + length + len(TAIL)', '"big")\n    return length + 10'),
    ("(0, *range(2,", "(1, *range(2,"),
    ("not frame.endswith(TAIL) or", "not frame.endswith(TAIL) and"),
    ("body[0] != (len(body)", "body[0] < (len(body)"),
    ("all(way < len(WAYS)", "all(way <= len(WAYS)"),
    ("0400 ff00 0100", "0400 fe00 0100"),
    ("0200 fe00", "0200 ff00"),
    ("        self._port.say(END)\n", ""),
    ("frame[HEAD_BYTES + 1] == 1", "frame[HEAD_BYTES + 1] == 0"),
    ("        if not self._heard:\n", "        if self._heard:\n"),
    ("        self._heard = False\n        return", "        return"),
    ("GATE_M: ClassVar[float] = 6.0", "GATE_M: ClassVar[float] = 40.0"),
    ("GATE_M: ClassVar[float] = 6.0", "GATE_M: ClassVar[float] = 1.0"),
    ("LOST_MS: ClassVar[int] = 700", "LOST_MS: ClassVar[int] = 300"),
    ("LOST_MS: ClassVar[int] = 700", "LOST_MS: ClassVar[int] = 2500"),
    ("REPORTS_LEAST: ClassVar[int] = 3", "REPORTS_LEAST: ClassVar[int] = 4"),
    ("REPORTS_LEAST: ClassVar[int] = 3", "REPORTS_LEAST: ClassVar[int] = 2"),
    ("self.speed / 3.6", "self.speed / 36"),
    ('run if self.direction == "away" else -run', "run"),
    ('run if self.direction == "away" else -run', "-run"),
    ("                free.remove(track)\n", "                pass\n"),
    ("if track.direction == target.direction", "if True"),
    ("is_beyond == (track.direction", "is_beyond != (track.direction"),
    ("        track.counted = True\n", ""),
    ("track.crossed_ms, track.speeds", "0, track.speeds"),
    ("track.speeds / track.reports", "track.speeds"),
    ("sin(radians(target.angle))", "sin(target.angle)"),
    ("+ abs(track.aside - _aside(target))", "+ 0 * _aside(target)"),
    ("] = 20\n", "] = 40\n"),
]


def report(*targets: tuple[float, int, bool, float]) -> bytes:
    """Build a report of targets: m, degrees, whether it comes nearer, km/h."""
    body = b"".join(
        bytes((0x80 + angle, round(m), comes, round(kmh), 20)) for m, angle, comes, kmh in targets
    )
    if not body:
        return EMPTY
    head = bytes((len(body) + 2, 0, len(targets), any(t[2] for t in targets)))
    return HEAD + head + body + TAIL


class Radar(FakeSerial):
    """A port at whose end a radar answers a command, and says nothing else by itself."""

    def write(self, data: bytes) -> None:
        super().write(data)
        if data == ENABLE:
            self.say(ANSWER)


def opened(module: ModuleType, port: FakeSerial, **options: Any) -> Any:
    sensor = module.LD2451(port, module.LD2451Options(**options), clock=port.clock)
    sensor.read(0)
    return sensor


def drive(
    sensor: Any, port: FakeSerial, begin_ms: int, *cars: tuple[float, int, bool, float]
) -> None:
    """Let cars go on from where they are for six seconds, seen from 3 to 80 m."""
    for n in range(60):
        seen = []
        for at_m, angle, comes, kmh in cars:
            m = at_m + (-1 if comes else 1) * kmh / 36 * n
            if 3 <= m <= 80:
                seen.append((m, angle, comes, kmh))
        port.say(report(*seen))
        sensor.feed(begin_ms + 100 * n)


def told(sample: Any) -> tuple[Any, ...]:
    cells = zip(sample.values, sample.quality, strict=True)
    return tuple(q.name if v is None else round(v, 2) for v, q in cells)


def show(sensor: Any, port: FakeSerial, begin_ms: int, *reports: Sequence[Any]) -> None:
    """Report one thing after another, each 100 ms; nothing of a place that is empty."""
    for n, seen in enumerate(reports):
        if seen:
            port.say(report(*seen))
            sensor.feed(begin_ms + 100 * n)


def odd_ones(sensor: Any, port: FakeSerial) -> list[Any]:
    """Return what a driver says of vehicles that come and go, overtake and hide."""
    found = []
    show(sensor, port, 20_000, *([(m, 0, True, 60)] for m in (24, 22, 19)))  # three are enough
    show(sensor, port, 22_000, *([(m, 0, True, 60)] for m in (21, 19)))  # two are no vehicle
    show(sensor, port, 23_000, *([(m, 0, True, 60)] for m in (27, 24, 21, 18)))  # it brakes
    show(sensor, port, 26_000, *([(m, 0, True, 42)] for m in (28, 27, 25)))
    show(sensor, port, 26_800, [(18, 0, True, 42)])  # it was hidden a while
    found.append(told(sensor.read(30_000)))
    show(sensor, port, 30_000, *([(m, 0, True, 60)] for m in (24, 22, 20)))
    show(sensor, port, 30_500, *([(m, 0, True, 60)] for m in (55, 53, 51)))  # another one
    show(sensor, port, 31_000, *([(m, 0, True, 60)] for m in range(44, 16, -2)))
    show(sensor, port, 35_000, [(30, 0, True, 60)], [(28, 0, True, 60)])
    both = ([(m, 0, True, 60), (m + 4, 0, True, 60)] for m in (26, 25, 23, 21, 20, 18, 16, 14))
    show(sensor, port, 35_200, *both)  # one behind the other
    found.append(told(sensor.read(40_000)))
    turning = zip((29, 27, 25, 23, 21, 19), (2, 4, 5, 6, 7, 9), strict=True)
    show(sensor, port, 40_000, *([(m, angle, True, 60)] for m, angle in turning))
    show(sensor, port, 45_000, [(24, 0, True, 60)], [(22, 0, True, 60)])
    away = [*((m, 0, False, 60) for m in (19, 21, 23)), *((m, 0, False, 60) for m in (54, 56))]
    show(sensor, port, 45_200, *([target] for target in away))  # 31 m on, it is another one
    show(sensor, port, 47_000, *([(m, 0, False, 150)] for m in (5, 9, 13, 18, 22)))
    for at_ms in (48_000, 49_500):  # one bicycle, and another where the first would be
        show(sensor, port, at_ms, *([(m, 0, False, 6)] for m in (19, 20, 21)))
    found.append(told(sensor.read(50_000)))
    for n, m in enumerate((24, 23, 21, 20)):  # abreast, and named in another order each time
        pair = [(m, -9, True, 40), (m, 9, True, 50)]
        show(sensor, port, 50_000 + 100 * n, pair[:: -1 if n % 2 else 1])
    found.append(told(sensor.read(60_000)))
    return found


def answers(module: ModuleType) -> list[Any]:
    """Return what a driver says of cars one after another, abreast, both ways, lost and short."""
    found: list[Any] = []
    port = Radar()
    sensor = opened(module, port, suppress_below=0)
    drive(sensor, port, 0, (80, -4, True, 50), (70, -4, True, 50), (3, 5, False, 60))
    found.append(told(sensor.read(6_500)))
    drive(sensor, port, 7_000, (60, -9, True, 45), (60, 9, True, 45))
    found.append(told(sensor.read(14_000)))
    found += odd_ones(sensor, port)
    found.append((port.written, told(sensor.read(70_000)), port.written[2:]))
    port.say(NOBODY)
    found.append((told(sensor.read(80_000))[0], len(port.written)))
    return found


# Worked out by hand: vehicles, mean and 85th percentile in km/h, headway in s; toward, then away.
NONE = ("MISSING",) * 3
KNOWN = [
    (2, 50.0, 50.0, 0.7, 1, 60.0, 60.0, "MISSING"),
    (2, 45.0, 45.0, 2.95, 0, *NONE),
    (3, 54.0, 60.0, 5.53, 0, *NONE),
    (4, 60.0, 60.0, 2.25, 0, *NONE),
    (1, 60.0, 60.0, 4.7, 4, 55.5, 150.0, 12.15),
    (2, 45.0, 50.0, 4.9, 0, *NONE),
    ([ENABLE, END, ENABLE, END], (0, *NONE, 0, *NONE), [ENABLE, END]),
    (0, 4),
]


def taken(module: ModuleType, frame: bytes) -> Any:
    return module.Frames(module.SHAPE).cut(frame)


def known_answers_hold(module: ModuleType) -> bool:
    try:
        return (
            module.targets(PUBLISHED) == [(50, 0, "toward", 40)]
            and [taken(module, frame) for frame in (PUBLISHED, EMPTY, NOBODY)]
            == [[PUBLISHED], [EMPTY], [NOBODY]]
            and not any(taken(module, frame) for frame in REFUSED)
            and answers(module) == KNOWN
        )
    except (AttributeError, TypeError, ValueError, IndexError, DriverError):
        return False
