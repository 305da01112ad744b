"""What is encoded comes back as it was, and the strict reader agrees with cbor2."""

from __future__ import annotations

from dataclasses import replace

import cbor2
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgenode.wire import (
    About,
    Ack,
    Batch,
    Birth,
    RawGroup,
    Rows,
    State,
    cbor,
    decode,
    encode,
    expand,
    schema_of,
)
from edgenode.wire.codec import encode_batch
from edgenode.wire.columns import pack, unpack
from tests.wire import messages
from tests.wire.vectors import births
from tests.wire.vectors.meaning import meaning
from tests.wire.vectors.valid import EMPTY

BOUNDED = settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**64), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary()
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@BOUNDED
@given(messages.batches())
def test_a_batch_comes_back_packed_and_plain(made: tuple[Batch, Birth]) -> None:
    batch, birth = made
    data = encode(batch, birth)
    decoded = decode(data)
    plain = decode(encode_batch(batch, birth, plain=True))
    assert isinstance(decoded, Batch)
    assert isinstance(plain, Batch)
    rows = expand(decoded, birth)
    assert rows == expand(plain, birth)
    assert rows.events == batch.events
    assert meaning(rows) == meaning(expand(batch, birth))
    assert encode(rows, birth) == data


@BOUNDED
@given(messages.births() | messages.abouts | messages.states | messages.acks)
def test_any_other_message_comes_back(message: Birth | About | State | Ack) -> None:
    data = encode(message)
    assert encode(decode(data)) == data
    if not isinstance(message, (Birth, About)):  # their numbers are rounded, their tuples lists
        assert decode(data) == message


@st.composite
def columns(draw: st.DrawFn) -> tuple[int, list[tuple[int, ...] | None]]:
    """Columns as sensors give them: still, drifting, noisy, jumping or without any sense."""
    n, made = draw(st.integers(1, 60)), []
    for _ in range(draw(st.integers(0, 4))):
        spread = draw(st.sampled_from([0, 1, 9, 1_000, 2**30, 2**49]))
        noise = draw(st.lists(st.integers(-spread, spread), min_size=n, max_size=n))
        slope = draw(st.integers(-99, 99))
        values = tuple(slope * at + x for at, x in enumerate(noise))
        made.append(draw(st.sampled_from([values, values, None])))
    return n, made


@settings(max_examples=300, deadline=None)
@given(columns())
def test_columns_come_back(made: tuple[int, list[tuple[int, ...] | None]]) -> None:
    n, given_columns = made
    expected = tuple(None if column is None else list(column) for column in given_columns)
    assert unpack(pack(given_columns), n, len(given_columns)) == expected


@BOUNDED
@given(st.dictionaries(st.text(), TREES, max_size=4))
def test_strict_reading_agrees_with_cbor2(value: dict[str, object]) -> None:
    data = cbor.dumps(value)
    read, raw = cbor.loads(data)
    assert read == value == cbor2.loads(data)
    assert {key: cbor2.loads(item) for key, item in raw.items()} == value


def test_plain_columns_travel_where_they_are_shorter() -> None:
    birth = births.ONE
    batch = replace(EMPTY, schema=schema_of(birth.groups))
    shapes = {(23, 0): tuple, (7,) * 60: bytes}
    for values, form in shapes.items():
        times = tuple(EMPTY.tb + at for at in range(len(values)))
        data = encode(replace(batch, groups=(Rows(0, 1, times, (values,)),)), birth)
        decoded = decode(data)
        assert isinstance(decoded, Batch)
        assert isinstance(decoded.groups[0], RawGroup)
        assert type(decoded.groups[0].cols) is form
