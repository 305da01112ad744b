"""What of a document stands in edgenode.toml, and where: tables there, members here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from os.path import normpath
from typing import Any, Final

from edgenode.config.check import Mistake, fields_of
from edgenode.config.draft import OWN, Found, draft, drivers_of, wrong
from edgenode.config.lines import Place
from edgenode.config.model import SCHEMA
from edgenode.config.relations import unfit
from edgenode.provision.canonical import MAX_TOLD, Object
from edgenode.provision.shapes import elsewhere, misshapen

DIRECTORY: Final = "/etc/edgenode/tls"
CA: Final = f"{DIRECTORY}/ca.pem"  # whose certificates brokers must have
CERTIFICATE: Final = f"{DIRECTORY}/node.pem"
KEY: Final = f"{DIRECTORY}/node.key"
SAME: Final = ("site", "clock", "spool", "budget", "recovery", "lamp")  # called alike in both
NUMBERED: Final = re.compile(r"\b(sensor|bus)\[(\d+)\]")
ROWS: Final = re.compile(r"\[\[(?:\w+\.)*(\w+)\]\](?: table)?")
MEMBERS: Final = {"sensor": "sensors", "bus": "buses"}


def configuration(whole: Mapping[str, Any]) -> Object:
    """Return the tables of edgenode.toml as a parser of TOML would; only what was said.

    What should be an object or a list of objects and is not, stands there empty, so that the rest
    can be checked beside it.
    """
    made: Object = {"schema": SCHEMA, "node": _object(whole.get("node"))}
    made |= {name: _object(whole[name]) for name in SAME if name in whole}
    brokers = [_broker(_object(row), whole) for row in _list(whole.get("brokers"))]
    made["uplink"] = _object(whole.get("uplink")) | {"broker": brokers}
    for table, member in MEMBERS.items():
        if member in whole:
            made[table] = [_object(row) for row in _list(whole[member])]
    return made


def _object(value: object) -> Object:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _broker(row: Object, whole: Mapping[str, Any]) -> Object:
    """Return [[uplink.broker]] with the files that the node makes for it."""
    if row.get("tls", True) is not True:
        return row
    files = {"ca": CA} if whole.get("trust") else {}
    return row | files | {"cert": CERTIFICATE, "key": KEY}


def unfit_tables(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake that `edgenode check` would find in sensors, and in how tables relate.

    Mistakes within one of the other tables are not named again: its struct names them.
    """
    raw = configuration(whole)
    drivers = drivers_of(raw)
    found = list(islice(wrong(raw, drivers), MAX_TOLD + 1))
    bent = list(_bent(raw, drivers))
    sensors = [mistake for mistake in found if mistake.place[:1] == ("sensor",)]
    few = len(found) <= MAX_TOLD
    related = unfit(draft(raw, drivers, found, _spelt)) if few else ()
    for mistake in chain(bent, elsewhere(chain(sensors, related), bent)):
        yield Mistake(member_of(mistake.place), in_json(mistake.sentence))


def _bent(raw: Mapping[str, Any], drivers: Mapping[str, Found]) -> Iterator[Mistake]:
    for index, row in enumerate(raw.get("sensor", [])):
        driver = drivers.get(str(row.get("driver")), Found(None, "")).driver
        own = fields_of(driver.options) if driver else {}
        yield from misshapen(own | OWN, row, ("sensor", index))


def _spelt(path: str) -> str:
    return normpath(path) if path.startswith("/") else path


def member_of(place: Place) -> Place:
    """Return where in a document a place of edgenode.toml stands."""
    if place[:2] == ("uplink", "broker"):
        return ("brokers", *place[2:])
    head = place[:1]
    return (MEMBERS.get(str(head[0]), head[0]), *place[1:]) if head else place


def in_json(sentence: str) -> str:
    """Return a sentence about tables of edgenode.toml as one about members of a document."""
    numbered = NUMBERED.sub(lambda match: f"{MEMBERS[match[1]]}[{match[2]}]", sentence)
    rows = ROWS.sub(lambda match: f"row of {MEMBERS.get(match[1], match[1])}", numbered)
    return rows.replace("[site]", "site")
