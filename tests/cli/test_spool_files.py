"""`edgenode spool` and `edgenode history` where no daemon answers: the files tell."""

import hashlib
import json
from pathlib import Path
from typing import Any

import cbor2
import pytest

from edgenode.cli import main
from edgenode.cli.offline import entries, history_without
from edgenode.spool.offline import survey
from edgenode.wire import decode
from tests.support.clock import FakeClock
from tests.support.spools import feed, opened

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """A state directory whose daemon ran for ten minutes and noticed a lost sensor."""
    clock = FakeClock()
    spool = opened(tmp_path / "spool", clock)
    feed(spool, clock, 300)
    spool.conditions.observe({"sensor air": "sensor air is lost: no answer"}, clock.boot_ms())
    feed(spool, clock, 200)
    spool.conditions.observe({"link": "no broker is connected"}, clock.boot_ms())
    feed(spool, clock, 100)
    spool.close()
    return tmp_path


def run(state: Path, *words: str) -> int:
    return main([*words, "--state", str(state)])


def document(capsys: Capture) -> dict[str, Any]:
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def digest(directory: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


def test_without_a_daemon_spool_tells_what_is_held_and_changes_nothing(
    state: Path, capsys: Capture
) -> None:
    before = digest(state)
    words = ["spool", "--socket", str(state / "none")]
    assert run(state, *words) == 3
    said = capsys.readouterr().out
    assert "does not run" in said
    assert "1 batch held, 0 of them with a broker only; 0 readings in no batch yet" in said
    assert "telemetry: 1200 readings in 1 batch, the first begins 2026-11-18" in said
    assert run(state, *words, "--json") == 3
    found = document(capsys)
    [spool] = found["survey"]["spools"]
    assert (found["health"], found["spool_problem"]) == ("absent", None)
    assert sum(stream["readings"] for stream in spool["streams"]) == 1200
    assert spool["held_batches"] == sum(stream["batches"] for stream in spool["streams"])
    assert digest(state) == before


def test_without_a_daemon_history_tells_from_when_to_when(state: Path, capsys: Capture) -> None:
    words = ["history", "--socket", str(state / "none")]
    assert run(state, *words, "--json") == 3
    air, link = document(capsys)["entries"]
    assert (air["key"], air["lasted_s"], air["open"]) == ("sensor air", 200, False)
    assert (link["key"], link["lasted_s"], link["open"]) == ("link", None, True)
    assert run(state, *words) == 3
    assert "for 3 min 20 s  sensor air is lost: no answer" in capsys.readouterr().out


def test_history_is_limited_to_the_newest_and_to_what_did_not_end_earlier(
    state: Path, capsys: Capture
) -> None:
    words = ["history", "--socket", str(state / "none"), "--json"]
    assert run(state, *words, "--limit", "1") == 3
    assert [entry["key"] for entry in document(capsys)["entries"]] == ["link"]
    found = survey(state / "spool")
    ended_utc_ms = entries(found)[0]["until_utc_ms"]
    later, _ = history_without(str(state), 200, ended_utc_ms + 1)
    assert [entry["key"] for entry in later["entries"]] == ["link"], "what lasts has not ended"
    until, _ = history_without(str(state), 200, ended_utc_ms)
    assert [entry["key"] for entry in until["entries"]] == ["sensor air", "link"]


def test_a_spool_that_cannot_be_read_is_told_with_its_reason(
    tmp_path: Path, capsys: Capture
) -> None:
    assert run(tmp_path, "spool", "--json", "--socket", str(tmp_path / "none")) == 3
    found = document(capsys)
    assert found["survey"] is None
    assert "cannot be read" in found["spool_problem"]


def test_verify_of_a_sound_spool_leaves_with_zero(state: Path, capsys: Capture) -> None:
    before = digest(state)
    assert run(state, "spool", "verify", "--json") == 0
    found = document(capsys)
    assert found["sound"] is True
    assert found["blocks_sound"] > 0
    assert found["rows_sound"] > 0
    assert digest(state) == before


def test_verify_names_what_is_damaged_and_leaves_with_one(state: Path, capsys: Capture) -> None:
    [journal] = state.rglob("journal")
    block = bytearray(journal.read_bytes())
    written = next(at for at in range(0, len(block), 4096) if any(block[at : at + 4096]))
    block[written + 100] ^= 1
    journal.write_bytes(bytes(block))
    assert run(state, "spool", "verify") == 1
    said = capsys.readouterr().out
    assert said.startswith("DAMAGED")
    assert f"journal block {written // 4096}" in said
    assert "edgenode spool salvage" in said


@pytest.mark.parametrize("work", ["export", "salvage"])
def test_a_written_file_holds_the_messages_as_they_travel(
    work: str, state: Path, tmp_path: Path, capsys: Capture
) -> None:
    before = digest(state / "spool")
    out = tmp_path / "out.cbor"
    assert run(state, "spool", work, str(out), "--json") == 0
    found = document(capsys)
    messages = []
    with out.open("rb") as file:
        while file.tell() < found["bytes"]:
            messages.append(decode(cbor2.dumps(cbor2.load(file))))
    assert len(messages) == found["births"] + found["batches"]
    assert {type(message).__name__ for message in messages} == {"Birth", "Batch"}
    assert digest(state / "spool") == before
    assert run(state, "spool", work, str(out)) == 1, "a file that is there is not overwritten"
    assert "name a new file" in capsys.readouterr().err


def test_options_hold_before_and_behind_a_sub_verb(state: Path, capsys: Capture) -> None:
    assert main(["spool", "--state", str(state), "--json", "verify"]) == 0
    assert document(capsys)["sound"] is True
