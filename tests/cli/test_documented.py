"""docs/cli.md names every verb, option, request, field and metric there is."""

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edgenode.cli import VERBS
from edgenode.cli.absent import absent
from edgenode.cli.grammar import Grammar, grammars
from edgenode.cli.spool import document
from edgenode.cli.why import concluded
from edgenode.control import CLIENT_S, REQUESTS, SLOW_S
from edgenode.control.exchange import MAX_ANSWER, MAX_REQUEST
from edgenode.control.server import SLOW_MOST
from edgenode.demo.account import Account
from edgenode.demo.gather import Received
from edgenode.demo.play import Outcome
from edgenode.demo.words import as_json
from edgenode.metrics import TABLE
from edgenode.metrics.text import SUFFIX
from edgenode.reading import Quality
from edgenode.sensing import SensorStats, WorkerStats
from edgenode.sensing.stats import LeverStats
from edgenode.spool import SpoolStats
from edgenode.uplink import UplinkStats
from tests.support.documents import HISTORY, READ, SENSORS, STATUS, WHY

TEXT = (Path(__file__).parents[2] / "docs/cli.md").read_text(encoding="utf-8")
COMMON = {"-h", "--help", "--json", "--socket", "--state"}
SHARED = ("cityos", "tail", "decode")  # one section for all three


def section(verb: str) -> str:
    """Return what stands below the heading of a verb."""
    parts = re.split(r"^## ", TEXT, flags=re.MULTILINE)
    found = [part for part in parts if re.match(rf".*`edgenode {verb}\b", part.splitlines()[0])]
    assert found, f"no heading for {verb}"
    return "\n".join(found)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_a_heading(verb: str) -> None:
    assert section(verb)


@pytest.mark.parametrize("grammar", list(grammars()), ids=lambda grammar: " ".join(grammar.path))
def test_every_option_is_documented_below_its_verb(grammar: Grammar) -> None:
    text = section(grammar.path[0])
    for word in grammar.path[1:]:
        assert word in text
    for option in grammar.options:
        for name in option.names:
            shared = name in COMMON and grammar.path[0] not in SHARED
            known = f"`{name}" in TEXT if shared else name in text
            assert known or name in {"-h", "--help"}, name


def fields(value: Any) -> Iterator[str]:
    """Yield every key of a document, but for those that are names of rungs and reasons."""
    if isinstance(value, list):
        for item in value:
            yield from fields(item)
    elif isinstance(value, dict):
        for key, held in value.items():
            yield key
            if key not in {"by_reason", "reasons", "by_rung", "totals"}:
                yield from fields(held)


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("status", STATUS), ("sensors", SENSORS), ("read", READ), ("why", concluded(WHY)),
        ("history", HISTORY), ("spool", document(STATUS)),
    ],
)  # fmt: skip
def test_every_field_of_a_document_is_documented_below_its_verb(
    verb: str, answer: dict[str, Any]
) -> None:
    text = section(verb)
    for field in fields(answer):
        assert f"`{field}" in text, field


@pytest.mark.parametrize(
    "kind",
    [SpoolStats, UplinkStats, WorkerStats, SensorStats, LeverStats],
    ids=lambda t: t.__name__,
)
def test_every_figure_that_a_room_tells_is_documented_below_status(kind: Any) -> None:
    text = section("status")
    for field in dataclasses.fields(kind):
        assert re.search(rf"`{field.name}(\[\])?`", text), field.name


def test_every_field_of_the_demos_object_is_documented() -> None:
    counts: dict[str, Any] = {field.name: 0 for field in dataclasses.fields(Account)}
    told = Account(**{**counts, "lost": {}, "problems": ("one",)})
    outcome = Outcome(
        told,
        Received(0, 0, 0, 0),
        written_bytes=0,
        stop_s=0,
        drained=True,
        kills=1,
        newest={},
    )
    text = section("demo")
    for field in as_json(outcome):
        assert f"`{field}`" in text, field


def test_the_document_of_no_daemon_is_documented() -> None:
    found = absent("/nonexistent", "nobody answers")
    assert found["health"] == "absent"
    for field in found:
        assert f"`{field}`" in TEXT, field


@pytest.mark.parametrize("verb", REQUESTS)
def test_every_request_is_documented_with_its_arguments_and_limits(verb: str) -> None:
    table = TEXT[TEXT.index("## On the socket") :]
    row = next(line for line in table.splitlines() if re.match(rf"\|.*`{verb}`", line))
    request = REQUESTS[verb]
    for name, argument in request.takes.items():
        assert f"`{name}`" in row
        for number in re.findall(r"\b\d{2,4}\b", str(argument)):
            assert number in row, f"{name}: {number}"
        assert ("optional" in row) or argument.required
    assert ("changing" in row) is request.changes
    assert ("slow" in row) is request.slow


def test_the_limits_of_the_socket_are_documented() -> None:
    text = " ".join(TEXT[TEXT.index("## On the socket") :].split())
    assert (MAX_REQUEST, MAX_ANSWER, CLIENT_S) == (4 << 10, 1 << 20, 1)
    assert "at most 4 KiB, an answer at most 1 MiB, a client one second" in text
    assert (SLOW_S, SLOW_MOST) == (10, 2)
    assert "may take ten seconds, two at a time" in text


@pytest.mark.parametrize("spec", [spec for specs in TABLE.values() for spec in specs], ids=str)
def test_every_metric_is_documented_with_its_kind_and_meaning(spec: Any) -> None:
    name = spec.full_name + SUFFIX.get(spec.kind, "")
    row = rf"^\| `{name}` \| {spec.kind} \|.*\| {re.escape(spec.help)} \|$"
    assert re.search(row, TEXT, re.MULTILINE)


def test_no_metric_is_documented_that_there_is_not() -> None:
    names = {
        spec.full_name + SUFFIX.get(spec.kind, "") for specs in TABLE.values() for spec in specs
    }
    assert set(re.findall(r"^\| `(edgenode_\w+)`", TEXT, re.MULTILINE)) == names


def test_every_quality_that_a_person_may_meet_is_explained() -> None:
    for name in Quality.__members__:
        quality = name.lower().replace("_", "-")
        if quality not in {"ok", "estimated", "suppressed-privacy", "uncalibrated"}:
            assert f"`{quality}`" in TEXT, quality
