"""What somebody sees while a card is written: a line in place, or an object a second."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli.flashwords import Told
from edgenode.errors import FlashError
from edgenode.flash import Unwritable

DOCS = Path(__file__).parents[2] / "docs/cli.md"


def objects(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


class Seconds:
    """A clock that is set by the test."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_progress_tells_speed_and_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Seconds()
    told = Told(json=False, now=clock)
    for second in range(101):
        clock.now = float(second)
        told.progress("write", second * 10_000_000, 1_000_000_000)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 10
    assert lines[0] == "write   10 %    10.0 MB/s  1 min 30 s left"
    assert lines[-1] == "write  100 %    10.0 MB/s"


def test_an_image_that_goes_on_behind_its_table_is_told_in_bytes(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    clock = Seconds()
    told = Told(json=False, now=clock)
    for second in range(3):
        clock.now = float(second)
        told.progress("write", second * 4_000_000, 0)
    assert capsys.readouterr().out.split("\r")[-1].rstrip() == "write  8.0 MB     4.0 MB/s"


def test_progress_stands_in_place_on_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    clock = Seconds()
    told = Told(json=False, now=clock)
    for second in range(4):
        clock.now = float(second)
        told.progress("verify", second * 1_000_000, 4_000_000)
    told.failed(FlashError("sdb is gone"), 1)
    out = capsys.readouterr().out
    assert out.count("\r") == 4
    assert out.endswith("\n")
    assert {len(part.rstrip("\n")) for part in out.split("\r")[1:]} == {79}


def test_progress_is_an_object_a_second_with_json(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Seconds()
    told = Told(json=True, now=clock)
    for tenth in range(21):
        clock.now = tenth / 10
        told.progress("write", tenth * 1_000_000, 20_000_000)
    found = objects(capsys.readouterr().out)
    assert [one["done_bytes"] for one in found] == [0, 10_000_000, 20_000_000]
    assert found[1] == {
        "format": 1,
        "event": "progress",
        "phase": "write",
        "done_bytes": 10_000_000,
        "total_bytes": 20_000_000,
        "bytes_per_s": 10_000_000,
        "left_s": 1,
    }


def test_a_failure_says_whether_the_old_table_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    before, after = Told(json=True), Told(json=True)
    after.progress("write", 0, 1)
    before.failed(FlashError("one"), 1)
    after.failed(Unwritable("two"), 1)
    after.failed(FlashError("three"), 130)
    told = capsys.readouterr()
    found = [one for one in objects(told.out) if one["event"] == "failed"]
    assert [(one["written"], one["code"]) for one in found] == [(False, 1), (False, 1), (True, 130)]
    assert told.err.count("nothing was written") == 2
    assert "its partition table is gone" in told.err


def test_every_object_and_field_is_documented() -> None:
    section = re.split(r"^## ", DOCS.read_text("utf-8"), flags=re.MULTILINE)
    (text,) = (part for part in section if part.startswith("`edgenode flash"))
    source = Path(sys.modules[Told.__module__].__file__ or "").read_text("utf-8")
    events = re.findall(r'_object\(\s*"(\w+)"', source)
    assert events == ["plan", "progress", "done", "failed"]
    fields = re.findall(r"^ {12,16}(?:\w+\(\")?(\w+)=[^=]", source, re.MULTILINE)
    fields = [name for name in fields if name not in {"end", "flush", "file"}]
    assert {"phase", "left_s", "table_seen", "device_bytes"} <= set(fields)
    for name in [*events, *fields, "problem", "written", "code", "refused", "doubts"]:
        assert f"`{name}`" in text, name
