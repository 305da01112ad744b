"""The file as JSON Schema (2020-12), so that editors complete, explain and check it as it is typed.

An editor sees one table at a time; what relates tables only `edgenode check` knows.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from edgenode.config.channels import ChannelTable
from edgenode.config.check import fields_of
from edgenode.config.describe import explained, metas, shape
from edgenode.config.draft import OWN
from edgenode.config.model import FileTable, SensorTable
from edgenode.derived import derivable
from edgenode.driver import loadable

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Json = dict[str, Any]


def schema() -> Json:
    """Return the schema of the whole file, with the options of every driver installed here."""
    drivers = loadable()
    tables: Json = {}
    whole = _table(fields_of(FileTable), FileTable, tables)
    tables["SensorTable"] = _any_sensor(list(drivers)) | {
        "allOf": [_choice(name) for name in drivers]
    }
    for name, driver in drivers.items():
        tables[f"sensor.{name}"] = _sensor(driver, tables)
    return {"$schema": DIALECT, "title": "edgenode.toml", **whole, "$defs": tables}


def _any_sensor(names: list[str]) -> Json:
    """Return what every sensor has; its other keys depend on the driver."""
    required = [field.name for field in OWN.values() if field.required]
    return {
        "type": "object",
        "description": _says(SensorTable),
        "properties": {"driver": {"enum": names}},
        "required": required,
    }


def _choice(name: str) -> Json:
    return {
        "if": {"properties": {"driver": {"const": name}}, "required": ["driver"]},
        "then": {"$ref": f"#/$defs/sensor.{name}"},
    }


def _sensor(driver: Any, tables: Json) -> Json:
    made = _table(fields_of(driver.options) | OWN, None, tables)
    own = [channel.name for channel in driver.channels]
    derived = sorted(set(derivable(driver.channels)) - set(own))
    quantity = {"$ref": f"#/$defs/{ChannelTable.__name__}"}
    others = quantity if driver.varies else False
    named = dict.fromkeys([*own, *derived], quantity)
    made["properties"]["every_s"]["minimum"] = driver.fastest_s
    made["properties"]["channel"] |= {"properties": named, "additionalProperties": others}
    return made


def _table(
    fields: Mapping[str, FieldInfo], struct: type[msgspec.Struct] | None, tables: Json
) -> Json:
    made: Json = {
        "type": "object",
        "properties": {name: _field(field, tables) for name, field in fields.items()},
        "required": [name for name, field in fields.items() if field.required],
        "additionalProperties": False,
    }
    return made | ({"description": _says(struct)} if struct else {})


def _field(field: FieldInfo, tables: Json) -> Json:
    form, struct = shape(field.type)
    about = {"description": explained(field)} if explained(field) else {}
    if struct is None:
        return _plain(field) | about
    name = _called(struct)
    if name not in tables:
        tables[name] = {}  # a table that holds itself would never end otherwise
        tables[name] = _table(fields_of(struct), struct, tables)
    ref = {"$ref": f"#/$defs/{name}"}
    if form == "table":
        return ref | about
    about = about or {"description": _says(struct)}
    if form == "named":
        return {"type": "object", "additionalProperties": ref} | about
    limits = {"minItems": "min_length", "maxItems": "max_length"}
    found = {
        key: getattr(meta, name)
        for meta in metas(field.type)
        for key, name in limits.items()
        if getattr(meta, name) is not None
    }
    return {"type": "array", "items": ref, **found, **about}


def _called(struct: type[msgspec.Struct]) -> str:
    """Return the name of a table; those of drivers may be called alike, so theirs go before."""
    home = struct.__module__
    if home.startswith("edgenode."):
        return struct.__name__
    return f"{home.rpartition('.')[2]}.{struct.__name__}"


def _plain(field: FieldInfo) -> Json:
    made: Json = msgspec.json.schema(field.type, schema_hook=_path)
    choices = [choice for choice in made.pop("anyOf", []) if choice != {"type": "null"}]
    if len(choices) == 1:
        made |= choices[0]
    elif choices:
        made["anyOf"] = choices
    made.pop("title", None)
    default = field.default
    if not field.required and default is not None and default is not msgspec.NODEFAULT:
        made["default"] = str(default) if isinstance(default, Path) else _listed(default)
    return made


def _listed(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _path(kind: type[Any]) -> Json:
    if kind is Path:
        return {"type": "string"}
    raise NotImplementedError  # as msgspec asks of a hook that does not know a type


def _says(struct: type[msgspec.Struct]) -> str:
    return " ".join((struct.__doc__ or "").split())
