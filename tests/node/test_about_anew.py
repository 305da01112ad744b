"""What a reload changes of what a node says about itself is published; the rest is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from edgenode.config import load
from edgenode.node.lines import SystemdLines
from edgenode.node.reload import Reloader
from edgenode.node.rooms import Rooms
from tests.support.disclosed import text


class Pretended:
    """Rooms that only note whether the uplink, which publishes `about`, began anew."""

    def __init__(self, path: Path) -> None:
        self.config = load(path)
        self.uplink = object()
        self.gids: dict[str, int] = {}
        self.groups: dict[int, Any] = {}
        self.buses = self.spool = self.lines = self
        self.published = 0
        self.commissioned = ""

    def stop_uplink(self) -> None: ...
    def retire(self, names: set[str]) -> None: ...
    def regroup(self, groups: dict[int, Any]) -> None: ...
    def start(self, *given: object) -> None: ...
    def retain(self, names: set[str]) -> None: ...

    def try_uplink(self) -> None:
        self.published += 1


@pytest.mark.parametrize(
    ("old", "new", "published"),
    [
        ('purpose = "air of the street"', 'purpose = "heat of the street"', 1),
        ('driver = "bme280"', 'driver = "bmp280"', 1),
        ("every_s = 1\n", "every_s = 2\n", 0),
        ('driver = "bme280"', 'driver = "bme280"\nserial = "x"', 0),
    ],
)
def test_about_is_published_anew_where_it_says_something_else(
    tmp_path: Path, old: str, new: str, published: int
) -> None:
    file = tmp_path / "node.toml"
    whole = text(site="")
    file.write_text(whole, encoding="utf-8")
    rooms = Pretended(file)
    reloader = Reloader(file, cast("Rooms", rooms), cast("SystemdLines", rooms))
    file.write_text(whole.replace(old, new), encoding="utf-8")
    assert reloader.reload().problems == ()
    assert rooms.config == load(file)
    assert rooms.published == published
