"""The verbs that ask the daemon, as a person or a script meets them."""

import copy
import json
import time
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import main
from edgenode.control import REQUESTS
from tests.support.documents import HISTORY, READ, SENSORS, STATUS, Played

Capture = pytest.CaptureFixture[str]
ASKING: dict[str, list[str]] = {
    "status": [], "sensors": [], "read": ["air"], "why": ["air/temperature"], "spool": [],
    "history": [], "maintenance": [], "metrics": [], "reload": [], "top": ["--once"],
}  # fmt: skip


pytestmark = pytest.mark.usefixtures("seoul")


def run(daemon: Played, *words: str) -> int:
    return main([*words, "--socket", str(daemon.path)])


def out(capsys: Capture) -> str:
    return capsys.readouterr().out


@pytest.mark.parametrize("verb", sorted(ASKING))
def test_every_verb_says_what_can_be_told_without_a_daemon(
    verb: str, tmp_path: Path, capsys: Capture
) -> None:
    words = [verb, *ASKING[verb], "--socket", str(tmp_path / "none"), "--state", str(tmp_path)]
    assert main(words) == 3
    assert "does not run" in out(capsys)
    assert main([*words, "--json"]) == 3
    assert json.loads(out(capsys))["health"] == "absent"


@pytest.mark.parametrize(
    ("verb", "document"), [("status", STATUS), ("sensors", SENSORS), ("history", HISTORY)]
)
def test_json_is_the_document_of_the_daemon(
    verb: str, document: dict[str, Any], daemon: Played, capsys: Capture
) -> None:
    run(daemon, verb, "--json")
    assert json.loads(out(capsys)) == document


@pytest.mark.parametrize("verb", sorted(ASKING))
def test_no_verb_colours_what_is_no_terminal(verb: str, daemon: Played, capsys: Capture) -> None:
    assert run(daemon, verb, *ASKING[verb]) in {0, 1}
    assert "\x1b" not in out(capsys)


# --- status ---


def test_status_tells_since_when_also_across_restarts(daemon: Played, capsys: Capture) -> None:
    daemon.status |= {
        "health": "degraded",
        "problems": [
            {"key": "uplink", "what": "not connected", "advice": "check the network",
             "since_s": 266_400, "since_utc_ms": STATUS["utc_ms"] - 266_400_000, "times": 1},
            {"key": "sensor air", "what": "air is lost", "advice": "check its plug",
             "since_s": 20, "since_utc_ms": None, "times": 3},
        ],
    }  # fmt: skip
    assert run(daemon, "status") == 1
    said = out(capsys)
    assert "node 0a1b2c3d is DEGRADED since 1 h 56 min (up 2 h)" in said
    assert "! not connected (for 3 d 2 h, since 2026-11-15 18:06:40 +09:00)" in said
    assert "do: check the network" in said
    assert "! air is lost (for 20 s, 3 times of late)" in said


def test_status_tells_maintenance_budget_clock_and_restarts(
    daemon: Played, capsys: Capture
) -> None:
    daemon.status["maintenance"] = {
        "left_s": 5400, "since_utc_ms": None, "until_utc_ms": None, "why": "new fan"
    }  # fmt: skip
    daemon.status["budget"]["state"] = "near"
    assert run(daemon, "status") == 0
    said = out(capsys)
    assert "somebody works on this node for 1 h 30 min more: new fan" in said
    assert "1.2 MB of 5.0 MB today, 30.0 MB this month (UTC); NEAR" in said
    assert "ntp, right within 4 ms" in said
    assert "2026-11-18 18:06:40 +09:00 boot (sudden)" in said


def test_status_of_a_daemon_that_tells_less_is_told_all_the_same(
    daemon: Played, capsys: Capture
) -> None:
    for key in ("maintenance", "budget", "restarts", "clock_err_ms"):
        del daemon.status[key]
    assert run(daemon, "status") == 0
    assert "0a1b2c3d is WELL" in out(capsys)


# --- sensors ---


