"""`cityos audit`, `tail` and `decode`, as a person or a script meets them."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from edgenode.cityos.brokers import CityBroker, split_address
from edgenode.cityos.city import City, CityOptions
from edgenode.cityos.plain import Plain
from edgenode.cityos.sink import Sink
from edgenode.cityos.tail import Tail
from edgenode.cli import main
from edgenode.cli.tail import as_text
from edgenode.reading import Anchor, ClockSource
from edgenode.wire import Loss, LossReason, WireEvent
from tests.support.mosquitto import Mosquitto
from tests.support.node_client import wire
from tests.support.ports import until
from tests.support.sender import Sender

ANCHOR = Anchor(1_000, 1_795_000_000_000, ClockSource.NTP, 5)
Capture = pytest.CaptureFixture[str]


def store(db: Path, sender: Sender, *, gap: bool = False) -> None:
    with Sink.open(db) as sink:
        city = City(sink, CityOptions())
        messages = [sender.birth_message(), sender.batch(anchors=[ANCHOR])]
        sender.skip(5)
        loss = [] if gap else [Loss(0, 6, 5, LossReason.DISK_FULL, 2, 1)]
        city.absorb([*messages, sender.batch(losses=loss, held=3)], 0)
        while city.derive():
            pass


def test_an_audit_as_json_is_one_object_per_node(tmp_path: Path, capsys: Capture) -> None:
    sender = Sender()
    store(tmp_path / "city.db", sender)
    assert main(["cityos", "audit", "--db", str(tmp_path / "city.db"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["node"], told["well"]) == (sender.node.hex(), True)
    [stream] = told["streams"]
    assert stream["expected"] == 17
    assert stream["received"] == 12
    assert stream["lost"] == {"disk-full": 5}


def test_an_audit_that_is_not_well_says_so_in_words_and_by_its_exit_code(
    tmp_path: Path, capsys: Capture
) -> None:
    store(tmp_path / "city.db", Sender(), gap=True)
    assert main(["cityos", "audit", "--db", str(tmp_path / "city.db")]) == 1
    told = capsys.readouterr().out
    assert "NOT WELL" in told
    assert "5 UNEXPLAINED [(6, 10)]" in told
    assert "12 of 17 readings" in told


def test_an_audit_of_nothing_says_what_to_do(tmp_path: Path, capsys: Capture) -> None:
    assert main(["cityos", "audit", "--db", str(tmp_path / "city.db")]) == 1
    assert "receive" in capsys.readouterr().err
    (tmp_path / "other.db").write_bytes(b"not a database, but long enough to be looked at" * 9)
    assert main(["cityos", "audit", "--db", str(tmp_path / "other.db")]) == 1
    assert "name another --db" in capsys.readouterr().err


def test_audit_and_decode_load_no_mqtt(tmp_path: Path) -> None:
    store(tmp_path / "city.db", Sender())
    (tmp_path / "batch").write_bytes(Sender().batch().payload)
    code = (
        "import sys; from edgenode.cli import main; "
        f"main(['cityos', 'audit', '--db', {str(tmp_path / 'city.db')!r}]); "
        f"main(['decode', {str(tmp_path / 'batch')!r}]); "
        "sys.exit('paho' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_decode_prints_a_batch_with_its_birth_reading_by_reading(
    tmp_path: Path, capsys: Capture
) -> None:
    sender = Sender()
    event = WireEvent(3_000, None, 14, 1)
    (tmp_path / "batch").write_bytes(sender.batch(anchors=[ANCHOR], events=[event]).payload)
    (tmp_path / "birth").write_bytes(sender.birth_message().payload)
    words = ["decode", str(tmp_path / "batch"), "--birth", str(tmp_path / "birth")]
    assert main(words) == 0
    head, *rows = map(json.loads, capsys.readouterr().out.splitlines())
    assert (head["message"], head["node"], head["seq"]) == ("batch", sender.node.hex(), 1)
    assert [row["ordinal"] for row in rows] == list(range(7))
    assert rows[0] == {
        "ordinal": 0, "channel": "air/temperature", "value": 20.0, "unit": "Cel", "scale": -2,
        "quality": "ok",
        "mono": 1_000, "utc": "2026-11-18T11:06:40.000Z", "err_ms": 5,
        "earliest": "2026-11-18T11:06:39.995Z", "latest": "2026-11-18T11:06:40.005Z",
        "clock": "ntp",
    }  # fmt: skip
    assert (rows[6]["event"], rows[6]["value"]) == ("boot", 1)


def test_decode_without_a_birth_prints_what_can_be_read(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "batch").write_bytes(Sender().batch().payload)
    assert main(["decode", str(tmp_path / "batch")]) == 0
    _, group = map(json.loads, capsys.readouterr().out.splitlines())
    assert (group["group"], group["n"]) == (7, 3)


@pytest.mark.parametrize("kind", ["birth", "state"])
def test_decode_reads_any_message_from_standard_input(
    kind: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = Sender()
    birth, state = sender.birth_message(), sender.state_message(3, 4, online=True)
    data = (birth if kind == "birth" else state).payload
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["decode", "-"]) == 0
    assert json.loads(capsys.readouterr().out)["message"] == kind


def test_decode_tells_what_is_wrong(tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "noise").write_bytes(b"\xff\x00")
    (tmp_path / "batch").write_bytes(Sender().batch().payload)
    assert main(["decode", str(tmp_path / "noise")]) == 1
    assert main(["decode", str(tmp_path / "nothing")]) == 2
    assert main(["decode", str(tmp_path / "batch"), "--birth", str(tmp_path / "batch")]) == 2
    assert "holds a batch, not a birth" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "address"),
    [("h", ("h", 8883)), ("h:1", ("h", 1)), ("[::1]:2", ("::1", 2)), ("[::1]", ("::1", 8883))],
)
def test_a_broker_is_a_host_and_perhaps_a_port(text: str, address: tuple[str, int]) -> None:
    assert split_address(text, tls=True) == address


@pytest.mark.parametrize(
    "words",
    [
        ["--broker", "h:x"],
        ["--broker", "h:70000"],
        ["--broker", "h", "--no-tls", "--ca", "x"],
        ["--broker", "h", "--password-file", "x"],
    ],
)
def test_connections_that_cannot_be_meant_are_wrong_usage(words: list[str]) -> None:
    assert main(["tail", *words]) == 2


def test_tail_prints_readings_as_they_arrive_also_those_whose_birth_comes_later(
    tmp_path: Path,
) -> None:
    sender = Sender()
    rows: list[Plain] = []
    with Mosquitto(tmp_path / "broker") as broker:
        here = CityBroker("127.0.0.1", broker.port, tls=False)
        tail = Tail(here, "edgenode/v1", None, print)
        thread = threading.Thread(target=lambda: rows.extend(tail.rows()), name="tail")
        thread.start()
        with wire(broker.port, sender) as node:
            assert tail.wait_ready(10)
            node.publish([sender.batch((1_000,), anchors=[ANCHOR]), sender.birth_message()])
            until(lambda: len(rows) == 2, "two readings")
        tail.stop()
        thread.join(10)
    assert not thread.is_alive()
    assert as_text(rows[0]) == (
        "2026-11-18T11:06:40.000Z ±5 ms  a1b2c3d4e5f6  air/temperature  20.00 Cel"
    )


def test_a_line_of_tail_says_what_is_doubtful() -> None:
    row = {
        "node": "00", "channel": None, "event": "boot", "value": None, "quality": "ok",
        "utc": None, "err_ms": None, "earliest": None, "latest": None, "mono": 7,
    }  # fmt: skip
    assert as_text(row) == "? … ? (boot + 7 ms)  00  node  ! boot"
    reading = row | {"channel": "a/b", "unit": "Cel", "scale": -2, "quality": "missing"}
    del reading["event"]
    assert as_text(reading).endswith("a/b  - Cel (missing)")


def test_a_line_of_tail_has_the_decimals_of_its_channel() -> None:
    row = {
        "node": "00", "channel": "a/b", "unit": "Pa", "value": 101300.0, "scale": 0,
        "quality": "ok", "utc": "now", "err_ms": 5,
    }  # fmt: skip
    assert as_text(row).endswith("  101300 Pa")
    assert as_text(row | {"value": 16.8, "scale": -2}).endswith("  16.80 Pa")
    assert as_text(row | {"value": 0.123, "scale": 0}).endswith("  0.123 Pa"), "a float"
