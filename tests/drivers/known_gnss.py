"""Known answers of the GNSS driver and its parts, and changes to them that must not give them."""

from __future__ import annotations

from datetime import date
from types import ModuleType
from typing import Any

from edgenode.bus.nmea import Gga, Gsa, Place, Rmc
from edgenode.errors import DriverError
from tests.drivers.known_nmea import sentence
from tests.support.fake_serial import FakeSerial

BERLIN, PARIS = Place(52.52, 13.405), Place(48.8566, 2.3522)

OF_THE_CLOCK = (
    ("1970, 1, 1", "1980, 1, 6"),
    ("FIRST_DAY: Final = date(2026, 1, 1)", "FIRST_DAY: Final = date(2006, 1, 1)"),
    ("7 * 1024", "14 * 1024"),
    ("0 <= (day", "0 < (day"),
    ("MOMENTS: Final = 16", "MOMENTS: Final = 15"),
    ("MOMENTS: Final = 16", "MOMENTS: Final = 17"),
    ("SLACK_MS: Final = 50", "SLACK_MS: Final = 0"),
    ("least = min(", "least = max("),
    ("self._latency_ms // 2", "self._latency_ms"),
    ("at_ms - least + half", "at_ms - least"),
    ("at_ms - least + half", "at_ms - self._behind[-1] + half"),
    ("<= self._latency_ms", "<= 2 * self._latency_ms"),
    (
        "            self._since_ms = at_ms\n        self.steady",
        "            pass\n        self.steady",
    ),
    (
        "            self._since_ms = at_ms\n        self._behind",
        "            pass\n        self._behind",
    ),
    ("< self._almanac_ms", "<= self._almanac_ms"),
    ("self._behind.clear()", "self._behind.copy()"),
    ("ClockSource.GNSS", "ClockSource.NTP"),
)
START_MS = 5_000


def clock_holds(module: ModuleType) -> bool:
    """Whether a receiver is believed when, and as far as, it is known to deserve it."""
    first, last = date(2026, 1, 1), date(2045, 8, 16)
    believed = [module.plausible(day) for day in (first, last)]
    refused = [module.plausible(d) for d in (date(2025, 12, 31), date(2045, 8, 17))]
    refused += [module.plausible(d) for d in (date(2007, 4, 11), date(2046, 7, 11))]
    day, utc_ms = date(2026, 11, 24), 1_795_478_400_000  # date -d 2026-11-24 +%s

    def heard(witness: Any, seconds: range, late_ms: int) -> list[Any]:
        return [witness.heard(day, n * 1000, START_MS + n * 1000 + late_ms) for n in seconds]

    steady, slow = module.Witness(800, 0), module.Witness(800, 20_000)
    at_once = heard(steady, range(20), 300) + heard(steady, range(20, 21), 350)
    later = heard(slow, range(30), 300)
    jumped = heard(slow, range(30, 80), 1_200)
    slow.lost()
    anew = heard(slow, range(80, 120), 1_200)
    return (
        believed == [True, True]
        and not any(refused)
        and at_once[:15] == [None] * 15
        and at_once[15] == (20_300, utc_ms + 15_400, 5, 450)
        and at_once[20] == (25_350, utc_ms + 20_450, 5, 450)
        and [n for n, anchor in enumerate(later) if anchor] == list(range(20, 30))
        and [n for n, anchor in enumerate(jumped) if anchor] == list(range(34, 50))
        and [n for n, anchor in enumerate(anew) if anchor] == list(range(20, 40))
    )


