"""No bytes make the decoder crash, hang or take memory beyond its limits."""

from __future__ import annotations

import tracemalloc

import pytest

from edgenode.errors import WireError
from edgenode.wire import MAX_BYTES, MAX_WORK, Batch, Birth, decode, expand, schema_of
from tests.wire import fuzz
from tests.wire.vectors import births
from tests.wire.vectors.others import batch_map
from tests.wire.vectors.raw import Raw, bits, head, written

HANG_MS = 100.0
NOISE = 4  # more than a shared machine is slower at one kind of work than at another
MEMORY = 48 << 20  # bytes; 65,536 rows of integers with their stamps take about a third


def test_bent_messages_are_read_or_refused_and_nothing_else() -> None:
    report = fuzz.run(seed=20, count=15_000)
    assert report.slowest_ms < HANG_MS
    assert report.read > 100  # the inputs come near enough to valid messages to get through


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_a_million_bent_messages_stay_within_time_and_memory() -> None:
    tracemalloc.start()
    try:
        report = fuzz.run(seed=21, count=1_000_000)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    print(f"\n{report}, traced memory at most {peak / 1e6:.1f} MB")  # noqa: T201 - the figures asked for
    assert report.slowest_ms < HANG_MS * NOISE  # tracing alone takes most of it
    assert peak < MEMORY


def hostile() -> dict[str, bytes]:
    """Return the largest messages of each shape that costs a decoder most."""

    def repeated(item: bytes, count: int) -> Raw:
        return Raw(head(4, count) + item * count)

    row = b"\x85\x00\x00\x00\x01\x81\xf6"

    def many(item: bytes) -> bytes:
        return written(batch_map(k99=repeated(item, (MAX_BYTES - 400) // len(item))))

    return {
        "small integers": many(b"\x00"),
        "long integers": many(b"\x1b" + b"\xff" * 8),
        "nulls": many(b"\xf6"),
        "empty strings": many(b"\x40"),
        "floats": many(b"\xf9\x3c\x00"),
        "long floats": many(b"\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a"),
        "arrays in an array": many(b"\x81\x00"),
        "maps in an array": many(b"\xa1\x00\x00"),
        "groups": written(batch_map(k8=repeated(row, 4_096))),
        "too many groups": written(batch_map(k8=repeated(row, 32_000))),
        "events": written(batch_map(k9=repeated(b"\x83\x00\xf6\x01", 49_000))),
        "anchors": written(batch_map(k7=[[at, 0, 3, 0] for at in range(28_000)])),
    }


def test_a_batch_has_at_most_4096_groups() -> None:
    shapes = hostile()
    batch = decode(shapes["groups"])
    assert isinstance(batch, Batch)
    assert len(batch.groups) == 4_096
    with pytest.raises(WireError, match="0 to 4096 are allowed"):
        decode(shapes["too many groups"])


@pytest.mark.parametrize("shape", hostile())
def test_the_largest_message_of_a_shape_is_done_with_in_time(shape: str) -> None:
    assert fuzz.spent(hostile()[shape], None) < HANG_MS * NOISE


def test_the_most_work_that_is_allowed_is_done_in_time_and_memory() -> None:
    birth = Birth(births.NODE, {0: births.WIDE[:16]})
    column = "001 000000 00010" + "1111 0 11" * 4_095  # 7 bits a value, all of it work
    group = [0, 0, 1_000, 4_096, bits(column * 16)]
    assert MAX_WORK == 16 * 4_096
    data = written(batch_map(k5=schema_of(birth.groups), k8=[group], k99=0))
    if len(data) > MAX_BYTES:
        pytest.fail("the message was meant to be within 256 KiB")
    tracemalloc.start()
    try:
        message = decode(data)
        assert isinstance(message, Batch)
        expand(message, birth)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < MEMORY
    assert fuzz.spent(data, birth) < HANG_MS * NOISE


def test_flags_by_the_thousand_are_checked_in_time() -> None:
    flags = [[at % 15, at // 15, 1, 4] for at in range(30_000)]
    birth = Birth(births.NODE, {0: births.WIDE[:15]})
    group = [0, 0, 1_000, 4_096, bits("000 000000" * 15), None, flags]
    data = written(batch_map(k5=schema_of(birth.groups), k8=[group]))
    message = decode(data)
    assert isinstance(message, Batch)
    expand(message, birth)
    assert fuzz.spent(data, birth) < HANG_MS * NOISE
