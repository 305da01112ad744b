"""A document of `edgenode disclose --json`, as docs/cli.md describes it."""

from __future__ import annotations

from typing import Any

from edgenode.config import parse
from edgenode.node.disclosing import disclosed
from tests.support.toml import WELL

SITE = """\
accountable = "City of Example"
retention = "five years"
access = "open data"
contact = "sensors@city.example"
url = "https://city.example/42"

[site.ko]
"air of the street" = "거리의 공기"
"five years" = "5년"
"City of Example" = "예시시"
"""
PURPOSE = 'purpose = "air quality of the street"\n'
METER = """\
[[bus]]
name = "cellar"
kind = "serial"
path = "/dev/serial/by-id/cellar"
[[sensor]]
name = "house"
driver = "mbus"
bus = "cellar"
every_s = 900
medium = "water"
purpose = "water of one flat"
"""


def text(more: str = "", site: str = SITE) -> str:
    """Return a file without mistakes: a BME280, and what `more` adds."""
    return WELL.replace('purpose = "air quality of the street"\n', f"{PURPOSE}{site}") + more


def document(more: str = "", site: str = SITE, utc_ms: int | None = None) -> dict[str, Any]:
    """Return what a node with that file discloses."""
    return disclosed(parse(text(more, site)), utc_ms=utc_ms)
