"""Messages that must be read although the encoder would not write them so."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cbor2

from edgenode.reading import Anchor, ClockSource, Privacy
from edgenode.wire import (
    About,
    Ack,
    Birth,
    Flag,
    Loss,
    Message,
    Previous,
    Rows,
    State,
    WireEvent,
    encode,
    schema_of,
)
from tests.wire.vectors import births
from tests.wire.vectors.births import NODE, SPOOL
from tests.wire.vectors.raw import bits, written
from tests.wire.vectors.valid import ANCHOR, EMPTY, Valid


def batch_map(birth: Birth = births.CITY, **changes: Any) -> dict[int, Any]:
    """Return the map of an empty batch; `k8=...` sets key 8, `...` as value removes it."""
    entries = cbor2.loads(encode(replace(EMPTY, schema=schema_of(birth.groups)), birth))
    entries |= {int(key[1:]): value for key, value in changes.items()}
    return {key: entries[key] for key in sorted(entries) if entries[key] is not ...}


def of_others() -> Iterator[Valid]:
    """Yield what is allowed and yet not what `encode` would choose."""
    yield from _unknown_parts()
    yield from _unknown_codes()
    yield from _modes()
    yield from _groups()
    yield from _flags_of_nothing()
    for name, data, means in _other_kinds():
        yield Valid(name, written(data), None, means)


def _unknown_parts() -> Iterator[Valid]:
    group = [0, 0, 1000, 1, [[1], None, [2]], None, [[0, 0, 1, 4, 9, [1]]], "more"]
    events: list[Any] = [[0, None, 14, 1, 0, "more", {}]]
    data = batch_map(
        k7=[[*ANCHOR, "more"]],
        k8=[group],
        k9=events,
        k12=[[0, 0, 1, 0, 0, 0, "more"]],
        k15=[2, 1, 1, 1, "more"],
        k99={"x": {}, "nested": [1.5, None, True, b"\x00"]},
    )
    mixed: dict[Any, Any] = {**data, -1: "a negative key", "text": "key"}
    means = replace(
        EMPTY,
        groups=(Rows(0, 1000, (3_600_000,), ((1,), None, (2,)), (Flag(0, 0, 1, 4),)),),
        events=(WireEvent(3_600_000, None, 14, 1),),
        losses=(Loss(0, 0, 1, 0, 0, 0),),
        previous=Previous(2, 1, 1, 1),
    )
    yield Valid(
        "unknown keys and elements after the last known", written(mixed), births.CITY, means
    )
    deep: Any = 0
    for _ in range(15):
        deep = [deep]
    yield Valid("nesting of 16", written(batch_map(k99=deep)), births.CITY, EMPTY)
    null = batch_map(k8=[[0, 0, 1000, 1, [[1], None, None], None]])
    rows = Rows(0, 1000, (3_600_000,), ((1,), None, None))
    yield Valid("tres null", written(null), births.CITY, replace(EMPTY, groups=(rows,)))
    spelt_out = batch_map(k9=[[0, None, 9, None], [0, None, 9, None, 0]])
    events_meant = (WireEvent(3_600_000, None, 9),) * 2
    yield Valid(
        "defaults of an event spelt out",
        written(spelt_out),
        births.CITY,
        replace(EMPTY, events=events_meant),
    )


def _unknown_codes() -> Iterator[Valid]:
    anchors = batch_map(k7=[[1, 2, 8, 3], [2, 2, 2**53 - 1, 3]])
    means = replace(EMPTY, anchors=(Anchor(1, 2, ClockSource.NONE, 3), Anchor(2, 2, 0, 3)))
    yield Valid("unknown clock reads as none", written(anchors), births.CITY, means)
    means = replace(EMPTY, privacy=Privacy.AGGREGATE)
    yield Valid("unknown privacy reads as aggregate", written(batch_map(k11=3)), births.CITY, means)
    quality = batch_map(k9=[[0, None, 5000, None, 16]])
    event = WireEvent(3_600_000, None, 5000, None, 16)
    means = replace(EMPTY, events=(event,))
    yield Valid("unknown event and quality are kept", written(quality), births.CITY, means)


def _modes() -> Iterator[Valid]:
    """Yield every mode at n = 1 and each where another would be shorter."""
    five = "000100 1010"  # L = 4, zigzag(5) = 10
    for mode in range(7):
        ks = "" if mode == 0 else "00011" if mode < 4 else "00011 00001"
        yield _packed(f"mode {mode} of one row", 1, ((5,),), f"{mode:03b} {five} {ks}")
    yield _packed("residuals of a constant", 3, ((5, 5, 5),), f"010 {five} 00000 0 0")
    yield _packed("zero-runs of a constant", 3, ((5, 5, 5),), f"101 {five} 00000 00000 110")
    yield _packed("empty runs", 3, ((5, 6, 5),), f"101 {five} 00000 00000 0 10 0 0")
    escape = f"010 {five} 00000 1111111111111111 0000100 10000"
    yield _packed("the least escape", 2, ((5, 13),), escape)
    yield _packed("k of 31", 2, ((5, 6),), f"010 {five} 11111 0 {2:031b}")
    top = 2**50 - 1
    wide = f"010 110011 {2 * top:051b} 00000 1111111111111111 0110011 {2 * 2 * top - 1:052b}"
    yield _packed("an escape of 52 bits", 2, ((top, -top),), wide)
    yield _packed("zero between absent ones", 1, (None, (0,), None), "111 000 000000 111")
    three = batch_map(births.THREE, k8=[[0, 0, 5, 1, bits("111 111 111")]])
    rows = Rows(0, 5, (3_600_000,), (None, None, None))
    means = replace(EMPTY, schema=schema_of(births.THREE.groups), groups=(rows,))
    yield Valid("padding like an absent column", written(three), births.THREE, means)


def _packed(name: str, n: int, columns: tuple[Any, ...], digits: str) -> Valid:
    birth = births.ONE if len(columns) == 1 else births.THREE
    data = batch_map(birth, k8=[[0, 0, 5, n, bits(digits)]])
    times = tuple(3_600_000 + 5 * at for at in range(n))
    rows = Rows(0, 5, times, columns)
    means = replace(EMPTY, schema=schema_of(birth.groups), groups=(rows,))
    return Valid(f"columns: {name}", written(data), birth, means)


def _groups() -> Iterator[Valid]:
    for name, tres in {"plain": [0, 3, -1], "packed": bits("010 000000 00010 001 1000")}.items():
        data = batch_map(k8=[[0, 7, 100, 3, [[1, 1, -5], None, None], tres]])
        times = (3_600_007, 3_600_110, 3_600_209)
        if name == "packed":
            times = _packed_times()
        rows = Rows(0, 100, times, ((1, 2, -3), None, None))
        yield Valid(f"tres {name}", written(data), births.CITY, replace(EMPTY, groups=(rows,)))
    mixed = batch_map(k8=[[1, 0, 5, 2, [[2**49, 2**49 - 1], None]], [0, 0, 5, 1, bits("111" * 3)]])
    groups = (
        Rows(1, 5, (3_600_000, 3_600_005), ((2**49, 2**50 - 1), None)),
        Rows(0, 5, (3_600_000,), (None, None, None)),
    )
    means = replace(EMPTY, groups=groups, privacy=Privacy.INTERNAL)
    yield Valid("gids out of order, class not said", written(mixed), births.CITY, means)


def _flags_of_nothing() -> Iterator[Valid]:
    flags = [[1, 0, 1, 4], [0, 0, 1, 3], [255, 1, 1, 5]]
    for name, first in {"an absent column": [7, 0], "no present column": None}.items():
        data = batch_map(k8=[[0, 0, 5, 2, [first, None, None], None, flags]])
        column = None if first is None else (7, 7)
        meant = tuple(Flag(*flag) for flag in flags)
        rows = Rows(0, 5, (3_600_000, 3_600_005), (column, None, None), meant)
        means = replace(EMPTY, groups=(rows,))
        yield Valid(f"flags of {name}", written(data), births.CITY, means)


def _packed_times() -> tuple[int, int, int]:
    # k = 2: 0 01 -> zigzag 1 -> -1; 1 0 00 -> 4 -> +2: tres is 0, -1, 1
    return 3_600_007, 3_600_106, 3_600_208


def _other_kinds() -> Iterator[tuple[str, Any, Message]]:
    extra = {99: "later", "more": [1]}
    state = State(NODE, SPOOL, online=True, epoch=3, connect_ms=9)
    yield "state with more", {0: 1, 1: NODE, 14: SPOOL, 40: True, 41: [3, 9, 7]} | extra, state
    ranges = {0: [[1, 2, "more"], [3, 3]]}
    ack = Ack(NODE, SPOOL, {0: ((1, 2), (3, 3))}, ((4, 1, 1),))
    asked = {0: 1, 1: NODE, 14: SPOOL, 30: ranges, 31: [[4, 1, 1, "more"]]}
    yield "ack with more, ranges that touch", asked | extra, ack
    about = {0: 1, 1: NODE, 21: {"": {"1": "", "x": [None]}}, 22: {}, 23: "", 24: "x"}
    yield "about with every shape", about, About(NODE, {"": {"1": "", "x": [None]}}, {}, "", "x")
    longest = "é" * 2048  # 4,096 bytes
    most = {0: 1, 1: NODE, 21: {}, 25: longest}
    yield "about with the longest commission", most, About(NODE, {}, commission=longest)
    yield "about with an empty commission", most | {25: ""}, About(NODE, {})
    channel = {0: "a/b", 1: "", 2: -18, 3: 1, 5: [0, 2**50 - 1, 1], 11: 9, 12: 1, 98: 1}
    groups = {5: [channel]}
    entry = births.ONE.groups[0][0]
    read = replace(
        entry,
        unit="",
        scale=-18,
        kind=entry.kind.COUNTER,
        low=0.0,
        high=(2**50 - 1) / 10**18,
        privacy=Privacy.AGGREGATE,
        modulus=1,
    )
    schema = _schema(groups)
    yield (
        "birth with more",
        {0: 1, 1: NODE, 5: schema, 20: groups} | extra,
        Birth(NODE, {5: (read,)}, schema),
    )


def _schema(groups: Any) -> bytes:
    return hashlib.sha256(written(groups)).digest()[:8]


def birth_map(groups: Any, **changes: Any) -> dict[int, Any]:
    """Return the map of a birth with the right schema for any value of key 20."""
    entries = {0: 1, 1: NODE, 5: _schema(groups), 20: groups}
    return entries | {int(key[1:]): value for key, value in changes.items()}
