"""Known answers of the pulse driver and of counting, and changes that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any
from unittest.mock import patch

from drivers import pulse
from edgenode.reading import Kind
from tests.support.fake_line import FakeLine

MUTANTS = [
    ('{"count": self._edges.count}', '{"count": self._edges.missed}'),
    ("{} if began is None", "{} if began"),
    ('{"count": began}', '{"count": began + 1}'),
    ('totals["count"]', 'totals["count"] + 1'),
    ("self._edges.missed - before", "self._edges.missed + before"),
    ("self._missed_before, self._edges.missed\n", "self._missed_before, 0\n"),
    ("self._missed_before = 0", "self._missed_before = 1"),
    ("        self.feed(now_ms)\n", ""),
    ("        self._edges.take()\n", ""),
    ("count = self._edges.count", "count = self._edges.missed"),
    ("(count, self._edges.missed", "(self._edges.missed, self._edges.missed"),
    ("total.worth(count)", "total.worth(count + 1)"),
    ("self._worth = options.weighed()", "self._worth = ()"),
    ("(*cls.channels, *options.weighed())", "cls.channels"),
    ("        self._line.close()\n", "        self._line.fileno()\n"),
]
OF_THE_COUNT = [
    ("1 << 32", "1 << 31"),
    ("1 << 32", "1 << 33"),
    ("return self._line.inherited", "return None"),
    ("seqno - self._seqno)", "seqno + self._seqno)"),
    ("0 if self._unseen", "0 if not self._unseen"),
    ("else step - 1", "else step"),
    ("else step - 1", "else step + 1"),
    ("self._unseen = line.inherited is not None", "self._unseen = line.inherited is None"),
    ("self._seqno = line.line_seqno", "self._seqno = 0"),
    ("seqno < self._seqno and", "seqno > self._seqno and"),
    ("self._began + SEQNO_MODULUS", "self._began - SEQNO_MODULUS"),
    ("self._unseen, self._seqno = False", "self._unseen, self._seqno = True"),
    ("self.count += step", "self.count += 1"),
    ("self.missed += missed", "self.missed += step"),
    ("self._began = total", "self._began = 0"),
    ("self._line.keep(total)", "self._line.keep(0)"),
]
OF_THE_WEIGHT = [
    ("1 / Fraction(str(pulses_per_unit))", "Fraction(str(pulses_per_unit))"),
    ("Fraction(str(per_pulse))", "1 / Fraction(str(per_pulse))"),
    ("Fraction(str(per_pulse))", "Fraction(per_pulse)"),
    ("DIGITS: Final = 4", "DIGITS: Final = 3"),
    ("DIGITS: Final = 4", "DIGITS: Final = 5"),
    ('"energy"),', '"power"),'),
    ('"mm": "precipitation"', '"mm": "rain"'),
    ('"GJ": "heat_energy"', '"GJ": "energy"'),
    ("totalActiveEnergyExport", "totalActiveEnergyImport"),
    ("(first + 1) <= worth", "(first + 1) < worth"),
    ("range(first, finest, -1)", "range(finest, first)"),
    ("denominator == 1)", "denominator != 1)"),
    ("times=each.numerator", "times=int(each)"),
    ("int(start * by)", "int(start)"),
    ("by = each.denominator", "by = each.numerator"),
    ('counter="count"', 'counter="unread"'),
    ("Kind.COUNTER", "Kind.GAUGE"),
    ('{"energy", "volume"} else ""', '{"energy"} else ""'),
    ("noun not in name", "noun in name"),
]


def answers(module: ModuleType) -> list[Any]:
    """Return what a driver says of a fresh line, of one handed over, and of one that wraps."""
    told: list[Any] = []
    fresh = FakeLine(queue=4, seqno=(1 << 32) - 5)
    driver = module.Pulse(fresh, module.PulseOptions(line=1))
    told += [driver.resumed(), driver.read(0).values]
    driver.keep({"count": 90})
    for pulses in (3, 9, 1):
        fresh.pulse(pulses)
        told.append(driver.read(0).values)
    fresh.pulse(2)
    driver.feed(0)
    told += [driver.counts(), fresh.kept]
    driver.close()
    told.append(fresh.closed)
    heir = FakeLine(queue=2, seqno=(1 << 32) - 9, inherited=5)
    driver = module.Pulse(heir, module.PulseOptions(line=1))
    told += [driver.resumed(), driver.counts()]
    for _ in range(4):
        heir.pulse(3)
        told.append(driver.read(0).values)
    told.append(heir.kept)
    driver.close()
    empty = FakeLine(inherited=0)
    driver = module.Pulse(empty, module.PulseOptions(line=1))
    told.append(driver.resumed())
    driver.close()
    metered = FakeLine()
    options = module.PulseOptions(line=1, per_pulse=0.5, unit="m3")
    driver = module.Pulse(metered, options)
    metered.pulse(3)
    told += [driver.read(0).values, driver.measures() == module.Pulse.declare(options)]
    driver.close()
    return told


WHOLE = (1 << 32) - 9
KNOWN = [
    *({}, (0, 0), (3, 0), (12, 5), (13, 0), {"count": 15}, [90, 90 + (1 << 32)], 1),
    *({"count": 5}, {"count": 0}),
    *((WHOLE + 3, 0), (WHOLE + 6, 1), (WHOLE + 9, 1), (WHOLE + 12, 1)),
    [5 + (1 << 32)],
    {"count": 0},
    *((3, 0, 1.5), True),
]
# What a pulse is worth, of what, the name, what it starts at; then the name, the scale, the
# property and the total after 0, 1 and 1,000 pulses.
KWH, USED = "ACMeasurement/totalActiveEnergyImport", "SmartMeteringObservation/totalConsumption"
WATER, RAIN = "WaterConsumptionObserved/waterConsumption", "WeatherObserved/precipitation"
WEIGHTS: list[tuple[tuple[Any, ...], tuple[Any, ...]]] = [
    ((None, 1000, "kWh", "", 0), ("energy", -3, KWH, 0, 0.001, 1)),  # S0 as it is usual
    ((None, 1600, "kWh", "", 0), ("energy", -6, KWH, 0, 0.000625, 0.625)),
    ((None, 750, "kWh", "", 2.5), ("energy", -6, KWH, 2.5, 2.501333, 3.833333)),
    ((10, None, "L", "", 0), ("volume", 1, WATER, 0, 10, 10_000)),  # reed of a water meter
    ((0.01, None, "m3", "", 1234.567), ("volume", -2, WATER, 1234.56, 1234.57, 1244.56)),
    ((0.1, None, "m3", "gas_volume", 0), ("gas_volume", -1, USED, 0, 0.1, 100)),
    ((0.001, None, "GJ", "", 0), ("heat_energy", -3, USED, 0, 0.001, 1)),
    ((1, None, "Wh", "export_energy", 7), ("export_energy", 0, KWH[:-6] + "Export", 7, 8, 1007)),
    ((0.2, None, "mm", "", 0), ("precipitation", -1, RAIN, 0, 0.2, 200)),  # Davis, metric
    ((0.2794, None, "mm", "", 0), ("precipitation", -4, RAIN, 0, 0.2794, 279.4)),  # SparkFun
    ((None, 1.5, "m", "", 0), ("wind_run", -4, "", 0, 0.6666, 666.6666)),  # 2.4 km/h at 1 Hz
]


def weights_hold(module: ModuleType) -> bool:
    """Whether a pulse is worth what labels and data sheets say."""
    try:
        return all(_told(module, *given) == known for given, known in WEIGHTS)
    except ValueError:
        return False


def _told(
    module: ModuleType, per: float | None, of: float | None, unit: str, name: str, start: float
) -> tuple[Any, ...]:
    made = module.total_of(module.weight(per, of), unit, name, start)
    counted = (made.worth(count) for count in (0, 1, 1000))
    one = made.kind is Kind.COUNTER and made.counter == "count"
    return (made.name, made.scale, made.observed, *counted) if one else ()


def known_answers_hold(module: ModuleType) -> bool:
    return answers(module) == KNOWN


def count_holds(edges: ModuleType) -> bool:
    """Whether the driver gives the known answers by this way of counting."""
    with patch.object(pulse, "EdgeCount", edges.EdgeCount):
        return known_answers_hold(pulse)
