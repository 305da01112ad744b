"""Check one TOML table against a struct, key by key, so that every mistake is found at once."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

SENTENCES: dict[Any, str] = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path in quotes",
}


class Mistake(NamedTuple):
    """One thing an installer must change; `table` is "" for the top of the file."""

    table: str
    nth: int  # of [[table]], from 0
    key: str  # "" for the table as a whole
    sentence: str


def convert(value: object, wanted: Any) -> Any:
    """`value` as `wanted`; raises msgspec.ValidationError."""
    return msgspec.convert(value, wanted, dec_hook=_path)


def _path(wanted: type[Any], value: object) -> Any:
    if wanted is Path and isinstance(value, str) and value:
        return Path(value)
    raise msgspec.ValidationError(f"Expected a path, found {value!r}")


def mistakes(
    fields: Mapping[str, FieldInfo], table: Mapping[str, object], name: str, index: int = 0
) -> Iterator[Mistake]:
    """Every way in which `table` cannot be a value with these `fields`."""
    for key, value in table.items():
        if key not in fields:
            yield Mistake(name, index, key, f"unknown key; {near(key, fields)}")
            continue
        try:
            convert(value, fields[key].type)
        except msgspec.ValidationError as exc:
            yield Mistake(name, index, key, _sentence(fields[key], value, exc))
    for key, field in fields.items():
        if field.required and key not in table:
            yield Mistake(name, index, "", f"{key} is missing; {_wanted(field.type) or 'required'}")


def fields_of(*structs: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    """Return the fields of all `structs` by name."""
    return {field.name: field for cls in structs for field in msgspec.structs.fields(cls)}


def near(key: str, known: Collection[str]) -> str:
    """Say which known key was likely meant, else which there are."""
    close = difflib.get_close_matches(key, known, 1)
    return f"did you mean {close[0]!r}?" if close else f"known here: {', '.join(known)}"


def _wanted(kind: Any) -> str:
    metas = getattr(kind, "__metadata__", ())
    described = [meta.description for meta in metas if meta.description]
    if described or kind in SENTENCES:
        return SENTENCES.get(kind) or str(described[0])
    if get_origin(kind) in {Union, UnionType}:
        return next(filter(None, map(_wanted, get_args(kind))), "")
    return ""


def _sentence(field: FieldInfo, value: object, exc: Exception) -> str:
    wanted = _wanted(field.type)
    return f"expected {wanted}, found {value!r}" if wanted else f"{exc}, found {value!r}"
