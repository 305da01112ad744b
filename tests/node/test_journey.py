"""A maintainer's journey with the real daemon: unplugged, told of everywhere, plugged in, over."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import main
from edgenode.reading import EventCode
from edgenode.virtual.control import send_command
from tests.support.daemons import Place, terminated, until
from tests.support.leftbehind import told

Ask = Callable[..., tuple[int, dict[str, Any]]]

AIR = "air/temperature"
KEY = "sensor air"


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    with made.instruments():
        yield made


@pytest.fixture
def ask(place: Place, capsys: pytest.CaptureFixture[str]) -> Ask:
    """The command line itself: its exit code, and what it prints with --json."""

    def asked(*words: str) -> tuple[int, dict[str, Any]]:
        where = ["--json", "--socket", str(place.socket), "--state", f"{place.directory}/state"]
        code = main([*words, *where])
        return code, json.loads(capsys.readouterr().out)

    return asked


def keys(ask: Ask) -> set[str]:
    return {problem["key"] for problem in ask("status")[1].get("problems", [])}


def entry(ask: Ask) -> dict[str, Any]:
    """The one entry of the condition log about the sensor."""
    (found,) = [row for row in ask("history")[1]["entries"] if row["key"] == KEY]
    return dict(found)


def unplugged(ask: Ask) -> None:
    """Every answer agrees that it is gone."""
    code, status = ask("status")
    (problem,) = [problem for problem in status["problems"] if problem["key"] == KEY]
    assert (code, status["health"]) == (1, "degraded")
    assert problem["advice"]
    code, why = ask("why", AIR)
    assert (code, why["ok"], why["quality"], why["value"]) == (1, False, "missing", None)
    assert "sensor air is lost" in why["verdict"]
    assert [row["key"] for row in why["history"] if row["open"]] == [KEY]
    code, sensors = ask("sensors")
    assert (code, sensors["sensors"][0]["state"]) == (1, "lost")
    code, read = ask("read", "air")
    assert (code, read["reason"]) == (1, "no-answer")
    assert entry(ask)["open"]


def plugged_in(ask: Ask) -> None:
    """Every answer agrees that it is back, and for how long it was gone."""
    assert ask("status")[1]["problems"] == []
    code, why = ask("why", AIR)
    assert (code, why["ok"], why["quality"]) == (0, True, "ok")
    assert ask("read", "air")[0] == ask("sensors")[0] == 0
    over = entry(ask)
    assert (over["open"], over["times"]) == (False, 1)
    assert over["until_utc_ms"] > over["since_utc_ms"]


def test_unplugged_restarted_and_plugged_in_every_answer_agrees_and_each_event_comes_once(
    place: Place, ask: Ask
) -> None:
    wires = place.directory / "command"
    with place.daemon() as first:
        until(lambda: ask("why", AIR)[1].get("ok"), "all is well")
        send_command(wires, "air", "vanish")
        until(lambda: KEY in keys(ask), "status says so")
        unplugged(ask)
        since = entry(ask)["since_utc_ms"]
        assert terminated(first) == 0
    assert entry(ask)["open"], "the log is read without a daemon, too"
    with place.daemon() as second:
        until(lambda: KEY in keys(ask), "the next daemon says so at once")
        until(lambda: ask("why", AIR)[1].get("quality") == "missing", "it was tried again")
        unplugged(ask)
        assert entry(ask)["since_utc_ms"] == since
        send_command(wires, "air", "return")
        until(lambda: KEY not in keys(ask), "it is found")
        plugged_in(ask)
        assert terminated(second) == 0
    about = {EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND}
    codes = [code for code in told(place) if code in about]
    assert codes == [EventCode.SENSOR_LOST, EventCode.SENSOR_FOUND]
    assert place.log().count(f"{KEY}: well again") == 1
