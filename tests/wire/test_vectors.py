"""The frozen vectors: every valid one means what it says, every other one is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgenode.errors import UnknownVersion, WireError
from edgenode.wire import Batch, Birth, Message, decode, expand
from tests.wire.vectors import generate
from tests.wire.vectors.meaning import meaning
from tests.wire.vectors.others import batch_map, birth_map
from tests.wire.vectors.raw import Raw, written

HERE = Path(__file__).parent / "vectors"
VALID = json.loads((HERE / "valid.json").read_text(encoding="ascii"))
REFUSED = json.loads((HERE / "refused.json").read_text(encoding="ascii"))
COLUMNS = json.loads((HERE / "column-vectors.json").read_text(encoding="ascii"))


def read_fully(data: str, birth: str | None) -> Message:
    message = decode(bytes.fromhex(data))
    if birth is None or not isinstance(message, Batch):
        return message
    dictionary = decode(bytes.fromhex(birth))
    assert isinstance(dictionary, Birth)
    return expand(message, dictionary)


@pytest.mark.parametrize("case", VALID, ids=lambda case: case["name"])
def test_valid_message_means_what_the_vector_says(case: dict[str, Any]) -> None:
    assert meaning(read_fully(case["data"], case["birth"])) == case["meaning"]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case["name"])
def test_refused_message_is_refused_for_its_reason(case: dict[str, Any]) -> None:
    if case["at"] == "expand":
        decode(bytes.fromhex(case["data"]))
    with pytest.raises(WireError) as caught:
        read_fully(case["data"], case["birth"])
    assert case["says"] in str(caught.value)
    assert isinstance(caught.value, UnknownVersion) == case["version"]


def test_the_frozen_files_are_what_the_encoder_writes_today() -> None:
    assert generate.valid() == VALID
    assert generate.refused() == REFUSED


def test_there_are_enough_refused_vectors() -> None:
    assert len(REFUSED) >= 60


@pytest.mark.parametrize("case", COLUMNS, ids=range(len(COLUMNS)))
def test_groups_of_an_independent_implementation_read_identically(case: dict[str, Any]) -> None:
    batch, birth = spliced(case)
    rows = expand(batch, birth).groups
    assert [group.gid for group in rows] == [want["gid"] for want in case["rows"]]
    for group, want in zip(meaning_of(batch, birth), case["rows"], strict=True):
        assert group["times"] == want["t"]
        assert group["columns"] == [c and [int(v) for v in c] for c in want["columns"]]
        assert group["flags"] == want["flags"]


def meaning_of(batch: Batch, birth: Birth) -> list[dict[str, Any]]:
    groups: list[dict[str, Any]] = meaning(expand(batch, birth))["groups"]
    return groups


def spliced(case: dict[str, Any]) -> tuple[Batch, Birth]:
    groups = {
        int(gid): [{0: f"g{gid}/c{at}", 1: "1", 2: 0, 3: 0} for at in range(count)]
        for gid, count in sorted(case["channels"].items(), key=lambda item: int(item[0]))
    }
    birth = decode(written(birth_map(groups)))
    assert isinstance(birth, Birth)
    raw = Raw(bytes.fromhex(case["groups"]))
    batch = decode(written(batch_map(k5=birth.schema, k6=case["tb"], k8=raw)))
    assert isinstance(batch, Batch)
    return batch, birth
