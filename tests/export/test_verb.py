"""`edgenode cityos export` and `edgenode decode --senml`, as a person or a script meets them."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cbor2
import pytest

from edgenode.cityos.sink import Sink
from edgenode.cli import main
from edgenode.reading import Anchor, Channel, ClockSource
from edgenode.wire import Batch, Birth, Rows, encode, schema_of
from tests.support.ngsild import Broker, strict_broker
from tests.support.sensorthings import sensorthings
from tests.support.told import Node

PM25 = Channel("pm25", "ug/m3", -1, observed="AirQualityObserved/pm25")
Export = Callable[..., int]


@pytest.fixture
def export(tmp_path: Path) -> Export:
    """Run the verb once on a sink in which two readings wait."""
    path = tmp_path / "city.db"
    with Sink.open(path) as sink:
        Node(sink, {"air": (PM25,)}).say("air", (1_000, [12.5]), (2_000, [13.0]))
    return lambda *words: main(["cityos", "export", *words, "--db", str(path), "--once"])


def test_lines_hold_all_that_is_known_of_a_reading_and_come_once(
    export: Export, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export("jsonl") == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == {
        "node": "a1b2c3d4e5f6", "channel": "air/pm25", "value": 12.5, "unit": "ug/m3",
        "observed": "AirQualityObserved/pm25", "quality": "ok", "utc": "2026-11-18T11:06:41.000Z",
        "err_ms": 6, "clock": "ntp", "spool": b"spool--1".hex(), "stream": 0, "ordinal": 0,
    }  # fmt: skip
    assert len(lines) == 2
    assert export("jsonl") == 0
    assert capsys.readouterr().out == ""


def test_each_exporter_has_a_cursor_of_its_own_from_its_first_start(tmp_path: Path) -> None:
    path, files = tmp_path / "city.db", [tmp_path / "one", tmp_path / "two"]
    with Sink.open(path) as sink:
        node = Node(sink, {"air": (PM25,)})
        for count in (0, 1):
            for file in files:
                words = ["jsonl", "--to", str(file), "--name", file.name, "--once"]
                assert main(["cityos", "export", *words, "--db", str(path)]) == 0
                assert len(file.read_text().splitlines()) == count
            node.say("air", (1_000, [12.5]))


def test_a_context_broker_is_fed(export: Export) -> None:
    with strict_broker() as broker:
        assert export("ngsi-ld", "--to", broker.url, "--tenant", "city") == 0
        assert "urn:ngsi-ld:AirQualityObserved:a1b2c3d4e5f6:air" in broker.entities
        assert broker.refusals == []


def test_a_sensorthings_service_is_fed(export: Export) -> None:
    with sensorthings() as service:
        assert export("sensorthings", "--to", service.url) == 0
        assert len(service.sets["Observations"]) == 2


def test_what_was_refused_is_printed(export: Export, capsys: pytest.CaptureFixture[str]) -> None:
    with strict_broker() as broker:
        name = "urn:ngsi-ld:AirQualityObserved:a1b2c3d4e5f6:air"
        broker.poison = {name}
        assert export("ngsi-ld", "--to", broker.url) == 0
    capsys.readouterr()
    assert export("ngsi-ld", "--refused") == 1
    kept = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {one["what"] for one in kept} == {name}


def test_once_gives_a_platform_up_that_stays_away_and_keeps_all(
    export: Export, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("edgenode.cityos.export.web.FIRST_S", 0.001)
    broker = Broker()
    broker.port = 9  # of the discard service, which nobody runs
    assert export("ngsi-ld", "--to", broker.url) == 1
    assert "given up" in capsys.readouterr().err
    assert export("jsonl", "--name", "ngsi-ld") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["ngsi-ld"], "wants --to URL"),
        (["jsonl", "--tenant", "x"], "are for ngsi-ld"),
        (["jsonl", "--ca", "x"], "are for platforms"),
        (["ngsi-ld", "--to", "ftp://x.example"], "is not http(s)"),
        (["ngsi-ld", "--to", "https://me:secret@x.example"], "no user or password"),
        (["ngsi-ld", "--to", "https://x.example/?a=b"], "no query"),
        (["ngsi-ld", "--to", "http://x.example", "--token-file", "t"], "not sent without TLS"),
        (["ngsi-ld", "--to", "https://x.example", "--token-file", "none"], "cannot read none"),
        (["jsonl", "--to", "/nowhere/file"], "cannot write /nowhere/file"),
    ],
)
def test_what_cannot_be_meant_is_a_mistake_in_words(
    export: Export, words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert export(*words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "secret" not in told


def messages(anchors: tuple[Anchor, ...]) -> bytes:
    groups = {1: (Channel("air/temperature", "Cel", -2),)}
    node, spool = b"nodenode", b"spool--1"
    rows = Rows(1, 0, (1_000, 2_000), ([2000, 2010],))
    batch = Batch(node, 1, 1, 0, schema_of(groups), 0, spool, groups=(rows,), anchors=anchors)
    birth = Birth(node, groups)
    return encode(birth) + encode(batch, birth)


@pytest.mark.parametrize("form", ["json", "cbor"])
def test_decode_writes_senml(
    form: str, tmp_path: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = tmp_path / "export.bin"
    file.write_bytes(messages((Anchor(0, 1_795_000_000_000, ClockSource.NTP, 5),)))
    assert main(["decode", str(file), "--senml", form]) == 0
    sys.stdout.flush()
    out = capfdbinary.readouterr().out
    pack = json.loads(out) if form == "json" else cbor2.load(io.BytesIO(out))
    value, unit = ("v", "u") if form == "json" else (2, 1)
    assert [one[value] for one in pack] == [20.0, 20.1]
    assert pack[0][unit] == "Cel"


def test_decode_says_where_senml_cannot_tell_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "export.bin"
    file.write_bytes(messages(()))
    assert main(["decode", str(file), "--senml", "json"]) == 1
    assert "2 readings are left out" in capsys.readouterr().err
