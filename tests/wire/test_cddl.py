"""The schema docs/edge-batch-v1.cddl, as an independent validator reads it, beside the encoder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cddl_verifier import Validator
from hypothesis import HealthCheck, given, settings

from edgenode.errors import WireError
from edgenode.wire import About, Ack, Batch, Birth, State, decode, encode
from tests.wire import messages
from tests.wire.vectors.others import batch_map, birth_map
from tests.wire.vectors.raw import written

ROOT = Path(__file__).parents[2]
SCHEMA = Validator(ROOT / "docs" / "edge-batch-v1.cddl")
VALID = json.loads((ROOT / "tests/wire/vectors/valid.json").read_text(encoding="ascii"))
NODE, SPOOL = bytes(6), bytes(8)

# What a receiver must read and a sender of today does not write: later codes, longer arrays.
LATER = {
    "losses and the lowest seq held",  # a loss reason of later
    "unknown keys and elements after the last known",
    "unknown clock reads as none",
    "unknown privacy reads as aggregate",
    "state with more",
    "ack with more, ranges that touch",
    "birth with more",
}
generated = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def check(data: bytes) -> None:
    """Fail unless the bytes are deterministic CBOR that the schema describes."""
    result = SCHEMA.validate(data, require_deterministic=True)
    assert result.valid, result.errors


@pytest.mark.parametrize(
    "case", [case for case in VALID if case["name"] not in LATER], ids=lambda case: case["name"]
)
def test_every_valid_vector_is_what_the_schema_describes(case: dict[str, Any]) -> None:
    check(bytes.fromhex(case["data"]))


def test_what_the_schema_of_today_lacks_is_read_all_the_same() -> None:
    later = {case["name"]: bytes.fromhex(case["data"]) for case in VALID if case["name"] in LATER}
    assert set(later) == LATER
    for name, data in later.items():
        assert not SCHEMA.validate(data).valid, name
        decode(data)


@generated
@given(messages.batches())
def test_a_batch_of_any_shape_is_what_the_schema_describes(made: tuple[Batch, Birth]) -> None:
    check(encode(*made))


@generated
@given(messages.births())
def test_any_birth_is_what_the_schema_describes(birth: Birth) -> None:
    check(encode(birth))


@generated
@given(messages.abouts | messages.states | messages.acks)
def test_any_other_message_is_what_the_schema_describes(message: About | State | Ack) -> None:
    check(encode(message))


def group(*, n: Any = 1, cols: Any = b"\xff", rest: tuple[Any, ...] = ()) -> list[Any]:
    return [0, 0, 1000, n, cols, *rest]


def without(key: int) -> dict[int, Any]:
    return {other: value for other, value in batch_map().items() if other != key}


def channel(**changes: Any) -> dict[int, Any]:
    """Return a channel; `k3=...` sets key 3, `...` as value removes it."""
    entries = {0: "a/b", 1: "1", 2: 0, 3: 0} | {int(k[1:]): v for k, v in changes.items()}
    return {key: value for key, value in entries.items() if value is not ...}


def birth(**changes: Any) -> dict[int, Any]:
    return birth_map({0: [channel(**changes)]})


def state(**changes: Any) -> dict[int, Any]:
    entries = {0: 1, 1: NODE, 14: SPOOL, 40: True, 41: [3, 9]}
    return entries | {int(key[1:]): value for key, value in changes.items()}


def ack(**changes: Any) -> dict[int, Any]:
    entries = {0: 1, 1: NODE, 14: SPOOL, 30: {0: [[1, 2]]}}
    return entries | {int(key[1:]): value for key, value in changes.items()}


SOUND = [batch_map(k8=[group()]), birth(), state(), ack(), {0: 1, 1: NODE, 21: {}}]
BROKEN = {
    **{f"batch without key {key}": without(key) for key in (1, 3, 5, 7, 8, 14)},
    **{f"channel without key {key}": birth(**{f"k{key}": ...}) for key in range(4)},
    "version 2": batch_map(k0=2),
    "node of 3 bytes": batch_map(k1=bytes(3)),
    "negative epoch": batch_map(k2=-1),
    "seq 0": batch_map(k3=0),
    "r0 of 2^53": batch_map(k4=1 << 53),
    "schema as text": batch_map(k5="12345678"),
    "tb as a float": batch_map(k6=1.5),
    "anchor of three": batch_map(k7=[[1, 2, 3]]),
    "groups as a map": batch_map(k8={}),
    "group of four elements": batch_map(k8=[[0, 0, 1000, 1]]),
    "n of 0": batch_map(k8=[group(n=0)]),
    "n of 4097": batch_map(k8=[group(n=4097)]),
    "columns as text": batch_map(k8=[group(cols="x")]),
    "256 columns": batch_map(k8=[group(cols=[None] * 256)]),
    "first value of 2^50": batch_map(k8=[group(cols=[[1 << 50]])]),
    "no flag": batch_map(k8=[group(cols=[[1]], rest=(None, []))]),
    "flag of no row": batch_map(k8=[group(cols=[[1]], rest=(None, [[0, 0, 0, 4]]))]),
    "quality 14": batch_map(k8=[group(cols=[[1]], rest=(None, [[0, 0, 1, 14]]))]),
    "no event": batch_map(k9=[]),
    "event with text": batch_map(k9=[[0, None, 1, "open"]]),
    "stream 16": batch_map(k10=16),
    "65 losses": batch_map(k12=[[0, 0, 1, 0, 0, 0]] * 65),
    "loss of five": batch_map(k12=[[0, 0, 1, 0, 0]]),
    "key 13 null": batch_map(k13=None),
    "spool of 7 bytes": batch_map(k14=bytes(7)),
    "key 15 of three": batch_map(k15=[1, 2, 3]),
    "birth without a group": birth_map({}),
    "group without a channel": birth_map({0: []}),
    "group of 256 channels": birth_map({0: [channel(k0=f"a/{at}") for at in range(256)]}),
    "negative gid": birth_map({-1: [channel()]}),
    "scale 19": birth(k2=19),
    "kind 3": birth(k3=3),
    "range of one": birth(k5=[1]),
    "about without a map": {0: 1, 1: NODE, 21: []},
    "about with numbers to read": {0: 1, 1: NODE, 21: {}, 22: {"purpose": 1}},
    "commission of 4097 bytes": {0: 1, 1: NODE, 21: {}, 25: "x" * 4097},
    "online as a number": state(k40=1),
    "connect of one": state(k41=[3]),
    "stream as text in an ack": ack(k30={"0": [[1, 2]]}),
    "stream without ranges": ack(k30={0: []}),
    "acked range of one": ack(k30={0: [[1]]}),
    "nothing asked for": ack(k31=[]),
    "birth of 4 bytes wanted": ack(k33=[bytes(4)]),
}


@pytest.mark.parametrize("message", SOUND, ids=["batch", "birth", "state", "ack", "about"])
def test_what_the_broken_messages_are_made_of_is_sound(message: dict[int, Any]) -> None:
    assert SCHEMA.validate(written(message)).valid
    decode(written(message))


@pytest.mark.parametrize("message", BROKEN.values(), ids=BROKEN)
def test_a_broken_message_is_refused_by_the_schema_and_by_the_decoder(
    message: dict[int, Any],
) -> None:
    assert not SCHEMA.validate(written(message)).valid
    with pytest.raises(WireError):
        decode(written(message))
