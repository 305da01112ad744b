"""What the daemon answers is what docs/cli.md says, field by field."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.control import ask
from tests.support.daemons import Place, until

PAGE = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
# By the command line: what it concludes from the answer, and what it says without a daemon.
CONCLUDED = {"ok", "verdict", "advice", "spool_problem"}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    made = Place(tmp_path_factory.mktemp("contract"))
    with made.instruments(), made.daemon():
        until(lambda: (made.status() or {}).get("uplink") is not None, "an uplink")
        yield made


def documented(verb: str) -> tuple[set[str], set[str]]:
    """Return the fields of the answer itself, and every name its table has."""
    start = PAGE.index(f"## `edgenode {verb}")
    section = PAGE[start : PAGE.index("\n## ", start + 1)]
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", section, re.MULTILINE)
    names = {name for row in rows for cell in row for name in re.findall(r"`([^`]+)`", cell)}
    top = {
        re.sub(r"\[\].*", "", name)
        for cell, _ in rows
        for name in re.findall(r"`([^`]+)`", cell)
        if "[]." not in name
    }
    return top, {re.sub(r"[\[\]]", "", name).split(".")[-1] for name in names}


def keys(value: Any) -> set[str]:
    """Return the names of all fields, however deep; what a table is keyed by is none."""
    if isinstance(value, list):
        return set().union(*map(keys, value)) if value else set()
    if not isinstance(value, dict):
        return set()
    free = ("rungs", "reasons", "by_rung", "by_reason", "totals")
    deeper = (keys(inner) for key, inner in value.items() if key not in free)
    return set(value).union(*deeper)


@pytest.mark.parametrize(
    ("verb", "given"),
    [
        ("status", {}),
        ("sensors", {}),
        ("read", {"sensor": "air"}),
        ("why", {"channel": "air/temperature"}),
        ("history", {}),
        ("reload", {}),
        ("disclose", {}),
    ],
)
def test_every_field_is_documented_and_every_documented_field_is_there(
    place: Place, verb: str, given: dict[str, Any]
) -> None:
    answer = ask(place.socket, verb, 12, **given)
    top, names = documented(verb)
    assert set(answer) == top - CONCLUDED
    assert keys(answer) <= names


def test_maintenance_begins_and_ends_and_is_seen_in_status(place: Place) -> None:
    begun = ask(place.socket, "maintenance", 3, minutes=2, why="a test")
    assert set(begun) == {"format", "utc_ms", "maintenance"}
    assert begun["maintenance"]["why"] == "a test"
    assert 118 <= begun["maintenance"]["left_s"] <= 120
    status = place.status() or {}
    assert keys(status["maintenance"]) == {"left_s", "since_utc_ms", "until_utc_ms", "why"}

    def quality() -> str:
        found = ask(place.socket, "sensors")["sensors"]
        return str(next(s for s in found if s["sensor"] == "air")["channels"][0]["quality"])

    until(lambda: quality() == "maintenance", "readings are flagged")
    assert ask(place.socket, "maintenance", 3, minutes=0)["maintenance"] is None
    until(lambda: quality() == "ok", "readings are good again")


def test_metrics_are_text_that_ends_as_it_must(place: Place) -> None:
    answer = ask(place.socket, "metrics")
    assert set(answer) == {"format", "text"}
    assert answer["text"].endswith("# EOF\n")
    assert 'edgenode_channel_value{channel="air/temperature",unit="Cel"}' in answer["text"]


def test_an_unknown_sensor_or_channel_is_answered_with_what_was_meant(place: Place) -> None:
    from edgenode.control import BadRequest  # noqa: PLC0415 - named where it is expected

    with pytest.raises(BadRequest, match="did you mean 'air'"):
        ask(place.socket, "read", sensor="aur")
    with pytest.raises(BadRequest, match="did you mean 'air/temperature'"):
        ask(place.socket, "why", channel="air/temperatur")
