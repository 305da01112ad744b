"""Where a document has another shape than its tables: objects, lists of objects, lists of text.

The checks of the configuration say it in words of TOML; a document is JSON.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from edgenode.config.check import Mistake, convert, fields_of, show
from edgenode.config.describe import bare, is_secret, shape, words
from edgenode.config.lines import Place


def misshapen(
    fields: Mapping[str, FieldInfo], table: Mapping[str, object], place: Place = ()
) -> Iterator[Mistake]:
    """Yield every member of `table` that has not the shape of its field, members in it too."""
    for name, value in table.items():
        if name in fields:
            yield from _member(fields[name].type, value, (*place, name))


def elsewhere(found: Iterable[Mistake], bent: Iterable[Mistake]) -> Iterator[Mistake]:
    """Yield the mistakes `found` that are not about what is misshapen already."""
    places = {mistake.place for mistake in bent}
    rows = {place[:-1] for place in places if isinstance(place[-1], int)}
    for mistake in found:
        parts = range(1, len(mistake.place) + 1)
        if mistake.place not in rows and not any(mistake.place[:n] in places for n in parts):
            yield mistake


def _member(kind: Any, value: object, place: Place) -> Iterator[Mistake]:
    form, struct = shape(kind)
    plain = bare(kind)
    if form == "tables" or (struct is None and get_origin(plain) is tuple):
        yield from _list(get_args(plain)[0], struct, value, place)
    elif form == "named" and isinstance(value, dict):
        for name, inner in value.items():
            yield from _object(struct, inner, (*place, name))
    elif struct is not None:
        yield from _object(struct, value, place)


def _list(
    kind: Any, struct: type[msgspec.Struct] | None, value: object, place: Place
) -> Iterator[Mistake]:
    if not isinstance(value, list):
        yield Mistake(place, f"expected a list, [ … ], found {_shown(kind, value)}")
        return
    for index, inner in enumerate(value):
        there = (*place, index)
        if struct is not None or get_origin(bare(kind)) is dict:
            yield from _object(struct, inner, there)
        elif not _fits(kind, inner):
            yield Mistake(there, f"expected {words(kind)}, found {_shown(kind, inner)}")


def _object(struct: type[msgspec.Struct] | None, value: object, place: Place) -> Iterator[Mistake]:
    if not isinstance(value, dict):
        # A text here may be the secret that belongs into the object.
        found = "text" if isinstance(value, str) else show(value)
        yield Mistake(place, f"expected an object, {{ … }}, found {found}")
    elif struct is not None:
        yield from misshapen(fields_of(struct), value, place)


def _fits(kind: Any, value: object) -> bool:
    try:
        convert(value, kind)
    except (msgspec.ValidationError, OverflowError):
        return False
    return True


def _shown(kind: Any, value: object) -> str:
    if isinstance(value, dict):
        return "an object"
    return "something else" if is_secret(kind) else show(value)
