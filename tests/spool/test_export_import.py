"""What a node without a link exports, a City OS takes in as if it had come over the wire."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgenode.cityos.audit import audit
from edgenode.cityos.sink import Sink
from edgenode.cli import main
from edgenode.errors import SpoolError
from edgenode.reading import Event, EventCode
from edgenode.spool.offline import export
from tests.support.clock import FakeClock
from tests.support.spools import NODE, feed, kill, opened

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    clock = FakeClock()
    spool = opened(tmp_path / "spool", clock)
    spool.outbox.begin_session()
    feed(spool, clock, 200)
    spool.event(clock.boot_ms(), 1, Event(EventCode.SENSOR_LOST, value=1))
    feed(spool, clock, 60)
    kill(spool)
    assert export(tmp_path / "spool", tmp_path / "out.cbor").batches == 5
    return tmp_path / "out.cbor"


def test_every_reading_of_an_export_is_stored_once_and_the_account_closes(
    exported: Path, tmp_path: Path, capsys: Capture
) -> None:
    words = ["cityos", "import", str(exported), "--db", str(tmp_path / "city.db")]
    assert main(words) == 0
    assert "5 batches stored, 0 known already, 1 births" in capsys.readouterr().out
    assert main(words) == 0
    assert "0 batches stored, 5 known already" in capsys.readouterr().out
    with Sink.open(tmp_path / "city.db", readonly=True) as sink:
        account = audit(sink, NODE)
    assert [(s.stream, s.expected, s.unexplained) for s in account.streams] == [
        (0, account.streams[0].received, 0),
        (1, 1, 0),
    ]
    assert account.streams[0].received >= 400
    assert not account.refused


def test_an_export_that_was_cut_off_gives_what_came_before(
    exported: Path, tmp_path: Path, capsys: Capture
) -> None:
    exported.write_bytes(exported.read_bytes()[:-5])
    words = ["cityos", "import", str(exported), "--db", str(tmp_path / "city.db")]
    assert main(words) == 1
    assert "in the middle of a message" in capsys.readouterr().err
    with Sink.open(tmp_path / "city.db", readonly=True) as sink:
        assert sum(stream.batches for stream in audit(sink, NODE).streams) == 4
    assert main(["cityos", "import", str(tmp_path / "no"), "--db", str(tmp_path / "city.db")]) == 2


def test_decode_prints_an_export_reading_by_reading(exported: Path, capsys: Capture) -> None:
    assert main(["decode", str(exported)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["message"] for line in lines if "message" in line] == ["birth"] + ["batch"] * 5
    rows = [line for line in lines if "ordinal" in line]
    assert {row["channel"] for row in rows if "unit" in row} == {
        "air/temperature",
        "air/humidity",
    }
    assert all(row["utc"] for row in rows)


def test_an_export_of_nothing_is_an_error_and_no_empty_file(tmp_path: Path) -> None:
    with pytest.raises(SpoolError):
        export(tmp_path / "no spool", tmp_path / "out.cbor")
    assert not (tmp_path / "out.cbor").exists()