def test_sensors_are_a_line_each_and_their_channels_a_table(
    daemon: Played, capsys: Capture
) -> None:
    assert run(daemon, "sensors") == 0
    lines = out(capsys).splitlines()
    assert lines[0].startswith("air  sht4x on i2c1  every 1 s  3600 reads, 2 failed, 1 missed")
    assert lines[2].split() == ["CHANNEL", "VALUE", "UNIT", "QUALITY", "AGE", "PURPOSE"]
    assert lines[3].split()[:6] == ["air/temperature", "21.50", "Cel", "ok", "1", "s"]
    assert "heat on the square (calibration K-17)" in lines[3]
    assert lines[4].split()[:4] == ["air/humidity", "-", "%RH", "missing"], "no number is no zero"
    assert lines[3].index("Cel") == lines[4].index("%RH"), "aligned"


def test_one_sensor_that_is_lost_makes_sensors_leave_with_one(
    daemon: Played, capsys: Capture
) -> None:
    daemon.sensors["sensors"] += copy.deepcopy(daemon.sensors["sensors"])
    daemon.sensors["sensors"][0] |= {
        "state": "lost", "reason": "no-answer", "detail": "no acknowledge", "last_ok_s": None
    }  # fmt: skip
    assert run(daemon, "sensors") == 1
    assert "lost (no-answer: no acknowledge); last good read never" in out(capsys)


# --- read ---


def test_read_tells_what_the_sensor_answered(daemon: Played, capsys: Capture) -> None:
    assert run(daemon, "read", "air") == 0
    assert out(capsys).splitlines() == [
        "air answered in 12 ms",
        "  air/temperature  21.50  Cel  ok",
    ]


def test_a_read_that_failed_leaves_with_one_and_says_what_to_do(
    daemon: Played, capsys: Capture
) -> None:
    daemon.read |= {"reason": "timeout", "detail": "no answer in 0.5 s"}
    daemon.read["channels"] = [READ["channels"][0] | {"value": None, "quality": "missing"}]
    assert run(daemon, "read", "air") == 1
    daemon.read["channels"] = []
    assert run(daemon, "read", "air") == 1
    said = out(capsys)
    assert "air gave nothing: timeout: no answer in 0.5 s" in said
    assert "do: check its supply, the length of its cable" in said
    assert "edgenode why air/" in said


def test_a_read_of_a_part_that_may_not_be_asked_so_often_tells_its_age(
    daemon: Played, capsys: Capture
) -> None:
    daemon.read |= {"fresh": False, "age_s": 7}
    assert run(daemon, "read", "air") == 0
    assert "7 s ago: the part may not be asked more often" in out(capsys)


def test_an_unknown_sensor_is_wrong_usage_with_what_was_meant(
    daemon: Played, capsys: Capture
) -> None:
    assert run(daemon, "read", "aire") == 2
    assert "no sensor 'aire'; did you mean 'air'?" in capsys.readouterr().err


# --- history ---


def test_history_tells_from_when_to_when(daemon: Played, capsys: Capture) -> None:
    assert run(daemon, "history", "--limit", "5") == 0
    first, second = out(capsys).splitlines()
    assert first == (
        "2026-11-17 19:06:40 +09:00  for 1 h    "
        "sensor air on bus i2c1 was lost: no answer (4 times)"
    )
    assert second == "2026-11-18 19:56:40 +09:00  until now  no broker was connected"
    assert daemon.asked == [{"limit": 5}]


def test_history_of_a_time_without_a_clock_names_the_boot(daemon: Played, capsys: Capture) -> None:
    daemon.history["entries"][0]["since_utc_ms"] = None
    daemon.history["kept_from_utc_ms"] = STATUS["utc_ms"]
    assert run(daemon, "history") == 0
    said = out(capsys)
    assert "in epoch 2, time unknown" in said
    assert "complete since 2026-11-18 20:06:40 +09:00" in said


