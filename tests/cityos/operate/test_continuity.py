"""What continues as what: one place, whichever node or sensor stands there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenode.cityos.audit import audit
from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.operate.continuity import (
    Continuity,
    Part,
    Succession,
    first_reading,
    record,
    undo,
)
from edgenode.cityos.operate.nodes import fleet
from edgenode.cityos.operate.troubles import troubles
from edgenode.cityos.sink import Sink
from edgenode.cli import main
from edgenode.errors import CityError
from tests.support.operated import T0, Fielded, take

A, B, C = (bytes.fromhex(x * 4) for x in ("a1", "b1", "c1"))
Capture = pytest.CaptureFixture[str]


def test_from_a_time_on_a_node_is_known_as_the_first_that_stood_there(sink: Sink) -> None:
    record(sink, Succession(Part(A), Part(B), 100))
    record(sink, Succession(Part(B), Part(C), 200))
    known = Continuity.of(sink)
    assert known.origin(C, "air", 200) == Part(A, "air")
    assert known.origin(C, "air", 199) == Part(C, "air")
    assert known.origin(B, "air", 150) == Part(A, "air")
    assert known.origin(B, "air", 99) == Part(B, "air")
    assert known.neighbours(B) == [B, A, C]


def test_a_sensor_continues_as_another_and_its_siblings_stay(sink: Sink) -> None:
    record(sink, Succession(Part(A, "air"), Part(A, "air2"), 100))
    record(sink, Succession(Part(A), Part(B), 200))
    known = Continuity.of(sink)
    assert known.origin(A, "air2", 150) == Part(A, "air")
    assert known.origin(B, "air2", 250) == Part(A, "air")
    assert known.origin(A, "rain", 150) == Part(A, "rain")


def test_a_record_is_taken_back_and_only_once(sink: Sink) -> None:
    record(sink, Succession(Part(A), Part(B), 100))
    undo(sink, Part(A), Part(B))
    assert Continuity.of(sink).records == ()
    with pytest.raises(CityError, match="no record says"):
        undo(sink, Part(A), Part(B))


@pytest.mark.parametrize(
    ("old", "new", "since", "why"),
    [
        (Part(A), Part(C), 300, "--undo"),
        (Part(C), Part(B), 300, "--undo"),
        (Part(B), Part(A), 300, "give an earlier --at"),
        (Part(B), Part(A), 50, "give a later --at"),
        (Part(C), Part(C), 300, "as itself"),
        (Part(C), Part(A, "air"), 300, "name two nodes"),
        (Part(B, "air"), Part(A, "air"), 300, "as itself"),
    ],
)
def test_a_record_that_contradicts_what_is_known_is_refused(
    sink: Sink, old: Part, new: Part, since: int, why: str
) -> None:
    record(sink, Succession(Part(A), Part(B), 100))
    with pytest.raises(CityError, match=why):
        record(sink, Succession(old, new, since))
    assert len(Continuity.of(sink).records) == 1


def test_the_first_reading_of_a_part_is_known(city: City, sink: Sink) -> None:
    node = Fielded(A.hex())
    take(city, node.birth(), node.batch((3_000, 4_000), ((1, 2), (1, 2))))
    assert first_reading(sink, Part(A)) == T0 + 3_000
    assert first_reading(sink, Part(A, "air")) == T0 + 3_000
    assert first_reading(sink, Part(A, "node")) is None


def test_a_node_that_was_replaced_may_be_silent_but_not_go_on_sending(
    city: City, sink: Sink
) -> None:
    node = Fielded(A.hex())
    take(city, node.birth(), node.batch((1_000,), ((1,), (1,))))
    record(sink, Succession(Part(A), Part(B), T0 + 10_000))
    [one] = fleet(sink, T0 + 9_000_000)
    assert troubles(one, T0 + 9_000_000, 300_000) == []
    take(city, node.batch((8_999_000,), ((1,), (1,))))
    [one] = fleet(sink, T0 + 9_002_000)
    assert [x.kind for x in troubles(one, T0 + 9_002_000, 300_000)] == ["replaced-sends"]
    assert audit(sink, A).successions == (Succession(Part(A), Part(B), T0 + 10_000),)


def stored(db: Path) -> None:
    with Sink.open(db) as sink:
        city = City(sink, CityOptions())
        for node in (Fielded(A.hex()), Fielded(B.hex())):
            take(city, node.birth(), node.batch((3_000,), ((1,), (1,))))


def test_the_verb_records_lists_and_takes_back(tmp_path: Path, capsys: Capture) -> None:
    db = str(tmp_path / "city.db")
    stored(tmp_path / "city.db")
    assert main(["cityos", "replace", A.hex(), B.hex(), "--db", db]) == 0
    assert "continues as b1b1b1b1 since 2026-11-18T" in capsys.readouterr().out
    main(["cityos", "nodes", "--db", db, "--json"])
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    listed = [{"old": A.hex(), "new": B.hex(), "since_utc_ms": T0 + 3_000}]
    assert [row["successions"] for row in rows] == [listed, listed]
    assert main(["cityos", "audit", "--db", db]) == 0
    assert f"{A.hex()} continues as {B.hex()}" in capsys.readouterr().out
    assert main(["cityos", "replace", A.hex(), B.hex(), "--db", db, "--undo"]) == 0
    main(["cityos", "audit", "--db", db])
    assert "continues as" not in capsys.readouterr().out.replace("places of their own", "")


def test_the_verb_says_what_to_do_where_it_cannot(tmp_path: Path, capsys: Capture) -> None:
    db = str(tmp_path / "city.db")
    stored(tmp_path / "city.db")
    assert main(["cityos", "replace", A.hex(), C.hex(), "--db", db]) == 1
    assert "c1c1c1c1 was never heard" in capsys.readouterr().err
    sensors = [f"{A.hex()}/air", f"{A.hex()}/node"]
    assert main(["cityos", "replace", *sensors, "--db", db]) == 1
    assert "by --at" in capsys.readouterr().err
    assert main(["cityos", "replace", *sensors, "--db", db, "--at", "2026-12-01T08:00"]) == 0
    assert "2026-12-01T08:00:00.000Z" in capsys.readouterr().out


def test_the_fleet_makes_the_exit_code(tmp_path: Path, capsys: Capture) -> None:
    db = str(tmp_path / "city.db")
    stored(tmp_path / "city.db")
    code = main(["cityos", "nodes", "--db", db, "--bad", "--silence", "1000000000"])
    assert (code, capsys.readouterr().out) == (0, "2 nodes, 0 in need of somebody\n")
