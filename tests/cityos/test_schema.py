"""The file of SQLite across versions."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from edgenode.cityos import schema
from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.export.state import Newest, State
from edgenode.cityos.intake import Outcome
from edgenode.cityos.outbox import Outbox
from edgenode.cityos.sink import Sink
from edgenode.errors import CityError
from edgenode.reading import Anchor, ClockSource
from edgenode.wire import Batch, decode
from tests.support.sender import ARRIVAL, Sender


@pytest.fixture
def old(tmp_path: Path, sender: Sender) -> Path:
    """A file of the first version with one batch, whose birth has not come."""
    path = tmp_path / "city.db"
    db = sqlite3.connect(path)
    db.executescript(
        f"{schema.FIRST} PRAGMA application_id = {schema.APPLICATION_ID}; PRAGMA user_version = 1;"
    )
    batch = decode(sender.batch().payload)
    assert isinstance(batch, Batch)
    key = (batch.node, batch.spool)
    db.execute(
        "INSERT INTO raw (node, spool, stream, seq, epoch, r0, schema, bytes, crc, arrival, topic,"
        " work) VALUES (?, ?, 0, 1, 3, 0, ?, ?, 0, 0, '', 4)",
        (*key, batch.schema, Sender().batch().payload),
    )
    db.execute("INSERT INTO durable VALUES (?, ?, 0, 1, 1)", key)
    db.commit()
    db.close()
    return path


def test_a_file_of_the_first_version_becomes_one_of_this_with_all_it_held(
    old: Path, sender: Sender
) -> None:
    with pytest.raises(CityError, match="version 1; `edgenode cityos receive` makes"):
        Sink.open(old, readonly=True)
    with Sink.open(old) as sink:
        city = City(sink, CityOptions())
        assert city.absorb([Sender().batch()], 0)[0].outcome is Outcome.DUPLICATE
        now = Anchor(0, ARRIVAL, ClockSource.NTP, 5)
        city.absorb([sender.birth_message(), sender.batch((5_000,), anchors=[now])], 0)
        assert city.acks(0, ARRIVAL)[0].ranges == {0: ((1, 2),)}
        while city.derive():
            pass
        assert len(Outbox(sink, "lines").read().readings) == 2
    with Sink.open(old, readonly=True) as sink:
        assert sink.nodes() == [sender.node]


def test_what_exporters_remembered_when_they_made_their_tables_themselves_is_kept(
    old: Path,
) -> None:
    db = sqlite3.connect(old)
    db.executescript(schema.EXPORTS)
    db.execute("INSERT INTO export_newest VALUES ('orion', 'lamp', 'level', 7, '{}')")
    db.commit()
    db.close()
    with Sink.open(old) as sink:
        assert State(sink, "orion").newest(["lamp"]) == {("lamp", "level"): Newest(7, {})}
        assert State(sink, "orion").refused() == []


def test_a_file_of_a_later_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "city.db"
    with Sink.open(path) as sink:
        sink.db.execute("PRAGMA user_version = 99")
    for readonly in (False, True):
        with pytest.raises(CityError, match="version 99"):
            Sink.open(path, readonly=readonly)
