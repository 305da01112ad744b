"""What proves the driver of satellite receivers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from importlib import import_module
from typing import Any

from drivers import gnss, gnss_clock, gnss_home, gnss_sky
from edgenode.bus import nmea
from edgenode.bus.nmea import Gga, Gsa, Rmc, Said, Zda, parsed, proved
from edgenode.reading import SerialLine
from edgenode.virtual.gnss import GnssSpec, VirtualGNSS
from tests.drivers.known_gnss import (
    OF_HOME,
    OF_THE_CLOCK,
    OF_THE_DRIVER,
    OF_THE_SKY,
    clock_holds,
    driver_holds,
    home_holds,
    sky_holds,
)
from tests.drivers.known_nmea import OF_NMEA, RECORDED, nmea_holds, sentence
from tests.support.beds import Bed, Cable, Wire
from tests.support.proofs import FRAMES, Agreement, Damage, Mutants, Oracle, Proof

UTC_MS = 1_795_478_400_000  # 2026-11-24
TALKERS = ("GP", "GN", "GL", "GA", "GB", "BD", "GQ")
MODES = "ADEFMNPRS"


def part(bed: Bed) -> Wire:
    """Play a receiver with nine satellites."""
    instrument = VirtualGNSS(GnssSpec("s", utc_ms=UTC_MS), bed.truth, bed.now_ns)
    return Cable(bed, instrument, SerialLine(9600))


def lines(chance: random.Random) -> Iterator[bytes]:
    """Yield sentences of all four kinds over their whole range, with and without a fix."""
    for n in range(FRAMES):
        clock = f"{n % 24:02d}{chance.randrange(60):02d}{chance.randrange(60):02d}.{n % 100:02d}"
        day, month, year = chance.randrange(1, 29), chance.randrange(1, 13), chance.randrange(69)
        digits = chance.choice((1, 2, 4, 5, 7))
        north = f"{chance.randrange(90):02d}{minutes(chance, digits)},{chance.choice('NS')}"
        east = f"{chance.randrange(180):03d}{minutes(chance, digits)},{chance.choice('EW')}"
        if n < 2:
            north, east = ("9000.0000,S", "18000.0000,W") if n else ("0000.0000,N", "00000.0000,E")
        where = f"{north},{east}" if n % 9 else ",,,"
        valid, talker = "V" if n % 9 == 0 else "A", TALKERS[n % len(TALKERS)]
        yield sentence(
            f"{talker}RMC,{clock},{valid},{where},1.5,84.4,{day:02d}{month:02d}{year:02d},,,"
            f"{MODES[n % len(MODES)]}"
        )
        height = f"{chance.uniform(-400, 8800):.1f}"
        many, hdop = chance.randrange(33), f"{chance.choice((99.99, chance.uniform(0.5, 30))):.2f}"
        yield sentence(f"{talker}GGA,{clock},{where},{n % 9},{many:02d},{hdop},{height},M,40.1,M,,")
        used = ",".join(f"{chance.randrange(1, 99):02d}" for _ in range(n % 13)) if n % 13 else ""
        yield sentence(
            f"{talker}GSA,A,{n % 3 + 1},{used}{',' * (12 - max(1, n % 13))},2.1,{hdop},1.9"
        )
        yield sentence(f"{talker}ZDA,{clock},{day:02d},{month:02d},{2000 + year},00,00")


def minutes(chance: random.Random, digits: int) -> str:
    """Return mm.mmm with so many digits after the point; pynmea2 wants one at least."""
    return f"{chance.uniform(0, 59.9):0{digits + 3}.{digits}f}"


def ours(said: Said | None) -> tuple[float | None, ...]:
    """Return the numbers of a sentence."""
    if isinstance(said, Rmc):
        day = said.day.toordinal() if said.day else None
        return (said.ms, day, *(said.place or (None, None)), said.valid, ord(said.mode or " "))
    if isinstance(said, Gga):
        place = said.place or (None, None)
        return (said.ms, *place, said.quality, said.satellites, said.hdop, said.altitude)
    if isinstance(said, Gsa):
        return (said.mode,)
    assert isinstance(said, Zda)
    return (said.ms, said.day.toordinal() if said.day else None)


def theirs(said: Any, kind: type[Said]) -> tuple[float | None, ...]:
    """Return the same of what pynmea2 made of it."""
    if kind is Gsa:
        return (int(said.mode_fix_type),)
    at = said.timestamp
    ms = ((at.hour * 60 + at.minute) * 60 + at.second) * 1000 + at.microsecond // 1000
    if kind is Zda:
        return (ms, said.datestamp.toordinal())
    place = (said.latitude, said.longitude) if said.lat else (None, None)
    if kind is Rmc:
        mode = ord(said.mode_indicator)
        return (ms, said.datestamp.toordinal(), *place, said.status == "A", mode)
    numbers = (int(said.gps_qual), int(said.num_sats), float(said.horizontal_dil), said.altitude)
    return (ms, *place, *numbers)


def as_pynmea2() -> Iterator[Agreement]:
    """Let both take the same sentences apart."""
    library: Any = import_module("pynmea2")
    for line in lines(random.Random(183)):
        said = parsed(proved(line.strip()))
        assert said is not None
        mine = ours(said)
        step = 1e-7  # 2 cm on a meridian: a hundredth of what is told
        found = library.parse(line.decode(), check=True)
        yield Agreement(line, mine, theirs(found, type(said)), (step,) * len(mine))


def decoded(pieces: list[bytes]) -> list[Any]:
    """Cut the pieces into sentences; what stands before the first end of a line is a rest."""
    cutter = nmea.Sentences()
    cutter.cut(b"\n")
    return [parsed(body) for piece in pieces for body in cutter.cut(piece)]


FRAME = RECORDED + b"\r"  # LF comes after it, and ends nothing any more

PROOFS = (
    Proof(
        driver="gnss",
        part=part,
        options={},
        against=(Oracle("pynmea2", "pynmea2", as_pynmea2),),
        known="a recorded GGA as pynmea2 and gpsdecode have it; days by hand; Berlin to Paris",
        mutants=(
            Mutants(nmea, OF_NMEA, nmea_holds),
            Mutants(gnss_clock, OF_THE_CLOCK, clock_holds),
            Mutants(gnss_home, OF_HOME, home_holds),
            Mutants(gnss_sky, OF_THE_SKY, sky_holds),
            Mutants(gnss, OF_THE_DRIVER, driver_holds),
        ),
        damage=Damage(
            lambda: FRAME,
            decoded,
            pieces=True,
        ),
        found="NMEA GNSS receiver, talker GN",
        waits=("clock",),
    ),
)
