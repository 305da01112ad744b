"""Every code stands in the tables of docs/wire-format.md, and every choice there is held."""

from __future__ import annotations

import json
import re
from enum import IntEnum
from pathlib import Path

import pytest

from edgenode.errors import Reason
from edgenode.node.boot import BootCause, StartCause
from edgenode.reading import (
    ALARMS,
    ClockSource,
    EventCode,
    Kind,
    Limit,
    Privacy,
    Quality,
    Rung,
    SpoolReason,
    Stream,
)
from edgenode.sensing.totals import ResetReason
from edgenode.wire import LossReason
from edgenode.wire.limits import MAX_BYTES, MAX_ITEMS, MAX_LOSSES, MAX_ROWS, MAX_WORK

TESTS = Path(__file__).parents[1]
DOCS = TESTS.parent / "docs"
PAGE = (DOCS / "wire-format.md").read_text(encoding="utf-8")
SCHEMA = (DOCS / "edge-batch-v1.cddl").read_text(encoding="utf-8")
CHOICES = "Where the text can be read two ways"

TABLES: dict[str, type[IntEnum]] = {
    "Quality": Quality,
    "Kinds of channel": Kind,
    "Privacy": Privacy,
    "Streams": Stream,
    "Clock sources": ClockSource,
    "Loss reasons": LossReason,
    "Events": EventCode,
    "Reasons of a failed read": Reason,
    "Causes of a boot": BootCause,
    "Causes of a daemon start": StartCause,
    "Rungs of the recovery ladder": Rung,
    "Limits of the node": Limit,
    "Reasons of a counter-reset": ResetReason,
    "Reasons of spool-degraded": SpoolReason,
}
IN_SCHEMA = [Quality, Kind, Privacy, Stream, ClockSource, LossReason]


def section(title: str) -> str:
    """Return what stands below a heading, up to the next one of its level or above."""
    found = re.search(rf"^(##+) {re.escape(title)}\n", PAGE, re.MULTILINE)
    assert found, f"docs/wire-format.md has no section {title!r}"
    rest = PAGE[found.end() :]
    end = re.search(rf"^#{{2,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest[: end.start()] if end else rest


def rows(title: str) -> list[list[str]]:
    """Return the cells of the tables of a section, without their heads."""
    lines = re.findall(r"^\| (.*) \|$", section(title), re.MULTILINE)
    cells = [[cell.strip() for cell in re.split(r" *\| *", line)] for line in lines]
    return [row for row in cells if row[0] not in {"code", "choice"}]


def codes(title: str) -> dict[str, int]:
    return {name: int(code) for code, name, *_ in rows(title)}


def spoken(table: type[IntEnum]) -> dict[str, int]:
    return {member.name.lower().replace("_", "-"): member.value for member in table}


def held_by() -> set[str]:
    return {name for *_, names in rows(CHOICES) for name in re.findall(r"`([^`]+)`", names)}


@pytest.mark.parametrize("title", TABLES)
def test_a_table_has_every_code_with_its_name_and_no_other(title: str) -> None:
    assert codes(title) == spoken(TABLES[title])


@pytest.mark.parametrize("table", IN_SCHEMA, ids=lambda table: table.__name__)
def test_the_schema_names_the_same_codes(table: type[IntEnum]) -> None:
    groups = re.findall(r"&\(([^)]+)\)", SCHEMA)
    written = [
        {name: int(code) for name, code in re.findall(r"([\w-]+): (\d+)", group)}
        for group in groups
    ]
    assert spoken(table) in written


def test_exactly_the_alarms_are_marked() -> None:
    marked = {int(code) for code, _, alarm, *_ in rows("Events") if alarm == "alarm"}
    assert marked == ALARMS


def test_the_limits_are_those_of_the_code() -> None:
    for limit in (MAX_BYTES, MAX_ITEMS, MAX_LOSSES, MAX_ROWS, MAX_WORK):
        assert re.search(rf"\b{limit:,}\b", PAGE), limit


def test_every_vector_that_holds_a_choice_exists() -> None:
    cases = [
        case["name"]
        for file in ("valid", "refused")
        for case in json.loads((TESTS / f"wire/vectors/{file}.json").read_text(encoding="ascii"))
    ]
    cited = {name for name in held_by() if not name.startswith("test_")}
    assert len(cited) > 100
    assert cited <= set(cases)


def test_every_test_that_holds_a_choice_exists() -> None:
    cited = {name for name in held_by() if name.startswith("test_")}
    code = "\n".join(path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    assert len(cited) > 30
    assert cited <= set(re.findall(r"def (test_\w+)\(", code))


def test_every_choice_is_held_by_something() -> None:
    for row in rows(CHOICES):
        assert len(row) == 2, row
        assert re.search(r"`[^`]+`", row[1]), row
