"""Known answers of the signal driver, and changes to it that must not give them."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from edgenode.bus.several import LineGroup
from tests.drivers.known_signal_head import LAMPS
from tests.support.fake_line import FakeState

CONFLICT, CHANGED = 19, 1


class Lamps:
    """A head in a test's hand; red is on. Each lamp is switched at boot-times of its own."""

    def __init__(self, *lit: str, amber: bool = True) -> None:
        names = [name for name in LAMPS if amber or name != "amber"]
        self.lines = {name: FakeState(active=name in lit) for name in names}
        numbers = {name: number for number, name in enumerate(names)}
        self.wire = LineGroup(numbers, lambda number: self.lines[names[number]])

    def switch(self, lamp: str, *at_ms: int) -> None:
        self.lines[lamp].change(*at_ms)

    def cycle(self, at_ms: int) -> None:
        """Red and amber, green, amber, red again 60 s later: the lamps of one cycle."""
        self.switch("amber", at_ms + 27_000, at_ms + 28_000, at_ms + 57_000, at_ms + 60_000)
        self.switch("red", at_ms + 28_000, at_ms + 60_000)
        self.switch("green", at_ms + 28_000, at_ms + 57_000)


OF_THE_DRIVER = (
    ("LATE_MS: Final = 20", "LATE_MS: Final = 21"),
    ("LATE_MS: Final = 20", "LATE_MS: Final = 0"),
    ("TOLD_MOST: Final = 16", "TOLD_MOST: Final = 15"),
    ("PHASE, CONDITION = 0, 1", "PHASE, CONDITION = 1, 0"),
    (
        'COUNTERS: Final = ("cycles", "changes", "conflicts")',
        'COUNTERS: Final = ("changes", "cycles", "conflicts")',
    ),
    ('{"amber"} if options.amber is None', '{"amber"} if options.amber is not None'),
    (".t_ms <= known_ms", ".t_ms < known_ms"),
    ("missed=missed)", "missed=0)"),
    ("events += _alarm(began_ms)", "events += []"),
    ("events += _alarm(head.moved_on(known_ms))", "head.moved_on(known_ms)"),
    ("        self._told = 0\n        con", "        con"),
    ("head, lamp, now_ms - LATE_MS,", "head, lamp, now_ms,"),
    ("/ len(lengths) / 1000", "/ 1000"),
    ("_options.dark_s * 1000", "_options.dark_s * 100"),
    ("_options.stuck_s * 1000", "_options.stuck_s * 100"),
    ("self._missed.get(lamp, 0) + count", "0"),
    ("                head.lost(lamp, count)", "                pass"),
    (
        "return Quality.OUT_OF_RANGE\n        return Quality.STUCK",
        "return Quality.OK\n        return Quality.STUCK",
    ),
    ("return Quality.STUCK if", "return Quality.OK if"),
    ('contradicted and lamp != "amber"', "contradicted"),
    ("return 100 * share, Quality.OK if exact", "return share, Quality.OK if exact"),
    ("Quality.OK if exact else", "Quality.OK if not exact else"),
    ("PHASE, t_ms=began_ms", "PHASE"),
    ("(condition, lasted_ms)", "(lasted_ms, condition)"),
    ("EventCode.SIGNAL_CONFLICT", "EventCode.TAMPER"),
)


def driver_holds(module: ModuleType) -> bool:
    """Whether the driver gives what was worked out by hand."""
    return _answers(module) == KNOWN


def events_of(events: Any) -> list[tuple[Any, ...]]:
    return [(int(e.code), e.channel, e.value, e.t_ms) for e in events]


def sample_of(sample: Any) -> tuple[Any, ...]:
    values = tuple(v if v is None else round(v, 4) for v in sample.values)
    return values, " ".join(q.name.lower() for q in sample.quality), events_of(sample.events)


