"""The plan is the accepted document beside the configuration, or the one that is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edgenode.commission.evidence import Plan, Planned
from edgenode.commission.planned import planned
from tests.commission.cases import NODE


def document(path: Path, *sensors: Any, **more: Any) -> Path:
    path.write_text(json.dumps({"serial": 7, "sensors": list(sensors)} | more))
    return path


def test_sensors_are_named_by_their_parts(tmp_path: Path) -> None:
    row = {"name": "air", "driver": "bme280", "bus": "i2c1", "address": 118}
    strange = {"name": "x", "driver": "of-tomorrow"}
    path = document(tmp_path / "node.json", row, strange)
    wanted = (Planned("air", "BME280", "i2c1"), Planned("x", "of-tomorrow", ""))
    assert planned(path, NODE) == Plan(str(path), 7, wanted)


def test_the_document_of_another_node_is_no_plan_of_this_one(tmp_path: Path) -> None:
    path = document(tmp_path / "node.json", node={"id": "ffffffff"})
    found = planned(path, NODE)
    assert found
    assert found.problem == "is the document of node ffffffff, and this is node 0a1b2c3d"
    document(path, node={"id": "0A1B2C3D"})
    assert planned(path, NODE) == Plan(str(path), 7)


def test_without_a_document_there_is_no_plan(tmp_path: Path) -> None:
    assert planned(tmp_path / "node.json", NODE) is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "is no JSON"),
        ("[]", "has no list of sensors"),
        ('{"sensors": 1}', "has no list of sensors"),
        ('{"sensors": [{"name": "air"}]}', "has no list of sensors"),
        ("[" * 100_000, "is no JSON"),
        (" " * 262_145, "is larger than"),
    ],
    ids=["cut", "a list", "a number", "without driver", "deep", "large"],
)
def test_what_is_no_plan_is_told(tmp_path: Path, text: str, problem: str) -> None:
    path = tmp_path / "node.json"
    path.write_text(text)
    found = planned(path, NODE)
    assert found
    assert found.problem.startswith(problem)


def test_a_plan_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    found = planned(tmp_path, NODE)
    assert found
    assert found.problem.startswith("cannot be read")
