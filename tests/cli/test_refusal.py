"""`edgenode status` of a node that has refused a document, with a daemon and without."""

import json
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import main
from edgenode.provision import telling
from edgenode.provision.places import Places
from tests.support.documents import Played

Capture = pytest.CaptureFixture[str]
HEAD = "REFUSED: node.json was not taken; nothing was changed."
PROBLEM = "sensors[0].every_s: expected seconds"


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Places:
    """A machine below a directory, on which the first boot has refused a document."""
    where = Places(tmp_path, tmp_path)
    telling.refused(where, HEAD, [PROBLEM])
    monkeypatch.setattr("edgenode.cli.refusal.PLACE", str(where.run / telling.REFUSED))
    return where


def told(words: list[str], capsys: Capture) -> tuple[int, str]:
    return main(["status", *words]), capsys.readouterr().out


def test_a_node_that_goes_on_as_it_was_says_what_it_has_refused(
    daemon: Played, refused: Places, capsys: Capture
) -> None:
    code, text = told(["--socket", str(daemon.path)], capsys)
    assert code == 1
    assert f"! {HEAD}" in text
    assert f"- {PROBLEM}" in text
    assert "do: a corrected node.json" in text
    code, text = told(["--socket", str(daemon.path), "--json"], capsys)
    found: dict[str, Any] = json.loads(text)
    assert found["refused"] == {"head": HEAD, "problems": [PROBLEM]}


def test_a_node_without_a_daemon_says_it_too(refused: Places, capsys: Capture) -> None:
    words = ["--socket", str(refused.root / "none"), "--state", str(refused.root)]
    code, text = told(words, capsys)
    assert code == 3
    assert PROBLEM in text


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"head": 1, "problems": 7}'])
def test_a_damaged_note_of_a_refusal_is_no_refusal(
    text: str, daemon: Played, refused: Places, capsys: Capture
) -> None:
    (refused.run / telling.REFUSED).write_text(text)
    assert "REFUSED" not in told(["--socket", str(daemon.path)], capsys)[1]
