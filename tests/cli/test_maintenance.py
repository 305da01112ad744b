"""`edgenode maintenance`, as a person on a ladder meets it."""

import json

import pytest

from tests.cli.test_asking import Capture, out, run
from tests.support.documents import Played

pytestmark = pytest.mark.usefixtures("seoul")


def test_maintenance_begins_for_an_hour_shows_and_ends(daemon: Played, capsys: Capture) -> None:
    assert run(daemon, "maintenance") == 0
    assert "nobody works on this node" in out(capsys)
    assert run(daemon, "maintenance", "on", "--why", "new fan") == 0
    said = out(capsys)
    assert "for 1 h more: new fan" in said
    assert "2026-11-18 21:06:40 +09:00; sooner by: edgenode maintenance off" in said
    assert run(daemon, "maintenance", "--json") == 0
    assert json.loads(out(capsys))["maintenance"]["why"] == "new fan"
    assert run(daemon, "maintenance", "off") == 0
    assert [dict(asked) for asked in daemon.asked] == [
        {"minutes": 60, "why": "new fan"},
        {"minutes": 0},
    ]


def test_what_is_left_is_told_in_whole_minutes_and_without_a_clock(
    daemon: Played, capsys: Capture
) -> None:
    daemon.status["maintenance"] = {
        "left_s": 7198, "since_utc_ms": None, "until_utc_ms": None, "why": ""
    }  # fmt: skip
    assert run(daemon, "maintenance") == 0
    said = out(capsys)
    assert "for 2 h more\n" in said
    assert "it ends by itself; sooner by" in said


def test_maintenance_lasts_whole_minutes_and_at_least_what_was_asked(daemon: Played) -> None:
    assert run(daemon, "maintenance", "on", "--for", "90s") == 0
    assert daemon.asked == [{"minutes": 2}]


@pytest.mark.parametrize(
    "words",
    [
        ["on", "--for", "25h"], ["on", "--for", "soon"], ["on", "--why", "x" * 81],
        ["on", "--why", ""], ["maybe"], ["off", "--for", "1h"], ["--why", "x"],
    ],
)  # fmt: skip
def test_maintenance_that_cannot_be_meant_is_wrong_usage(daemon: Played, words: list[str]) -> None:
    try:
        code = run(daemon, "maintenance", *words)
    except SystemExit as left:  # argparse leaves by itself
        code = int(left.code or 0)
    assert code == 2
    assert daemon.asked == []
