"""A document as edgenode.toml: which member is which table, its mistakes, and the file itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from os.path import normpath
from typing import Any, Final

from edgenode.config import parse
from edgenode.config.check import Mistake, fields_of
from edgenode.config.draft import OWN, Found, draft, drivers_of, wrong
from edgenode.config.lines import Place
from edgenode.config.model import SCHEMA, FileTable, SensorTable
from edgenode.config.relations import unfit
from edgenode.errors import ConfigError, ProvisionError
from edgenode.provision.canonical import MAX_TOLD, Object
from edgenode.provision.shapes import elsewhere, misshapen
from edgenode.provision.tables import Document
from edgenode.provision.toml import Hex, Known, Writer, value

DIRECTORY: Final = "/etc/edgenode/tls"
CA: Final = f"{DIRECTORY}/ca.pem"  # whose certificates brokers must have
CERTIFICATE: Final = f"{DIRECTORY}/node.pem"
KEY: Final = f"{DIRECTORY}/node.key"
SAME: Final = ("site", "clock", "spool", "budget", "recovery", "lamp")  # called alike in both
NUMBERED: Final = re.compile(r"\b(sensor|bus)\[(\d+)\]")
ROWS: Final = re.compile(r"\[\[(?:\w+\.)*(\w+)\]\](?: table)?")
MEMBERS: Final = {"sensor": "sensors", "bus": "buses"}
BEFORE: Final = ("node", "site", "uplink")  # the tables in the order of people's questions
AFTER: Final = ("clock", "spool", "budget", "recovery", "lamp", "bus")
HEAD: Final = """\
# Made from node.json, serial {serial}, issued {issued}{by}.
# The next document of this node replaces this file: ask for one rather than edit here.
# docs/configuration.md has every key; `edgenode check` names every mistake by its line.
"""


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


def _object(given: object) -> Object:
    return given if isinstance(given, dict) else {}


def _list(given: object) -> list[Any]:
    return given if isinstance(given, list) else []


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


def render(document: Document) -> str:
    """Return edgenode.toml of a document; the same text for the same document.

    Raises ProvisionError where the configuration's own loader does not take it. Everything was
    checked when the document was read, so that is a driver which is not installed here.
    """
    raw = configuration(document.raw)
    signed = document.signature
    by = f", signed by key {signed.key}" if signed else ""
    head = HEAD.format(serial=document.serial, issued=document.issued, by=by)
    writer = Writer(*head.splitlines(), "", f"schema = {value(raw['schema'])}")
    whole = Known.of(FileTable)
    for name in (*BEFORE, *AFTER):
        _write(writer, name, raw, whole.within(name))
    _sensors(writer, raw)
    text = "\n".join(writer.lines) + "\n"
    try:
        parse(text)
    except ConfigError as exc:
        raise ProvisionError(exc.problems) from exc
    return text


def _write(writer: Writer, name: str, raw: Object, known: Known) -> None:
    given = raw.get(name)
    rows = given if isinstance(given, list) else [given]
    for table in rows:
        if table:
            writer.table((name,), table, known, row=isinstance(given, list))


def _sensors(writer: Writer, raw: Object) -> None:
    """Write each [[sensor]] with the options of its driver; addresses on I2C in hexadecimal."""
    drivers = drivers_of(raw)
    what_for = Known.of(SensorTable).what_for
    i2c = {bus["name"] for bus in raw.get("bus", []) if bus["kind"] == "i2c"}
    for row in raw.get("sensor", []):
        driver = drivers[row["driver"]].driver
        options = fields_of(driver.options) if driver else {}
        known = Known({**OWN, **options}, what_for)
        on_i2c = row["bus"] in i2c and isinstance(row.get("address"), int)
        shown = row | {"address": Hex(row["address"])} if on_i2c else row
        writer.table(("sensor",), shown, known, row=True)
