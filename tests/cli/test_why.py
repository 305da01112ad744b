"""`edgenode why`: the verdict follows from the evidence, and the evidence is told."""

import copy
import json
from typing import Any

import pytest

from edgenode.advice import LEAK, QUALITIES, REASONS, WORN
from edgenode.cli import main
from edgenode.cli.verdict import allowed, judged
from edgenode.cli.why import concluded, text
from edgenode.errors import Reason
from edgenode.reading import Quality
from tests.support.documents import WHY, Played


def facts(**changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(WHY), **changes}


def sentence(**changes: Any) -> str:
    verdict = judged(facts(**changes))
    assert not verdict.ok
    assert verdict.advice, "what is wrong comes with what to do"
    return verdict.sentence


def test_a_channel_that_is_ok_can_be_trusted() -> None:
    verdict = judged(facts())
    assert verdict.ok
    assert verdict.sentence == "air/temperature can be trusted: 21.50 Cel, 1 s old"


def test_without_a_clock_the_value_is_trusted_and_its_time_not_yet() -> None:
    verdict = judged(facts(clock={"source": "none", "err_ms": None}))
    assert verdict.ok
    assert "not known yet" in verdict.sentence
    assert "NTP" in verdict.advice[0]


def test_a_lost_sensor_is_told_with_its_reason_and_its_next_try() -> None:
    said = sentence(state="lost", quality="missing", breaker={"state": "open", "next_try_s": 12})
    assert said == ("sensor air is lost: no-answer (no acknowledge); the next try is in 12 s")


def test_a_bus_that_hangs_explains_everything_on_it() -> None:
    said = sentence(bus_stuck=True, state="lost", quality="missing")
    assert said.startswith("a read on bus i2c1 does not return")


def test_work_on_the_node_explains_more_than_the_values() -> None:
    said = sentence(quality="maintenance", maintenance={"left_s": 60, "why": ""})
    assert "somebody works on this node for 1 min more" in said


def test_what_has_not_been_read_is_told_as_such() -> None:
    assert "has not been read" in sentence(quality=None, value=None, age_s=None)


def test_a_channel_that_its_part_does_not_give_is_no_fault_of_the_plug() -> None:
    assert sentence(quality="missing", value=None) == (
        "sensor air answers, but gives no value for air/temperature"
    )


def test_a_failure_that_is_over_is_not_blamed_for_what_is_read_since() -> None:
    said = judged(facts(quality="fault", value=None))
    assert said.sentence == "air/temperature is fault"
    assert said.advice == (QUALITIES["fault"],)


@pytest.mark.parametrize(("age_s", "every_ms", "late"), [(10, 1000, False), (11, 1000, True)])
def test_a_reading_older_than_three_intervals_and_ten_seconds_is_late(
    age_s: int,
    every_ms: int,
    late: bool,  # noqa: FBT001 - a row of a table
) -> None:
    assert judged(facts(age_s=age_s, every_ms=every_ms)).ok is not late


def test_a_slow_channel_is_not_late_before_its_third_interval() -> None:
    assert judged(facts(age_s=1800, every_ms=600_000)).ok
    assert "30 min 1 s old" in sentence(age_s=1801, every_ms=600_000)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quality": "stuck", "stuck_at": {"unchanged_s": 900, "limit_s": 600.0}},
         "is stuck: the same value for 15 min, at most 10 min"),
        ({"quality": "rate-of-change", "rate": {"per_s": 3.5, "limit_per_s": 0.5}},
         "3.5 Cel a second, at most 0.5"),
        ({"quality": "disagrees",
          "twin": {"channel": "roof/t", "value": 1.0, "difference": 4.256, "tolerance": 1.0}},
         "4.26 Cel from roof/t, at most 1"),
        ({"quality": "settling", "settling": {"left_s": 20, "settle_s": 30}}, "for 20 s more"),
        ({"quality": "out-of-range", "value": 61.0}, "61.00 Cel, allowed -40 to 60 Cel"),
        ({"quality": "stuck", "stuck_at": None}, "air/temperature is stuck"),
    ],
)  # fmt: skip
def test_a_doubt_comes_with_the_number_that_led_to_it(changes: dict[str, Any], said: str) -> None:
    assert said in sentence(**changes)


def test_every_quality_and_every_reason_has_advice() -> None:
    names = {name.lower().replace("_", "-") for name in Quality.__members__}
    without = {"ok", "estimated", "maintenance", "suppressed-privacy"}
    assert names - set(QUALITIES) == without
    for quality in without - {"ok"}:
        assert judged(facts(quality=quality, maintenance=None)).advice
    assert set(REASONS) == {reason.word for reason in Reason}


def test_the_file_tightens_the_range_of_the_part() -> None:
    limits = {"low": -40.0, "high": 125.0, "limit_low": None, "limit_high": 60.0}
    assert allowed(limits, "Cel") == "-40 to 60 Cel"
    limits = {"low": -40.0, "high": 125.0, "limit_low": -10.0, "limit_high": None}
    assert allowed(limits, "Cel") == "-10 to 125 Cel"
    assert allowed(dict.fromkeys(limits), "Cel") == "any value"