OF_HOME = (
    ("EARTH_M: Final = 6_371_000", "EARTH_M: Final = 6_378_137"),
    ("LEARNT: Final = 30", "LEARNT: Final = 29"),
    ("SURE: Final = 30", "SURE: Final = 31"),
    ("SURE: Final = 30", "SURE: Final = 2"),
    ("cos(north) *", ""),
    ("sin(up / 2) ** 2", "sin(up) ** 2"),
    ("return 2 * EARTH_M", "return EARTH_M"),
    ("        if not self._moved_m:", "        if self._moved_m > 50_000:"),
    (" > self._moved_m", " < self._moved_m"),
    ("self._otherwise + 1 if away is not", "self._otherwise + 1 if away is"),
    ("return away", "return True"),
    (" + 180) % 360 - 180", ")"),
    ("/ LEARNT\n        east", "\n        east"),
    ("first.longitude + east", "east"),
)


def home_holds(module: ModuleType) -> bool:
    """Whether a departure is noticed, once, and nothing else."""
    home, near, far = Place(10.0, 179.9999), Place(10.0005, 179.9999), Place(10.002, 179.9999)
    known, learnt, off = module.Home(100, home), module.Home(100, None), module.Home(0, home)
    played = [near] * 40 + [far] * 29 + [near] + [far] * 40 + [near] * 40 + [far] * 30
    told = [n for n, place in enumerate(played) if known.left(place)]
    around = [Place(10.0, 179.9999), Place(10.0, -179.9999)] * 15
    taught = [learnt.left(place) for place in around + [home] * 40 + [far] * 30]
    astray = module.Home(100, None)
    led = [astray.left(place) for place in [home] * 29 + [Place(10.1, 179.9999)] + [home] * 30]
    return (
        led == [False] * 59 + [True]
        and abs(module.distance_m(BERLIN, PARIS) - 877_460) < 100
        and told == [99, 179]
        and taught == [False] * 99 + [True]
        and not any(off.left(far) for _ in range(60))
    )


OF_THE_SKY = (
    ("OLD_MS: Final = 10_000", "OLD_MS: Final = 9_999"),
    ("OLD_MS: Final = 10_000", "OLD_MS: Final = 10_001"),
    ('frozenset("MNSU")', 'frozenset("MNU")'),
    ('frozenset("MNSU")', 'frozenset("MNS")'),
    ("frozenset({0, 7, 8})", "frozenset({0, 7})"),
    ("frozenset({0, 7, 8})", "frozenset({7, 8})"),
    ('GUESSED: Final = "E"', 'GUESSED: Final = "D"'),
    ("GUESSED_QUALITY: Final = 6", "GUESSED_QUALITY: Final = 5"),
    ("FLAT: Final = 2", "FLAT: Final = 1"),
    ("HDOP_MOST: Final = 50.0", "HDOP_MOST: Final = 100.0"),
    ("(not rmc.valid or", "(rmc.valid or"),
    ("bool(rmc or gga) and not denied", "not denied"),
    ("bool(rmc or gga) and not denied", "bool(rmc or gga)"),
    ("(gga.place if gga else None) or", "None or"),
    ("now_ms - max(", "now_ms - min("),
    ("int(self.fixed(now_ms))", "0"),
)


def sky_holds(module: ModuleType) -> bool:
    """Whether sentences together say what they are known to."""
    here, there, day = Place(1.0, 2.0), Place(1.5, 2.5), date(2026, 1, 1)
    found: list[Any] = []

    def look(now_ms: int, *said: tuple[Any, int]) -> None:
        sky = module.Sky()
        for one, at_ms in said:
            sky.take(one, at_ms)
        found.extend([sky.heard(now_ms), sky.place(now_ms), sky.guessed(now_ms), sky.fix(now_ms)])
        found.extend([sky.hdop(now_ms), sky.altitude(now_ms), sky.satellites(now_ms)])
        found.append(sky.age_ms(now_ms) if said else None)

    def rmc(valid: bool = True, mode: str = "A") -> Rmc:  # noqa: FBT001, FBT002 - a field
        return Rmc(0, day, valid, there, mode)

    def gga(quality: int = 1, hdop: float = 0.9) -> Gga:
        return Gga(0, here, quality, 8, hdop, 30.0)

    look(0)
    look(10_000, (gga(), 0))
    look(10_001, (gga(), 0))
    look(2, (rmc(), 0), (gga(), 1))
    look(2, (rmc(valid=False), 0), (gga(), 1))
    look(2, (rmc(), 0))
    look(2, (rmc(mode="S"), 0))
    look(2, (rmc(mode="U"), 0))
    look(2, (rmc(mode="E"), 0), (gga(6), 0))
    look(2, (gga(6), 0))
    look(2, (rmc(mode="E"), 0))
    look(2, (gga(0), 0), (rmc(), 1))
    look(2, (gga(8), 0))
    look(2, (gga(5, 99.99), 0), (Gsa(2), 0), (rmc(mode="D"), 0))
    return found == KNOWN_SKY


