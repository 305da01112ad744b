"""What a node says of its commissioning is shown as far as it makes sense, never believed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgenode.cityos.city import City
from edgenode.cityos.intake import Incoming
from edgenode.cityos.operate.commissioned import commissioned, read
from edgenode.cityos.operate.nodes import fleet
from edgenode.cityos.sink import Sink
from edgenode.cli.citynodes import as_json, as_text
from edgenode.wire import About, encode
from tests.support.operated import T0, Fielded, take

NODE = bytes.fromhex("a1b2c3d4e5f6")
RECORD: dict[str, Any] = {"node": NODE.hex(), "at_utc_ms": T0, "verdict": "PASS", "version": 1}


def told(node: Fielded, record: str) -> Incoming:
    about = About(node.node, {"name": "Harbour"}, commission=record)
    return Incoming(node.topic("about"), encode(about), T0, True)


def test_the_record_of_the_newest_about_is_shown_with_the_fleet(city: City, sink: Sink) -> None:
    node = Fielded(NODE.hex())
    take(city, node.birth(), told(node, json.dumps(RECORD)))
    [one] = fleet(sink, T0)
    assert as_json(one, [])["commissioned"] == {
        "at_utc_ms": T0, "verdict": "PASS", "signed": False
    }  # fmt: skip
    assert "PASS 2026-" in "\n".join(as_text([(one, [])], 1, 0))
    later = RECORD | {"verdict": "FIX", "at_utc_ms": T0 + 1, "signature": {"value": "x"}}
    take(city, told(node, json.dumps(later)))
    found = commissioned(sink, NODE)
    assert found
    assert (found.verdict, found.at, found.signed) == ("FIX", T0 + 1, True)


def test_a_node_that_told_no_record_has_none(city: City, sink: Sink) -> None:
    assert commissioned(sink, NODE) is None
    node = Fielded(NODE.hex())
    take(city, node.birth(), node.about("Harbour"))
    [one] = fleet(sink, T0)
    assert one.commissioned is None
    assert as_json(one, [])["commissioned"] is None


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "7", "[" * 4_000,
        json.dumps(RECORD | {"node": "ffffffff"}),
        json.dumps(RECORD | {"verdict": "<b>"}),
        json.dumps(RECORD | {"verdict": ["PASS"]}),
        json.dumps(RECORD | {"at_utc_ms": "now"}),
        json.dumps(RECORD | {"at_utc_ms": True}),
        json.dumps(RECORD | {"disk_free_mb": float("nan")}),
        json.dumps(RECORD | {"disk_free_mb": 7}).replace(": 7", ": 1e999"),
        json.dumps(RECORD | {"at_utc_ms": 10**18}),
        json.dumps(RECORD | {"at_utc_ms": -1}),
    ],
)  # fmt: skip
def test_what_is_no_record_of_that_node_is_none(text: str) -> None:
    assert read(text, NODE) is None
