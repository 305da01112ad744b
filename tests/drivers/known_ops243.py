"""Known answers of the OPS243 driver, and changes to it that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from edgenode.errors import DriverError
from tests.support.fake_serial import FakeSerial

# Recorded from a radar set to OC: the fixture of banshee-data/velocity.report (Apache-2.0).
RECORDED = (
    b'{"classifier" : "object_outbound", "end_time" : "1750719826.467", "start_time" : '
    b'"1750719826.031", "delta_time_msec" : 736, "max_speed_mps" : 13.39, "min_speed_mps" : 11.33, '
    b'"max_magnitude" : 55, "avg_magnitude" : 36, "total_frames" : 7, "frames_per_mps" : 0.5228, '
    b'"length_m" : 9.86, "speed_change" : 2.799}'
)
LINES: dict[bytes, tuple[str, str, float, float | None] | None] = {
    RECORDED: ("object", "away", 48.204, 9.86),
    # The examples of the manuals: "Data Output" of UM-003, and `{"speed":..}` of OPS242's.
    b"137.429,3.6": ("speed", "toward", 12.96, None),
    b'{"speed":0.58, "direction":"inbound","time":105, "tick":135}': (
        *("speed", "toward", 2.088),
        None,
    ),
    b'{"unit":"mps","speed":-5.34}': ("speed", "away", 19.224, None),
    b'{"unit":"kmph","speed":-50.5}': ("speed", "away", 50.5, None),
    b'{"unit":"mph","speed":"10"}': ("speed", "toward", 16.09344, None),
    b'{"DetectedObjectVelocity":20.0}': ("detected", "toward", 72.0, None),
    b'{"speed":[-12.5,3.0],"magnitude":[90,20]}': ("speed", "away", 45.0, None),
    b'{"speed":12.5,"direction":"outbound"}': ("speed", "away", 45.0, None),
    b'"mph",-10.0': ("speed", "away", 16.09344, None),
    b"12,34.5,-10.0": ("speed", "away", 36.0, None),
    b"-10.0": ("speed", "away", 36.0, None),
    **dict.fromkeys(
        (
            *(b"7", b"", b"10.0,", b"x10.0", b"1,2,3,4.0", b'"knot",3.0', b"{", b"[1.0]", b"1e3.0"),
            *(b'{"speed":NaN}', b'{"speed":true}', b'{"speed":null}', b'{"speed":[]}'),
            *(
                b'{"speed":"fast"}',
                b'{"speed":"nan"}',
                b'{"unit":"knot","speed":3.0}',
                b'{"Units":"mph"}',
                b"\xff1.0",
            ),
            *(
                b'{"max_speed_mps":3.0}',
                b'{"speed":1.0,"direction":"up"}',
                b'{"speed":1' + b"0" * 400,
            ),
        ),
        None,
    ),
}
ANSWERS: dict[bytes, float | None] = {
    b'{"Units":"m-per-sec"}': 3.6,
    b'{"Units":"km-per-hr"}': 1.0,
    b'{"Units":"mph"}': 1.609344,
    b'{"Units":"ft-per-sec"}': 1.09728,
    b'{"Units":"cm-per-sec"}': 0.036,
    b'{"Units":"knots"}': None,
    b'{"Units":3}': None,
    b'{"Unit":"mph"}': None,
}

MUTANTS = [
    ('("m-per-sec", "mps", "m/s"), 3.6', '("m-per-sec", "mps", "m/s"), 3.5'),
    ('"km/h"), 1.0', '"km/h"), 3.6'),
    ("1.609344", "1.852"),
    ("1.09728", "0.3048"),
    ("0.036", "0.36"),
    ('"inbound", "object_inbound", "+"), "toward"', '"inbound", "object_inbound", "+"), "away"'),
    ('"outbound", "object_outbound", "-"), "away"', '"outbound", "-"), "away"'),
    ('"away" if speed < 0', '"away" if speed > 0'),
    ("abs(speed) * per", "speed * per"),
    ('abs(speed) * UNITS["mps"], length', "abs(speed) * per, length"),
    ("value = value[0]", "value = value[-1]"),
    ('_number(said.get("length_m"))', "None"),
    (r"{0,2}([+-]?\d{1,3}\.", r"{0,3}([+-]?\d{1,3}\."),
    (r"\d{1,3}\.\d{1,5}", r"\d{1,3}\.?\d{0,5}"),
    ("isfinite(number)", "True"),
    ("isinstance(value, bool) or ", ""),
    ("UNITS.get(unit.decode()) if unit else per", "per"),
    ('if "unit" in said else per', 'if "units" in said else per'),
    ("if way is None else None", "if way else None"),
    ("GAP_MS: Final = 600", "GAP_MS: Final = 1200"),
    ("GAP_MS: Final = 600", "GAP_MS: Final = 300"),
    ("REPORTS_LEAST: Final = 2", "REPORTS_LEAST: Final = 1"),
    ("REPORTS_LEAST: Final = 2", "REPORTS_LEAST: Final = 3"),
    ("max(burst.peak", "min(burst.peak"),
    ("burst.last_ms = at_ms\n", "pass\n"),
    ("REPORTS_LEAST if said", "1 if said"),
    ("burst.first_ms, burst.peak", "burst.last_ms, burst.peak"),
    ("            self._whole = True\n", ""),
    ("            self._bursts.clear()\n", ""),
    ('ASK_UNITS: Final = b"U?"', 'ASK_UNITS: Final = b"UK"'),
    ("self._per = units(line) or self._per", "pass"),
    ("self._set(lines)\n", "pass\n"),
    ("SuppressBelow = 3", "SuppressBelow = 1"),
    ("slowest_kmh: Slowest = 5", "slowest_kmh: Slowest = 50"),
]


class Radar(FakeSerial):
    """A port at whose end a radar answers with its unit."""

    unit = "km-per-hr"

    def write(self, data: bytes) -> None:
        super().write(data)
        if data == b"U?":
            self.say(b'{"Units":"%s"}\r\n' % self.unit.encode())


def opened(module: ModuleType, port: Radar, **options: Any) -> Any:
    sensor = module.OPS243(port, module.OPS243Options(**options), clock=port.clock)
    sensor.read(0)
    return sensor


def heard(sensor: Any, port: Radar, *lines: tuple[int, str]) -> None:
    for at_ms, line in lines:
        port.say(line.encode() + b"\r\n")
        sensor.feed(at_ms)


def told(sample: Any) -> tuple[Any, ...]:
    cells = zip(sample.values, sample.quality, strict=True)
    return tuple(q.name if v is None else round(v, 2) for v, q in cells)


def answers(module: ModuleType) -> list[Any]:
    """Return what a driver says of two vehicles and a blip, of another unit, and of objects."""
    found: list[Any] = []
    port = Radar()
    sensor = opened(module, port, suppress_below=0)
    heard(sensor, port, (1000, "49.5"), (1500, "50.0"), (2000, "49.0"), (2400, "48.0"))
    heard(sensor, port, (3500, "30.5"))
    heard(sensor, port, (5000, "-20.5"), (5100, "-21.0"), (5900, "-44.0"), (6000, "-43.0"))
    heard(sensor, port, (9000, '{"DetectedObjectVelocity":60.0}'))
    found.append(told(sensor.read(10_000)))
    port.unit = "m-per-sec"
    found.append(told(sensor.read(20_000)))
    heard(sensor, port, (21_000, "10.0"), (21_100, "10.0"), (21_200, "0.0"))
    found.append(told(sensor.read(30_000)))
    sensor.close()
    port = Radar()
    sensor = opened(module, port)
    for n in range(3):
        heard(sensor, port, (n * 1000, "-48.0"), (n * 1000 + 100, "-48.0"))
        heard(sensor, port, (n * 1000 + 200, RECORDED.decode()))
        heard(sensor, port, (n * 1000 + 300, "-40.0"), (n * 1000 + 400, "-40.0"))
    found.append(told(sensor.read(10_000)))
    heard(sensor, port, (11_000, RECORDED.decode()))
    found.append(told(sensor.read(20_000)))
    sensor.close()
    return [*found, port.written[0]]


# Worked out by hand: vehicles, mean and 85th percentile in km/h, headway in s; toward, then away.
KNOWN = [
    (2, 55.0, 60.0, 8.0, 2, 32.5, 44.0, 0.9),
    (0, "MISSING", "MISSING", "MISSING", 0, "MISSING", "MISSING", "MISSING"),
    (1, 36.0, 36.0, 12.0, 0, "MISSING", "MISSING", "MISSING"),
    (0, "MISSING", "MISSING", "MISSING", 3, 48.2, 48.0, 1.0),
    (0, "MISSING", "MISSING", "MISSING", *("SUPPRESSED_PRIVACY",) * 4),
    b"U?",
]


def report_of(module: ModuleType, line: bytes) -> Any:
    said = module.report(line, 3.6)
    return said and (said.kind, said.direction, round(said.speed, 6), said.length)


def known_answers_hold(module: ModuleType) -> bool:
    try:
        return (
            all(report_of(module, line) == known for line, known in LINES.items())
            and all(module.units(line) == known for line, known in ANSWERS.items())
            and answers(module) == KNOWN
        )
    except (AttributeError, TypeError, ValueError, KeyError, NameError, DriverError):
        return False
