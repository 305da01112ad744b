"""What of a document stands in edgenode.toml, and where: tables there, members here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from os.path import normpath
from typing import Any, Final

from edgenode.config.check import Mistake
from edgenode.config.draft import draft, drivers_of, wrong
from edgenode.config.lines import Place
from edgenode.config.model import SCHEMA
from edgenode.config.relations import unfit
from edgenode.provision.canonical import Object

DIRECTORY: Final = "/etc/edgenode/tls"
CA: Final = f"{DIRECTORY}/ca.pem"  # whose certificates brokers must have
CERTIFICATE: Final = f"{DIRECTORY}/node.pem"
KEY: Final = f"{DIRECTORY}/node.key"
SAME: Final = ("site", "clock", "spool", "budget", "recovery", "lamp")  # called alike in both
NUMBERED: Final = re.compile(r"\b(sensor|bus)\[(\d+)\]")
MEMBERS: Final = {"sensor": "sensors", "bus": "buses"}


def configuration(whole: Mapping[str, Any]) -> Object:
    """Return the tables of edgenode.toml as a parser of TOML would; only what was said.

    Members that are not of the right shape are handed on as they are: the checks name them.
    """
    made: Object = {"schema": SCHEMA, "node": whole.get("node", {})}
    made |= {name: whole[name] for name in SAME if name in whole}
    uplink, brokers = whole.get("uplink", {}), whole.get("brokers", [])
    if isinstance(uplink, dict):
        rows = brokers if isinstance(brokers, list) else []
        made["uplink"] = {**uplink, "broker": [_broker(row, whole) for row in rows]}
    for table, member in MEMBERS.items():
        if member in whole:
            made[table] = whole[member]
    return made


def _broker(row: Any, whole: Mapping[str, Any]) -> Any:
    """Return [[uplink.broker]] with the files that the node makes for it."""
    if not isinstance(row, dict) or row.get("tls", True) is not True:
        return row
    files = {"ca": CA} if whole.get("trust") else {}
    return row | files | {"cert": CERTIFICATE, "key": KEY}


def unfit_tables(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake that `edgenode check` would find in sensors, and in how tables relate.

    Mistakes within one of the other tables are not named again: its struct names them.
    """
    raw = configuration(whole)
    drivers = drivers_of(raw)
    found = list(wrong(raw, drivers))
    sensors = [mistake for mistake in found if mistake.place[:1] == ("sensor",)]
    for mistake in [*sensors, *unfit(draft(raw, drivers, found, _spelt))]:
        yield Mistake(member_of(mistake.place), _in_json(mistake.sentence))


def _spelt(path: str) -> str:
    return normpath(path) if path.startswith("/") else path


def member_of(place: Place) -> Place:
    """Return where in a document a place of edgenode.toml stands."""
    if place[:2] == ("uplink", "broker"):
        return ("brokers", *place[2:])
    head = place[:1]
    return (MEMBERS.get(str(head[0]), head[0]), *place[1:]) if head else place


def _in_json(sentence: str) -> str:
    numbered = NUMBERED.sub(lambda match: f"{MEMBERS[match[1]]}[{match[2]}]", sentence)
    return numbered.replace("[[bus]]", "row of buses").replace("[site]", "site")
