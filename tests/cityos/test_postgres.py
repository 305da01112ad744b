"""What is PostgreSQL's own: partitions, versions, passwords, long answers."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import psycopg
import pytest

from edgenode.cityos import postgres_rows, postgres_schema
from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.intake import Incoming, Outcome
from edgenode.cityos.outbox import Outbox
from edgenode.cityos.postgres import PostgresSink
from edgenode.cityos.sink import Sink
from edgenode.cityos.store import SinkAway
from edgenode.errors import CityError
from edgenode.reading import Anchor, ClockSource
from edgenode.wire import Batch, decode
from tests.support.postgres import PASSWORD, Postgres
from tests.support.sender import ARRIVAL, Sender

NOW = Anchor(0, ARRIVAL, ClockSource.NTP, 5)


def derived(city: City) -> None:
    while city.derive():
        pass


def partitions(sink: Sink) -> dict[str, int]:
    rows = sink.db.execute("SELECT tableoid::regclass::text, count(*) FROM sample GROUP BY 1")
    return dict(rows.fetchall())


def test_rows_lie_in_the_month_of_their_time(first: Sink, sender: Sender) -> None:
    city = City(first, CityOptions())
    march = Anchor(0, 1_772_323_199_000, ClockSource.NTP, 5)  # a second before March 2026
    absurd = Anchor(0, 7_258_118_400_000, ClockSource.NTP, 5)  # the year 2200
    city.absorb([sender.birth_message(), sender.batch((0, 1_000), anchors=[march])], 0)
    city.absorb([sender.batch((0,), epoch=4), sender.batch((0,), epoch=5, anchors=[absurd])], 0)
    derived(city)
    assert partitions(first) == {
        "sample_2026_02": 2, "sample_2026_03": 2, "sample_other": 4,
    }  # fmt: skip


def test_rows_find_their_month_when_it_is_made_and_when_they_are_timed(
    first: Sink, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    city = City(first, CityOptions())
    now = time.time_ns() // 1_000_000
    with monkeypatch.context() as patch:
        patch.setattr(postgres_rows, "AHEAD_MS", -(10**12))
        city.absorb([sender.birth_message()], 0)
        city.absorb([sender.batch((0,), anchors=[Anchor(0, now, ClockSource.NTP, 5)])], 0)
        city.absorb([sender.batch((0,), epoch=4)], 0)
        derived(city)
    assert partitions(first) == {"sample_other": 4}
    city.absorb([sender.batch((), epoch=4, anchors=[Anchor(0, now, ClockSource.NTP, 5)])], 0)
    derived(city)
    [(name, count)] = partitions(first).items()
    assert name.startswith("sample_20")
    assert count == 4
    assert {r.utc for r in first.readings(sender.node)} == {now}


def test_text_that_postgresql_cannot_hold_is_stored_all_the_same(
    first: Sink, sender: Sender
) -> None:
    first.alarm(ARRIVAL, sender.node, "odd", "a\0b")
    assert first.db.execute("SELECT detail FROM alarm").fetchall() == [("a\ufffdb",)]


def of_first_version(url: str, message: Incoming) -> None:
    """What the first version of the tables held of one batch."""
    with psycopg.connect(url, autocommit=True) as link:
        link.execute("CREATE SCHEMA edgenode")
        link.execute("SET search_path = edgenode")
        link.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL)")
        link.execute("INSERT INTO meta VALUES ('version', '1')")
        link.execute(postgres_schema.FIRST.encode())
    batch = decode(message.payload)
    assert isinstance(batch, Batch)
    with psycopg.connect(url, options="-c search_path=edgenode") as link:
        link.execute(
            "INSERT INTO raw (node, spool, stream, seq, epoch, r0, schema, held, bytes, crc,"
            " arrival, topic, work) VALUES (%s, %s, 0, %s, 3, 0, %s, 1, %s, 0, 0, '', 4)",
            (batch.node, batch.spool, batch.seq, batch.schema, message.payload),
        )
        link.execute("INSERT INTO held VALUES (%s, %s, 0, 1)", (batch.node, batch.spool))


def test_a_database_of_the_first_version_becomes_one_of_this_with_all_it_held(
    url: str, sender: Sender
) -> None:
    message = sender.batch()
    of_first_version(url, message)
    with pytest.raises(CityError, match="has version 1 and not"):
        Sink.open(url, readonly=True)
    with Sink.open(url) as sink:
        city = City(sink, CityOptions())
        assert city.absorb([message], 0)[0].outcome is Outcome.DUPLICATE
        city.absorb([sender.birth_message(), sender.batch((5_000,), anchors=[NOW])], 0)
        assert city.acks(0, ARRIVAL)[0].ranges == {0: ((1, 2),)}
        derived(city)
        assert len(Outbox(sink, "lines").read().readings) == 2
    with Sink.open(url, readonly=True) as sink:
        assert sink.spools(sender.node) == [sender.spool]


def test_a_database_of_a_later_version_is_left_alone(url: str) -> None:
    with Sink.open(url) as sink:
        sink.db.execute("UPDATE meta SET value = '99' WHERE name = 'version'")
    for readonly in (False, True):
        with pytest.raises(CityError, match="version 99"):
            Sink.open(url, readonly=readonly)


def test_receivers_that_start_at_once_lay_the_tables_once(url: str) -> None:
    failures: list[BaseException] = []

    def start() -> None:
        try:
            Sink.open(url).close()
        except BaseException as exc:  # noqa: BLE001 - for the test to tell
            failures.append(exc)

    threads = [threading.Thread(target=start) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


def test_reading_a_database_without_a_sink_makes_none(url: str) -> None:
    with pytest.raises(CityError, match=r"no sink.*cityos receive"):
        Sink.open(url, readonly=True)
    with Sink.open(url), Sink.open(url, readonly=True) as sink:
        assert sink.nodes() == []
        with pytest.raises(CityError, match="read-only"):
            sink.count(b"", "x")


def test_the_password_comes_from_a_file_and_is_told_to_nobody(
    postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres.loopback(postgres.database())
    monkeypatch.setenv("PGPASSFILE", str(tmp_path / "pgpass"))
    with pytest.raises(CityError, match="password"):
        Sink.open(url)
    with Sink.open(url, password=PASSWORD) as sink:
        assert PASSWORD not in sink.name
    with pytest.raises(CityError) as wrong:
        Sink.open(url, password="nonsense")  # noqa: S106 - it is wrong
    assert "nonsense" not in str(wrong.value)
    (tmp_path / "pgpass").write_text(f"127.0.0.1:*:*:*:{PASSWORD}\n", encoding="utf-8")
    (tmp_path / "pgpass").chmod(0o600)
    Sink.open(url).close()


@pytest.mark.parametrize(
    "url",
    ["postgresql://u:s3cret@h/d", "postgresql://h/d?password=s3cret", "postgres://h/d?s3cret"],
)
def test_a_url_that_cannot_be_meant_is_refused_without_being_repeated(url: str) -> None:
    with pytest.raises(CityError) as refused:
        Sink.open(url)
    assert "s3cret" not in str(refused.value)


def test_a_server_elsewhere_has_to_show_a_certificate(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, object]] = []

    def connect(**words: object) -> None:
        asked.append(words)
        raise psycopg.OperationalError("nobody there")

    monkeypatch.setattr("psycopg.connect", connect)
    for url in ("postgresql://db.example.org/c", "postgresql://127.0.0.1/c"):
        with pytest.raises(SinkAway, match="nobody there"):
            Sink.open(url)
    assert [(w.get("sslmode"), w.get("sslrootcert")) for w in asked] == [
        ("verify-full", "system"), (None, None),
    ]  # fmt: skip


def test_without_its_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "edgenode.cityos.postgres", None)
    with pytest.raises(CityError, match=r"pip install 'edgenode\[cityos\]'"):
        Sink.open("postgresql:///city")


def test_a_long_answer_is_not_held_in_memory(first: Sink, sender: Sender) -> None:
    assert isinstance(first, PostgresSink)
    city = City(first, CityOptions())
    city.absorb([sender.birth_message(), *(sender.batch((n,)) for n in range(300))], 0)
    derived(city)
    rows = first.readings(sender.node)
    got = [next(rows).ordinal]
    held = first.db.execute("SELECT count(*) FROM pg_cursors").fetchone()
    got += [row.ordinal for row in rows]
    assert held == (1,)
    assert got == list(range(600))
    assert first.db.execute("SELECT count(*) FROM pg_cursors").fetchone() == (0,)
