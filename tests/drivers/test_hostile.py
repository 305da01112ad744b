"""A million bytes that no honest part sends: no driver falls, invents a reading or grows.

Random bytes, the part's own frames cut short, a frame without an end, and the frames of all other
parts on the serial wire; see tests/support/hostile.py.
"""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import pytest

from edgenode.driver import Talker, loadable
from edgenode.errors import DriverError
from edgenode.reading import Quality, Sample
from tests.drivers.proofs import all_proofs
from tests.drivers.test_contract import options_of
from tests.support.beds import Bed, Cable, play
from tests.support.hostile import SHARE, HostilePort, endless, noise, truncated
from tests.support.proofs import Damage, Proof

DRIVERS = {name: driver for name, driver in loadable().items() if driver.wire == "serial"}
PROOFS = {name: proof for name, proof in all_proofs().items() if name in DRIVERS}
GROWTH_MOST = 64 * 1024
SEED = 7


def frame_of(proof: Proof) -> bytes:
    """Return a whole frame, or what stands for one where the part has no checksum."""
    return proof.damage.frame() if isinstance(proof.damage, Damage) else b"\x01\x02\x03\x04" * 8


def others(proof: Proof) -> Iterator[bytes]:
    """Yield the frames of all parts but those of the same module, again and again."""
    mine = DRIVERS[proof.driver].__module__
    frames = [frame_of(p) for n, p in PROOFS.items() if DRIVERS[n].__module__ != mine]
    chance, sent = random.Random(SEED), 0
    while sent < SHARE:
        lump = b"".join(chance.sample(frames, len(frames)))
        sent += len(lump)
        yield lump


def streams(proof: Proof) -> Iterator[Iterator[bytes]]:
    """Yield the four kinds."""
    frame, chance = frame_of(proof), random.Random(SEED)
    for kind in (noise, truncated, endless):
        yield kind(frame, chance)
    yield others(proof)


def opener(proof: Proof, bed: Bed) -> Callable[[HostilePort], Any]:
    """Return what opens the driver; who looks it up and reads its options does so once."""
    driver, options = DRIVERS[proof.driver], options_of(proof)
    waits = {name: getattr(bed, name) for name in proof.waits}
    return lambda port: driver(port, options, **waits)


def besieged(proof: Proof, bed: Bed, port: HostilePort, stream: Iterator[bytes]) -> list[Any]:
    """Open the part in peace, let the stream take over, and return what is read from then on."""
    opened = opener(proof, bed)
    sensor = opened(port)
    before = play(bed, port, sensor, proof.every_ms).sample
    port.taken_over(stream)
    told: list[Any] = []
    while not port.over:
        try:
            if isinstance(sensor, Talker):
                sensor.feed(bed.now_ms)
            told.append((before.values, sensor.read(bed.now_ms)))
        except DriverError:
            sensor.close()
            sensor = reopened(opened, port) or sensor
    sensor.close()
    return told


def reopened(opened: Callable[[HostilePort], Any], port: HostilePort) -> Any:
    """Open it again, as the bus thread does; a stranger's stream must not get so far."""
    try:
        return opened(port)
    except DriverError:
        return None


def invented(before: tuple[float | None, ...], sample: Sample) -> list[float]:
    """Return the values that are told as good and that the honest part did not say."""
    quality = sample.quality or (Quality.OK,) * len(sample.values)
    return [
        value
        for value, was, how in zip(sample.values, before, quality, strict=True)
        if value is not None and value != was and how is Quality.OK
    ]


@pytest.mark.parametrize("name", DRIVERS)
def test_a_million_hostile_bytes_make_no_reading_and_leave_nothing_behind(name: str) -> None:
    proof, bed = PROOFS[name], Bed()
    honest = proof.part(bed)
    assert isinstance(honest, Cable)
    for stream in streams(proof):  # what is made once, such as a pattern, is made by then
        besieged(proof, bed, HostilePort(honest), islice(stream, 2))
    gc.collect()
    tracemalloc.start()
    try:
        for stream in streams(proof):
            for before, sample in besieged(proof, bed, HostilePort(honest), stream):
                assert not invented(before, sample), sample
        gc.collect()
        grown, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert grown <= GROWTH_MOST
