"""Whatever is done to a node.json: it is the one that was signed, or it is refused, soon."""

from __future__ import annotations

import copy
import json
import random
import time
import tracemalloc
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenode.errors import ProvisionError
from edgenode.provision.canonical import MAX_BYTES, pretty
from edgenode.provision.configuration import render
from edgenode.provision.document import digest, read, sign
from edgenode.provision.tables import Document
from tests.support.nodejson import CITY, Place, city, text, whole

SIGNED: Final = sign(whole(), CITY)
DATA: Final = pretty(SIGNED)
DIGEST: Final = digest(read(DATA, [city()]))
CPU_S: Final = 5.0  # of this process, also where others keep the machine busy
MEMORY: Final = 64 << 20
STRANGE: Final[list[Any]] = [
    None, True, 0, -1, 1.5, 1e300, 2**53, "", "x", "\x00", "\ud800", "시", "a" * 2000, [], {}, [[]],
    [{}], {"": ""}, {"name": "x"}, "10.0.0.1", "-----BEGIN CERTIFICATE-----\n",
]  # fmt: skip


def judged(data: bytes, *, anybody: bool = False) -> Document | None:
    """The document, or None where it is refused; anything else that is raised is a defect."""
    try:
        return read(data, None if anybody else [city()])
    except ProvisionError as exc:
        problems = exc.problems
    assert problems
    assert all(problem and "Error" not in problem for problem in problems)
    return None


def places(value: Any, place: Place = ()) -> list[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for name, one in inner:
        found.append((*place, name))
        if isinstance(one, dict | list):
            found += places(one, (*place, name))
    return found


PLACES: Final = places(SIGNED)
bites = st.lists(
    st.tuples(
        st.sampled_from(["put", "drop", "double", "insert"]),
        st.integers(0, len(DATA)),
        st.binary(min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=4,
)
steps = st.lists(
    st.tuples(
        st.sampled_from(["put", "drop", "rename", "move"]),
        st.sampled_from(PLACES),
        st.sampled_from(PLACES),
        st.sampled_from(STRANGE),
    ),
    min_size=1,
    max_size=4,
)


def bitten(bites: list[tuple[str, int, bytes]]) -> bytes:
    data = bytearray(DATA)
    for what, at, some in bites:
        if what == "put":
            data[at : at + len(some)] = some
        elif what == "drop":
            del data[at : at + len(some)]
        elif what == "double":
            data[at:at] = data[max(0, at - 40) : at]
        else:
            data[at:at] = some
    return bytes(data)


def reached(value: Any, place: Place) -> Any:
    for part in place:
        value = value[part]
    return value


def mutated(steps: list[tuple[str, Place, Place, Any]]) -> dict[str, Any]:
    made = copy.deepcopy(SIGNED)
    for what, place, other, strange in steps:
        try:
            around = reached(made, place[:-1])
            if what == "put":
                around[place[-1]] = copy.deepcopy(strange)
            elif what == "drop":
                del around[place[-1]]
            elif what == "rename":
                around[f"{place[-1]}x"] = around.pop(place[-1])
            else:
                around[place[-1]] = copy.deepcopy(reached(made, other))
        except (LookupError, TypeError, AttributeError):  # an earlier step took that away
            continue
    return made


@settings(max_examples=200, deadline=None)
@given(bites)
def test_bytes_that_are_accepted_say_what_was_signed(bites: list[tuple[str, int, bytes]]) -> None:
    data = bitten(bites)
    found = judged(data)
    assert found is None or digest(found) == DIGEST
    judged(data, anybody=True)


@settings(max_examples=200, deadline=None)
@given(steps)
def test_members_that_are_accepted_are_those_that_were_signed(
    steps: list[tuple[str, Place, Place, Any]],
) -> None:
    data = json.dumps(mutated(steps)).encode()
    found = judged(data)
    assert found is None or digest(found) == DIGEST


@settings(max_examples=120, deadline=None)
@given(steps)
def test_what_a_city_signs_by_mistake_is_refused_or_renders(
    steps: list[tuple[str, Place, Place, Any]],
) -> None:
    found = judged(json.dumps(mutated(steps)).encode(), anybody=True)
    if found is not None:
        assert render(found).startswith("# Made from node.json")


@settings(max_examples=100, deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_any_bytes_are_refused(data: bytes) -> None:
    assert judged(data) is None
    assert judged(data, anybody=True) is None


def _words(length: int, count: int) -> list[str]:
    chance = random.Random(length)
    return ["".join(chance.choices("abcdefgh ", k=length)) for _ in range(count)]


def _sensors(count: int, **more: Any) -> list[dict[str, Any]]:
    rest = {"driver": "bme280", "bus": "i2c1", "every_s": 10, "purpose": "x"}
    return [{"name": f"s{n}", **rest, **more} for n in range(count)]


HOSTILE: Final[dict[str, bytes]] = {
    "brackets": b"[" * MAX_BYTES,
    "objects": b'{"a":' * (MAX_BYTES // 5),
    "quotes": b'"\\"' * (MAX_BYTES // 3),
    "digits": b'{"a":' + b"9" * (MAX_BYTES - 6) + b"}",
    "exponent": b'{"a":1e' + b"9" * (MAX_BYTES - 8) + b"}",
    "doubles": b"{" + b",".join([b'"a":1'] * 40_000) + b"}",
    "names": text({f"k{n}": 0 for n in range(15_000)}),
    "long names": text(dict.fromkeys(_words(900, 250), 0)),
    "translations": text(
        whole()
        | {"site": {"ko": dict.fromkeys(_words(180, 500), "x")}}
        | {"sensors": [row | {"purpose": word} for row in _sensors(8) for word in _words(181, 50)]}
    ),
    "options": text(whole() | {"sensors": _sensors(600, **dict.fromkeys(_words(5, 15), 1))}),
    "buses": text(whole() | {"sensors": _sensors(1000, bus="i2c-1")}),
    "drivers": text(whole() | {"sensors": _sensors(1000, driver="bme28O")}),
    "sensors": text(whole() | {"sensors": _sensors(2000)}),
    "certificates": text(whole() | {"trust": "-----BEGIN CERTIFICATE-----\n" * 2000}),
    "keys": text(whole() | {"ssh_keys": [f"ssh-rsa {'AAAAAQAA' * 1000}"] * 31}),
}  # fmt: skip


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_the_worst_that_fits_is_refused_in_bounded_time_and_memory(data: bytes) -> None:
    assert len(data) <= MAX_BYTES
    began = time.process_time()
    assert judged(data, anybody=True) is None
    assert time.process_time() - began < CPU_S
    tracemalloc.start()
    try:
        judged(data)
        assert tracemalloc.get_traced_memory()[1] < MEMORY
    finally:
        tracemalloc.stop()
