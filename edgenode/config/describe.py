"""Say in words what a field may hold and what it is for, from its type alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

import msgspec
from msgspec import Meta
from msgspec.structs import FieldInfo

WORDS: dict[Any, str] = {
    str: "text in quotes",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "an absolute path in quotes",
}

# What the wires of edgenode.bus take, and so mean the same for every driver on them.
WIRE_OPTIONS: dict[str, str] = {
    "address": "where the part is on its bus",
    "line": "the GPIO line it is wired to",
    "edge": "which edges count",
    "bias": "the pull resistor of the line",
    "debounce_us": "shorter changes are left out, by the kernel",
    "active_low": "low is active",
    "observed": "what its first channel means to the city, as an observed property",
}


class Shape(NamedTuple):
    """How a value stands in a file; `struct` is None for a plain value."""

    form: Literal["value", "table", "tables", "named"]  # v = 1, [t], [[t]], [t.NAME]
    struct: type[msgspec.Struct] | None = None


def bare(kind: Any) -> Any:
    """Return a type without what annotates it, and without "or nothing"."""
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) in {Union, UnionType}:
        given = [arg for arg in get_args(kind) if arg is not NoneType]
        return bare(given[0]) if len(given) == 1 else kind
    return kind


def shape(kind: Any) -> Shape:
    """Return how a value of this type stands in a file."""
    plain = bare(kind)
    if isinstance(plain, type) and issubclass(plain, msgspec.Struct):
        return Shape("table", plain)
    if get_origin(plain) in {tuple, dict}:
        named = get_origin(plain) is dict
        inner = bare(get_args(plain)[1 if named else 0])
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            return Shape("named" if named else "tables", inner)
    return Shape("value")


def metas(kind: Any) -> Iterator[Meta]:
    """Yield what annotates a type, the outermost first."""
    while get_origin(kind) is Annotated:
        kind, *found = get_args(kind)
        yield from (meta for meta in reversed(found) if isinstance(meta, Meta))
    if get_origin(kind) in {Union, UnionType}:
        for arg in get_args(kind):
            yield from metas(arg)


def title(kind: Any) -> str:
    """Return what a field is for; "" where its struct does not say.

    Where the type itself says what may be written, its description is free to say what for.
    """
    given = next((meta.title for meta in metas(kind) if meta.title), "")
    return given or (_described(kind) if _says_all(kind) else "")


def purpose(field: FieldInfo) -> str:
    """Return what a field is for, also where it is the wire that takes it."""
    return title(field.type) or WIRE_OPTIONS.get(field.name, "")


def _described(kind: Any) -> str:
    return next((meta.description for meta in metas(kind) if meta.description), "")


def _says_all(kind: Any) -> bool:
    """Whether a type names all its values: true, false, or words to choose from."""
    plain = bare(kind)
    words_ = get_origin(plain) is Literal and all(isinstance(a, str) for a in get_args(plain))
    return plain is bool or words_


def explained(field: FieldInfo) -> str:
    """Return what a field is for and what may be written, such as "its port; a port, 1 to 9"."""
    if shape(field.type).struct:
        return purpose(field)
    return "; ".join(filter(None, (purpose(field), words(field.type))))


def is_secret(kind: Any) -> bool:
    """Whether a field names the place of a secret, so that its value is never shown."""
    return any((meta.extra or {}).get("secret") for meta in metas(kind))


def words(kind: Any) -> str:
    """Return what may be written, such as "seconds, 0.001 to 86400"."""
    described = _described(kind)
    if described and not _says_all(kind):
        return described
    plain = bare(kind)
    if plain in WORDS:
        return WORDS[plain] + _range(kind)
    if get_origin(plain) is Literal:
        return " or ".join(_literal(arg) for arg in get_args(plain))
    if get_origin(plain) is tuple:
        return f"a list of: {words(get_args(plain)[0])}"
    if get_origin(plain) in {Union, UnionType}:
        return " or ".join(words(arg) for arg in get_args(plain) if arg is not NoneType)
    return "a table" if shape(kind).struct else "a value"


def _literal(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _range(kind: Any) -> str:
    limits = [
        f", {text} {bound:g}"
        for meta in metas(kind)
        for text, bound in (("at least", meta.ge), ("above", meta.gt), ("at most", meta.le))
        if bound is not None
    ]
    return "".join(limits)
