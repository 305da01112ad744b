"""Check one TOML table against a struct, key by key, so that every mistake is found at once."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import FieldInfo

from edgenode.config.credentials import PATTERN
from edgenode.config.describe import is_secret, metas, shape, words
from edgenode.config.lines import Place
from edgenode.errors import nearest

SHOWN = 60  # characters of a wrong value
BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
HIDDEN = re.compile(r"@|-----BEGIN|://")  # what may come with a secret
CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Mistake(NamedTuple):
    """One thing an installer must change; an empty place is the file as a whole."""

    place: Place
    sentence: str

    def __str__(self) -> str:
        """Return the place and what is wrong there, such as `sensor[0].line: …`."""
        return f"{dotted(self.place)}: {self.sentence}" if self.place else self.sentence


def dotted(place: Place) -> str:
    """Return a place as one writes it: ("sensor", 0, "line") is `sensor[0].line`."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            key = part if BARE_KEY.fullmatch(part) else ascii(part[:SHOWN])
            text += f".{key}" if text else key
    return text


def convert(value: object, wanted: Any) -> Any:
    """`value` as `wanted`; raises msgspec.ValidationError."""
    return msgspec.convert(value, wanted, dec_hook=_path)


def _path(wanted: type[Any], value: object) -> Any:
    whole = isinstance(value, str) and (value.startswith("/") or re.fullmatch(PATTERN, value))
    if wanted is Path and isinstance(value, str) and whole and len(value) <= 4096:
        return Path(value)
    raise msgspec.ValidationError("Expected an absolute path")


def fields_of(*structs: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    """Return the fields of all `structs` by name; a later one of the same name counts."""
    return {name: field for cls in structs for name, field in _fields(cls).items()}


@cache  # reading the annotations of a struct takes a millisecond
def _fields(struct: type[msgspec.Struct]) -> dict[str, FieldInfo]:
    return {field.name: field for field in msgspec.structs.fields(struct)}


def mistakes(
    fields: Mapping[str, FieldInfo], table: Mapping[str, object], place: Place = ()
) -> Iterator[Mistake]:
    """Every way in which `table` cannot be a value with these `fields`, tables in it included."""
    meant = set()
    for key, value in table.items():
        if key in fields:
            yield from _mistakes_in(fields[key].type, value, (*place, key))
        else:
            meant.add(nearest(key, fields))
            yield Mistake((*place, key), f"unknown key; {near(key, fields)}")
    for key, field in fields.items():
        if field.required and key not in table and key not in meant:
            yield from _missing(field, place)


def _missing(field: FieldInfo, place: Place) -> Iterator[Mistake]:
    form, struct = shape(field.type)
    there = (*place, field.name)
    if form == "table" and struct is not None:
        yield from mistakes(fields_of(struct), {}, there)
    elif form == "tables":
        yield Mistake(there, f"write at least one {_head(there, form)} table")
    else:
        yield Mistake(place, f"{field.name} is missing; {words(field.type)}")


def _mistakes_in(kind: Any, value: object, place: Place) -> Iterator[Mistake]:
    form, struct = shape(kind)
    if struct is None:
        yield from _plain(kind, value, place)
    elif form == "tables":
        yield from _rows(kind, struct, value, place)
    elif not isinstance(value, dict):
        yield Mistake(place, f"expected a table, {_head(place, form)}, found {show(value)}")
    elif form == "table":
        yield from mistakes(fields_of(struct), value, place)
    else:
        for name, inner in value.items():
            yield from _mistakes_in(struct, inner, (*place, name))


def _rows(
    kind: Any, struct: type[msgspec.Struct], value: object, place: Place
) -> Iterator[Mistake]:
    head = _head(place, "tables")
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        yield Mistake(place, f"expected tables, {head}, found {show(value)}")
        return
    least = max((meta.min_length or 0 for meta in metas(kind)), default=0)
    most = min((meta.max_length for meta in metas(kind) if meta.max_length), default=math.inf)
    if len(value) < least:
        yield Mistake(place, f"write at least one {head} table")
    if len(value) > most:
        yield Mistake(place, f"{len(value)} tables; at most {most} are possible")
    for index, row in enumerate(value):
        yield from mistakes(fields_of(struct), row, (*place, index))


def _plain(kind: Any, value: object, place: Place) -> Iterator[Mistake]:
    if not _fits(kind, value):
        found = "something else" if is_secret(kind) else show(value)
        yield Mistake(place, f"expected {words(kind)}, found {found}")


def _fits(kind: Any, value: object) -> bool:
    try:
        made = convert(value, kind)
    except (msgspec.ValidationError, OverflowError):
        return False
    if isinstance(made, Path):
        credential = not made.is_absolute()
        return not CONTROL.search(str(made)) and (is_secret(kind) or not credential)
    if isinstance(made, str):
        patterns = [meta.pattern for meta in metas(kind) if meta.pattern]
        whole = all(re.fullmatch(pattern, made) for pattern in patterns)  # `$` lets "\n" follow
        return whole and not CONTROL.search(made)
    numbers = made if isinstance(made, tuple) else (made,)
    return all(math.isfinite(number) for number in numbers if isinstance(number, float))


def near(key: str, known: Collection[str]) -> str:
    """Say which known key was likely meant, else which there are."""
    close = nearest(key, known)
    return f"did you mean {close!r}?" if close else f"known here: {', '.join(known)}"


def show(value: object) -> str:
    """Return a wrong value as it may stand in a message: short, and without what may be secret."""
    if isinstance(value, str) and HIDDEN.search(value):
        return "text that may hold a secret and is not shown"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, (dt.date, dt.time)):
        return f"{value} without quotes"
    text = repr(value) if not isinstance(value, int) or abs(value) < 1 << 64 else "a huge number"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}…"


def _head(place: Place, form: str) -> str:
    name = ".".join(str(part) for part in place if not isinstance(part, int))
    return f"[[{name}]]" if form == "tables" else f"[{name}{'.NAME' * (form == 'named')}]"
