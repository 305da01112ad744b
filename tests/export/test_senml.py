"""SenML as RFC 8428 has it, read back by a strict reader and by somebody else's library."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import cbor2
import pytest
from kpn_senml import SenmlPack

from edgenode.cityos.export import senml
from edgenode.cityos.timing import Timeline
from edgenode.reading import Anchor, Channel, ClockSource, Quality
from edgenode.units import UNITS
from edgenode.wire import Batch, Birth, Flag, Rows, schema_of

NODE = bytes.fromhex("a1b2c3d4e5f6")
ANCHOR = Anchor(0, 1_795_000_000_250, ClockSource.NTP, 5)
GROUPS = {
    1: (
        Channel("air/temperature", "Cel", -2),
        Channel("air/pm25", "ug/m3", -1),
        Channel("air/number", "/cm3", 0),
    )
}
# RFC 8428, section 12.1, and RFC 8798, section 2: the registry of primary units.
REGISTRY = """m kg g s A K cd mol Hz rad sr N Pa J W C V F Ohm S Wb T H Cel lm lx Bq Gy Sv kat m2 m3
l m/s m/s2 m3/s l/s W/m2 cd/m2 bit bit/s lat lon pH dB dBW Bspl count / % %RH %EL EL 1/s 1/min
beat/min beats S/m B VA VAs var vars J/m kg/m3 deg"""
PRIMARY = frozenset(REGISTRY.split())
NUMBERS = {0: "n", 1: "u", 2: "v", 3: "vs", 6: "t", -2: "bn", -3: "bt"}


def packed(*flags: Flag, anchors: tuple[Anchor, ...] = (ANCHOR,)) -> senml.Pack:
    columns = ([2000, 2010], [125, 130], [7, 8])
    rows = Rows(1, 0, (1_000, 2_500), columns, flags)
    batch = Batch(
        NODE, 1, 1, 0, schema_of(GROUPS), 1_000, b"spool--1", groups=(rows,), anchors=anchors
    )
    return senml.pack(batch, Birth(NODE, GROUPS), Timeline(anchors))


def resolved(records: list[dict[str, Any]]) -> list[tuple[str, float, str | None, Any]]:
    """Resolve a pack (RFC 8428, section 4.6): name, time, unit and value; strict about both."""
    found, name, time = [], "", 0.0
    for record in records:
        assert record.keys() <= {"bn", "bt", "n", "u", "v", "vs", "t"}
        name, time = record.get("bn", name), record.get("bt", time)
        whole, at = name + record["n"], time + record.get("t", 0)
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9\-:./_]*", whole)
        assert at >= 2**28  # else it would be relative to the moment of reading
        (value,) = [record[key] for key in ("v", "vs") if key in record]
        assert isinstance(value, str) or math.isfinite(value)
        unit = record.get("u")
        assert unit is None or unit in PRIMARY
        found.append((whole, at, unit, value))
    return found


def test_every_reading_has_its_whole_name_its_time_and_a_primary_unit() -> None:
    base = "a1b2c3d4e5f6/air"
    assert resolved(packed().records) == [
        (f"{base}/temperature", 1_795_000_001.25, "Cel", 20.0),
        (f"{base}/pm25", 1_795_000_001.25, "kg/m3", pytest.approx(12.5e-9)),
        (f"{base}/number", 1_795_000_001.25, None, 7.0),
        (f"{base}/temperature", 1_795_000_002.75, "Cel", 20.1),
        (f"{base}/pm25", 1_795_000_002.75, "kg/m3", pytest.approx(13e-9)),
        (f"{base}/number", 1_795_000_002.75, None, 8.0),
    ]


def test_a_doubt_stands_beside_its_reading_and_a_reason_alone() -> None:
    found = resolved(packed(Flag(0, 0, 1, Quality.STALE), Flag(1, 1, 1, Quality.MISSING)).records)
    told = [(name.rpartition("air/")[2], value) for name, _, _, value in found]
    assert told[:2] == [("temperature", 20.0), ("temperature/quality", "stale")]
    assert ("pm25/quality", "missing") in told
    assert [name for name, _ in told].count("pm25") == 1


def test_what_has_no_time_is_left_out_and_counted() -> None:
    assert packed(anchors=()) == senml.Pack([], 6)


def test_cbor_says_what_json_says() -> None:
    records = packed(Flag(0, 0, 1, Quality.STALE)).records
    numbered = cbor2.loads(senml.as_cbor(records))
    assert [{NUMBERS[k]: v for k, v in one.items()} for one in numbered] == records
    assert json.loads(senml.as_json(records)) == records
    assert len(senml.as_cbor(records)) < len(senml.as_json(records))


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_the_library_of_a_network_operator_reads_the_same(form: str) -> None:
    seen: list[tuple[str, Any]] = []

    def take(record: Any, device: Any) -> None:
        assert device is None  # of the very pack that is read, by its base name
        seen.append((record.name, record.value))

    records = packed().records
    reader = SenmlPack(f"{NODE.hex()}/", take)
    if form == "json":
        reader.from_json(senml.as_json(records))
    else:
        reader.from_cbor(senml.as_cbor(records))
    assert seen == [(one["n"], one["v"]) for one in records[:3]]  # it tells of each name once


def test_no_unit_of_the_table_claims_another_primary_unit_than_the_registry_has() -> None:
    assert {unit.senml for unit in UNITS.values()} - {""} <= PRIMARY
    assert UNITS["%"].senml == "/"  # the registry's own % is a ratio
    assert UNITS["%RH"].senml_factor == 1