def _answers(module: ModuleType) -> list[Any]:
    lamps = Lamps("red")
    driver = module.Signal(lamps.wire, module.SignalOptions(red=0, amber=1, green=2))
    found: list[Any] = [driver.counts(), sample_of(driver.read(20))]
    for n in range(3):
        lamps.cycle(n * 60_000)
    found += [events_of(driver.feed(150_000)), sample_of(driver.read(180_020)), driver.counts()]
    lamps.switch("green", 190_000)
    found += [events_of(driver.feed(191_020)), events_of(driver.feed(191_021))]
    found += [sample_of(driver.read(195_000))]
    lamps.switch("green", 196_000)
    lamps.switch("red", 196_010)
    found += [sample_of(driver.read(196_020)), sample_of(driver.read(206_030))]
    found += [events_of(driver.feed(796_031)), sample_of(driver.read(796_040))]
    lamps.lines["green"].queue = 1
    lamps.switch("green", 800_000, 801_000, 802_000)
    found += [sample_of(driver.read(803_000))]
    lamps.lines["green"].queue = 0
    lamps.switch("green", 804_000, 804_100)
    found += [sample_of(driver.read(805_000)), events_of(driver.feed(1_706_000))]
    found += [sample_of(driver.read(1_706_010))]
    driver.close()
    driver.close()

    lamps = Lamps("green", amber=False)
    options = module.SignalOptions(red=0, green=1, dark_s=1, stuck_s=0)
    driver = module.Signal(lamps.wire, options)
    found += [[channel.name for channel in driver.measures()], sample_of(driver.read(0))]
    lamps.lines["green"].queue = 1
    lamps.switch("green", 100, 110, 120)
    driver.feed(121)
    lamps.switch("green", 122, 123)
    found += [sample_of(driver.read(200))]
    told = 0
    for n in range(1, 40):
        lamps.lines["green"].queue = 9
        lamps.switch("green", n * 5_000, n * 5_000 + 100)
        told += len(driver.feed(n * 5_000 + 50)) + len(driver.feed(n * 5_000 + 4_000))
    found += [
        *_afresh(module),
        told,
        len(driver.read(200_000).events),
        len(driver.read(200_001).events),
    ]
    driver.close()
    return found


def _afresh(module: ModuleType) -> list[Any]:
    """Return what is told of a conflict that is over, of darkness, and of a short standstill."""
    options = module.SignalOptions(red=0, amber=1, green=2)
    lamps = [Lamps("red"), Lamps(), Lamps("green")]
    over, dark, still = (module.Signal(one.wire, options) for one in lamps)
    lamps[0].switch("green", 1_000, 2_500)
    found: list[Any] = [over.feed(20), events_of(over.feed(5_000))]
    found += [
        [driver.read(at_ms).values[1] for driver in (dark, still)]
        for at_ms in (20, 10_020, 10_021, 900_020, 900_021)
    ]
    for driver in (over, dark, still):
        driver.close()
    return found


SEEN = "ok ok ok ok ok missing ok ok ok"
# Worked out by hand: values, qualities, events (code, channel, value, ms).
KNOWN: list[Any] = [
    {"cycles": 0, "changes": 0, "conflicts": 0},
    ((1, 0, None, None, None, None, 0, 0, 0), "ok ok missing missing missing missing ok ok ok", []),
    [],
    (
        (1, 0, 46.6667, 6.6667, 48.3333, 60.0, 3, 24, 0),  # 28, 4 and 29 s of 60
        "ok ok ok ok ok ok ok ok ok",
        [],
    ),
    {"cycles": 3, "changes": 24, "conflicts": 0},
    [],
    [(CONFLICT, 0, None, 190_000), (CHANGED, 1, (1, 191_001), None)],
    (
        (5, 1, 100.0, 0.0, round(100 * 4_980 / 14_980, 4), None, 3, 25, 1),
        "out_of_range ok out_of_range ok out_of_range missing ok ok ok",
        [],
    ),
    (
        (1, 1, 100.0, 0.0, 100.0, None, 3, 26, 1),
        "ok ok out_of_range ok out_of_range missing ok ok ok",
        [],
    ),
    ((0, 1, round(100 * 10 / 10_010, 4), 0.0, 0.0, None, 3, 27, 1), SEEN, []),
    [(CHANGED, 1, (2, 605_010), None)],
    ((0, 2, 0.0, 0.0, 0.0, None, 3, 27, 1), SEEN, []),
    (
        (4, 0, 0.0, 0.0, round(100 * (5_980 / 2 + 980) / 6_960, 4), None, 3, 30, 1),
        "ok ok ok ok estimated missing ok ok ok",
        [(CHANGED, 1, (0, 6_969), None)],
    ),
    ((4, 0, 0.0, 0.0, 100.0, None, 3, 32, 1), "ok ok ok ok estimated missing ok ok ok", []),
    [(CHANGED, 1, (3, 903_000), None)],
    ((4, 3, 0.0, 0.0, 100.0, None, 3, 32, 1), "stuck ok ok ok ok missing ok ok ok", []),
    ["phase", "condition", "red", "green", "cycle_length", "cycles", "changes", "conflicts"],
    ((4, 0, None, None, None, 0, 0, 0), "ok ok missing missing missing ok ok ok", []),
    ((0, 0, 0.0, 35.0, None, 0, 5, 0), "ok ok ok estimated missing ok ok ok", []),
    [],
    [(CONFLICT, 0, None, 1_000), (CHANGED, 1, (1, 4_980), None)],
    *([0, 0], [0, 0], [2, 0], [2, 0], [2, 3]),
    *(16, 0, 1),
]