HERE, THERE = (1.0, 2.0), (1.5, 2.5)
KNOWN_SKY = [
    *(False, None, False, 0, None, None, None, None),
    *(True, HERE, False, 1, 0.9, 30.0, 8, 10_000),
    *(False, None, False, 0, None, None, None, 10_001),
    *(True, HERE, False, 1, 0.9, 30.0, 8, 1),
    *(True, None, False, 1, 0.9, 30.0, 8, 1),
    *(True, THERE, False, 1, None, None, None, 2),
    *(True, None, False, 0, None, None, None, 2),
    *(True, None, False, 0, None, None, None, 2),
    *(True, HERE, True, 6, 0.9, 30.0, 8, 2),
    *(True, HERE, True, 6, 0.9, 30.0, 8, 2),
    *(True, THERE, True, 1, None, None, None, 2),
    *(True, None, False, 0, 0.9, 30.0, 8, 1),
    *(True, None, False, 8, 0.9, 30.0, 8, 2),
    *(True, HERE, False, 5, None, None, 8, 2),
]

OF_THE_DRIVER = (
    ("PERIOD_MS: Final = 2_500", "PERIOD_MS: Final = 250"),
    ("COLD_MS: Final = 300_000", "COLD_MS: Final = 3_000"),
    ("HDOP_GOOD: Final = 5.0", "HDOP_GOOD: Final = 50.0"),
    ("HDOP_GOOD: Final = 5.0", "HDOP_GOOD: Final = 0.5"),
    ("MOVED: Final = 2", "MOVED: Final = 1"),
    ("VOUCHES = 0, 1, 2, 3", "VOUCHES = 0, 2, 1, 3"),
    ("if place else (None, None, None)", "if place else (0.0, 0.0, 0.0)"),
    ("Quality.STALE\n        return", "Quality.OK\n        return"),
    ("return Quality.ESTIMATED if", "return Quality.OK if"),
    ("(*place, sky.altitude(now_ms))", "(place[1], place[0], sky.altitude(now_ms))"),
    ("if not plausible(said.day)", "if plausible(said.day)"),
    ("or self._sky.guessed(now_ms):\n            self._witness", ":\n            self._witness"),
    ("EventCode.TAMPER, value", "EventCode.STATE_CHANGED, value"),
    ("        self._had_fix = True\n", ""),
    ("isinstance(said, Rmc | Zda)", "isinstance(said, Zda)"),
    ("Gga if self._sky.latest(Gga, now_ms) else Rmc", "Rmc"),
    ("options.latency_ms", "2 * options.latency_ms"),
    ("options.almanac_s * 1000", "options.almanac_s"),
)


def burst(
    second: int,
    minutes: str = "31.20000",
    *,
    fix: str = "A",
    day: str = "241126",
    hdop: str = "0.9",
) -> bytes:
    """Return what a receiver near 52° 31.2' N, 13° 24.3' E says of a second of the first hour."""
    clock, good = f"00{second // 60:02d}{second % 60:02d}.00", fix != "V"
    where = f"52{minutes},N,01324.30000,E" if good else ",,,"
    quality = {"A": f"1,08,{hdop},34.0,M", "V": "0,00,99.99,,M", "E": "6,00,4.0,34.0,M"}[fix]
    status = "A" if good else "V"
    return (
        sentence(f"GNRMC,{clock},{status},{where},0.0,,{day},,,{fix if good else 'N'}")
        + sentence(f"GNGGA,{clock},{where},{quality},40.0,M,,")
        + sentence(f"GNGSA,A,{3 if good else 1},,,,,,,,,,,,,1.5,0.9,1.2")
    )