def test_the_whole_chain_is_told_verdict_first() -> None:
    lines = "\n".join(text(concluded(facts(
        state="lost", quality="missing", value=None,
        breaker={"state": "open", "next_try_s": 4},
        history=[{"key": "bus i2c1", "what": "bus i2c1 was stuck", "since_utc_ms": None,
                  "until_utc_ms": None, "lasted_s": 5, "open": False, "epoch": 2, "times": 1}],
    ))))  # fmt: skip
    assert lines.startswith("NOT OK: sensor air is lost")
    for part in (
        "do: check its plug",
        "last good read  1 s ago",
        "2 beside 3600 good reads, 1 slot missed; tries in vain: no-answer 2",
        "no-answer (no acknowledge), 15 min ago",
        "retry tried 4, helped 3; reopen tried 1, helped 1",
        "open: it is given up for a while; next try in 4 s",
        "-40 to 60 Cel is allowed",
        "unchanged for 3 s, suspect from 10 min",
        "0.01 Cel a second, suspect beyond 0.5",
        "roof/temperature says 21.30 Cel: 0.20 apart, suspect beyond 1",
        "K-17 of 2026-03-01",
        "ntp, right within 4 ms",
        "bus i2c1 was stuck",
    ):
        assert part in lines, part


def test_what_is_not_judged_is_told_as_such() -> None:
    lines = "\n".join(text(concluded(facts(
        stuck_at=None, rate=None, twin=None, calibration=None, last_ok=None, last_failure=None,
        by_rung={}, by_reason={},
    ))))  # fmt: skip
    for part in ("stuck-at        not judged", "twin            none", "never since the daemon"):
        assert part in lines, part
    assert "nothing was tried" in lines


NULLABLE = [
    (name, inner)
    for name in (
        "stuck_at",
        "rate",
        "twin",
        "settling",
        "last_failure",
        "last_ok",
        "range",
        "clock",
    )
    for inner in {**WHY, "settling": {"left_s": 1, "settle_s": 2}}[name]
    if inner
    not in {"limit_s", "limit_per_s", "settle_s", "channel", "source", "reason", "detail", "ago_s"}
] + [("last_failure", "ago_s")]


@pytest.mark.parametrize("quality", ["ok", *QUALITIES])
@pytest.mark.parametrize(("name", "inner"), NULLABLE)
def test_what_is_not_known_is_left_out_of_the_words(name: str, inner: str, quality: str) -> None:
    found = facts(quality=quality, settling={"left_s": 20, "settle_s": 30})
    found[name][inner] = None
    assert "None" not in "\n".join(text(concluded(found)))


def test_the_exit_code_says_whether_the_channel_is_ok(
    daemon: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["why", "air/temperature", "--socket", str(daemon.path)]
    assert main(words) == 0
    daemon.why["quality"] = "stuck"
    assert main([*words, "--json"]) == 1
    document = json.loads(capsys.readouterr().out.partition("{")[2].join(["{", ""]))
    assert document["ok"] is False
    assert document["verdict"].startswith("air/temperature is stuck")
    assert document["advice"]
    assert set(document) == {*WHY, "ok", "verdict", "advice"}
    assert main(["why", "air/temperatur", "--socket", str(daemon.path)]) == 2
    assert "did you mean 'air/temperature'?" in capsys.readouterr().err


LEAKS = {"flows_s": 93_600, "after_h": 24, "quiet_min": 30}
WORN_CELL = {
    "what": "cell",
    "hours": 17_600.4,
    "of_hours": 17_532.0,
    "used_percent": 100,
    "installed": "2025-01-01",
}


def test_a_suspected_leak_is_no_reason_to_doubt_the_total_and_comes_with_advice() -> None:
    verdict = judged(facts(leak=LEAKS))
    assert verdict.ok
    assert "grown for 1 d 2 h without a pause: a leak is suspected" in verdict.sentence
    assert verdict.advice == (LEAK,)
    rows = list(text(concluded(facts(leak=LEAKS))))
    assert any("leak" in row and "SUSPECTED" in row and "30 min" in row for row in rows)
    quiet = list(text(concluded(facts(leak={**LEAKS, "flows_s": None}))))
    assert any("none suspected: there was a pause of 30 min within 24 h" in row for row in quiet)


def test_a_cell_that_is_used_up_explains_why_it_is_uncalibrated() -> None:
    verdict = judged(facts(quality="uncalibrated", life=WORN_CELL))
    assert "its cell has worked 17600 h and lasts 17532 h" in verdict.sentence
    assert verdict.advice == (WORN,)
    nearly = {**WORN_CELL, "used_percent": 99}
    assert judged(facts(quality="uncalibrated", life=nearly)).advice != (WORN,)
    rows = list(text(concluded(facts(life=nearly))))
    assert any("the cell has worked 17600 of 17532 h (99 %)" in row for row in rows)
