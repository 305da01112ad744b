"""docs/provisioning.md: every member is there, and its commands work as they stand."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from edgenode.config.check import fields_of
from edgenode.provision.columns import NODE, SHORT
from edgenode.provision.document import read
from edgenode.provision.keys import trusted
from edgenode.provision.tables import (
    BrokerRow,
    DocumentTable,
    EnrolTable,
    EthernetTable,
    NetworkTable,
    SignatureTable,
    UplinkRow,
    WifiTable,
)

TEXT = (Path(__file__).parents[2] / "docs" / "provisioning.md").read_text(encoding="utf-8")


def section(head: str) -> str:
    """Return what stands below a heading."""
    found = re.search(rf"^## {head}\n(.*?)(?=^## |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert found, head
    return found[1]


@pytest.mark.parametrize(
    "table",
    [
        DocumentTable, NetworkTable, EthernetTable, WifiTable, BrokerRow, UplinkRow, EnrolTable,
        SignatureTable,
    ],
)  # fmt: skip
def test_every_member_is_documented(table: type) -> None:
    text = section("The document")
    for name in fields_of(table):
        assert re.search(rf"`[^`]*\b{name}\b[^`]*`", text), name


@pytest.mark.parametrize("column", [NODE, *SHORT])
def test_every_column_is_documented(column: str) -> None:
    assert f"`{column}`" in section("A district from a CSV")


def test_the_commands_work_as_they_stand(tmp_path: Path) -> None:
    text = section("Making one") + section("A district from a CSV")
    script = "\n".join(re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["sh", "-eu", "-c", script],
        cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    keys = trusted(tmp_path / "city.key.pub")
    first, later = (read((tmp_path / f).read_bytes(), keys) for f in ("node.json", "next.json"))
    assert (later.node, later.serial) == (first.node, first.serial + 1)
    assert len(list((tmp_path / "cards").glob("*/node.json"))) == 2