def told_by(module: ModuleType, *played: tuple[int, bytes], **options: Any) -> list[Any]:
    """Return samples, events and instants of a driver that hears this at these times."""
    port = FakeSerial(b"\n" + sentence("GNTXT,01,01,02,ready"))
    driver = module.GNSS(port, module.GNSSOptions(**options), clock=port.clock)
    found: list[Any] = []
    for at_ms, said in played:
        port.say(said)
        sample = driver.read(at_ms)
        names = " ".join(q.name.lower() for q in sample.quality)
        values = tuple(v if v is None else round(v, 7) for v in sample.values)
        events = [(int(e.code), e.channel, e.value) for e in sample.events]
        found.append((values, names, events, driver.instant()))
    return found


def driver_holds(module: ModuleType) -> bool:
    """Whether the driver gives the samples, alarms and instants that were worked out by hand."""
    try:
        return _driver_holds(module)
    except DriverError:
        return False


def _driver_holds(module: ModuleType) -> bool:
    start, lost = (
        told_by(module, (0, b""), (100, burst(1))),
        told_by(module, (100, burst(1, fix="V"))),
    )
    stale = told_by(module, (100, burst(1)), (2_600, b""), (2_601, b""))
    cold = told_by(module, *((n * 1000, burst(n, fix="V")) for n in range(1, 311, 3)))
    gone = told_by(module, (100, burst(1)), (1_100, burst(2, fix="V")))
    vague = told_by(
        module, *((n * 1000, burst(n, hdop="5.1")) for n in range(1, 60)), latitude=0, longitude=0
    )
    guess = told_by(
        module,
        *((n * 1000, burst(n, fix="E")) for n in range(1, 40)),
        latitude=0.0,
        longitude=0.0,
        almanac_s=0,
    )
    vouched = told_by(module, *((n * 1000 + 300, burst(n)) for n in range(1, 30)), almanac_s=20)
    old = told_by(module, *((n * 1000, burst(n, day="100407")) for n in range(1, 20)))
    seconds = [(n * 1000, burst(n, "31.20000" if n < 35 else "31.30000")) for n in range(1, 80)]
    moved = [n for n, told in enumerate(told_by(module, *seconds)) if told[2]]
    return (
        start[0] == ((None,) * 8, " ".join(["settling"] * 8), [], None)
        and start[1][:3] == ((52.52, 13.405, 34.0, 8, 0.9, 1, 3, 0), " ".join(["ok"] * 8), [])
        and lost[0][1] == "settling settling settling ok settling ok ok ok"
        and [told[1].split()[0] for told in stale] == ["ok", "ok", "stale"]
        and [told[1].split()[0] for told in cold] == ["settling"] * 100 + ["missing"] * 4
        and gone[1][0] == (None, None, None, 0, None, 0, 1, 0)
        and gone[1][1].split()[0] == "missing"
        and all(told[1].split()[0] == "estimated" and not told[2] for told in guess)
        and all(told[3] is None for told in guess)
        and not any(told[2] for told in vague)
        and vouched[19][3] is None
        and vouched[20][3] == (21_300, 1_795_478_400_000 + 21_500, 5, 550)
        and [vouched[n][0][-1] for n in (14, 15, 20)] == [0, 2, 3]
        and old[-1][0][-1] == 1
        and all(told[3] is None for told in old)
        and moved == [63]
        and told_by(module, *seconds)[63][2] == [(9, 255, 2)]
    )
