"""A document as edgenode.toml, with a remark at the first use of each key."""

from __future__ import annotations

from typing import Final

from edgenode.config import parse
from edgenode.config.check import fields_of
from edgenode.config.draft import OWN, drivers_of
from edgenode.config.model import FileTable, SensorTable
from edgenode.errors import ConfigError, ProvisionError
from edgenode.provision.canonical import Object
from edgenode.provision.configured import configuration
from edgenode.provision.tables import Document
from edgenode.provision.toml import Hex, Known, Writer, value

BEFORE: Final = ("node", "site", "uplink")  # the tables in the order of people's questions
AFTER: Final = ("clock", "spool", "budget", "recovery", "lamp", "bus")
HEAD: Final = """\
# Made from node.json, serial {serial}, issued {issued}{by}.
# The next document of this node replaces this file: ask for one rather than edit here.
# docs/configuration.md has every key; `edgenode check` names every mistake by its line.
"""


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