def test_starts_are_told_in_words_and_last_no_time(daemon: Played, capsys: Capture) -> None:
    start = HISTORY["entries"][0] | {"lasted_s": 28, "times": 3}  # from the first to the last
    daemon.history["entries"] = [
        start | {"key": "boot", "what": "sudden"},
        start | {"key": "start", "what": "orderly"},
    ]
    assert run(daemon, "history") == 0
    first, second = (line.partition("+09:00")[2].strip() for line in out(capsys).splitlines())
    assert first == "the machine was started: it had ended suddenly (3 times)"
    assert second == "the daemon was started: it had been stopped in order (3 times)"


def test_history_since_asks_for_what_did_not_end_earlier(daemon: Played) -> None:
    before_ms = time.time() * 1000
    assert run(daemon, "history", "--since", "3d") == 0
    [asked] = daemon.asked
    assert asked["since_utc_ms"] == pytest.approx(before_ms - 3 * 86_400_000, abs=60_000)


# --- reload, metrics ---


def test_reload_tells_what_changed_or_that_nothing_did(daemon: Played, capsys: Capture) -> None:
    assert run(daemon, "reload") == 0
    assert "nothing in the file is different" in out(capsys)
    daemon.reload["changed"] = ["sensor air: every_s 1 → 5"]
    assert run(daemon, "reload") == 0
    assert out(capsys) == "sensor air: every_s 1 → 5\n"


def test_reload_of_a_file_with_mistakes_leaves_with_two(daemon: Played, capsys: Capture) -> None:
    daemon.reload["problems"] = ["edgenode.toml:3: nod: unknown key"]
    assert run(daemon, "reload") == 2
    assert "nothing was changed" in out(capsys)


def test_metrics_are_printed_as_they_are(daemon: Played, capsys: Capture) -> None:
    daemon.text = "# TYPE a gauge\na 1\n# EOF\n"
    assert run(daemon, "metrics") == 0
    assert out(capsys) == daemon.text


# --- spool ---


def test_spool_tells_fill_custody_outage_and_wear(daemon: Played, capsys: Capture) -> None:
    assert run(daemon, "spool") == 0
    said = out(capsys)
    assert "10.0 % of 268.4 MB" in said
    assert "10 min ago" in said
    assert "40 readings in the open window; 12 batches held" in said
    assert "2 in flight, 2 with a broker only" in said
    assert "248.5 days without a link are left, at 864.0 kB a day" in said
    assert "108.0 MB a day to the card, of 500.0 MB; 40.0 GB over the life" in said


def test_spool_does_not_invent_rates_that_are_not_known_yet(
    daemon: Played, capsys: Capture
) -> None:
    daemon.status["up_s"] = 60
    daemon.status["uplink"] = None
    daemon.status["spool"] |= {"sealed_bytes_per_day": None, "outage_days_left": None}
    assert run(daemon, "spool", "--json") == 0
    document = json.loads(out(capsys))
    assert document["written_bytes_per_day"] is None
    assert document["outage_days_left"] is None
    assert document["custody"]["in_flight"] == 0
    assert run(daemon, "spool") == 0
    assert "not known yet" in out(capsys)


def test_a_spool_in_trouble_leaves_with_one_and_names_what_was_set_aside(
    daemon: Played, capsys: Capture
) -> None:
    daemon.status["spool"] |= {
        "degraded": "the disk is full", "evicted_readings": 7,
        "quarantined": [["store-1", "not a database", 4096]],
        "left": [{"directory": "/spool/00ff", "node": "aa55", "bytes": 5_000_000}],
    }  # fmt: skip
    assert run(daemon, "spool") == 1
    said = out(capsys)
    assert "NOT WELL, the disk is full" in said
    assert "7 readings since the start" in said
    assert "set aside store-1 (not a database, 4.1 kB)" in said
    assert "left /spool/00ff of node aa55 (5.0 MB)" in said


def test_every_request_of_the_socket_has_a_verb() -> None:
    elsewhere = {"disclose", "mark", "custody"}  # test_disclose.py, tests/commission
    assert set(REQUESTS) <= {*ASKING, *elsewhere}
