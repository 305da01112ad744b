"""Tables as TOML (toml.io, v1.0.0), with a remark at the first use of each key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from msgspec.structs import FieldInfo

from edgenode.config.check import BARE_KEY, fields_of
from edgenode.config.describe import purpose, shape

WIDTH: Final = 100  # a line that is longer is broken where it can be
COLUMN: Final = 31  # where remarks begin, if what is before them is shorter


class Known(NamedTuple):
    """What is known of a table: its fields, what it is for, and of what its named tables are."""

    fields: Mapping[str, FieldInfo] = {}
    what_for: str = ""
    each: type[msgspec.Struct] | None = None

    @classmethod
    def of(cls, struct: type[msgspec.Struct], what_for: str = "") -> Known:
        """Return what a struct says of its table."""
        _, _, rest = " ".join((struct.__doc__ or "").split()).partition("]: ")
        return cls(fields_of(struct), what_for or rest.rstrip("."))

    def within(self, name: str) -> Known:
        """Return what is known of the table, or of each of the tables, under a key."""
        if self.each is not None:
            return Known.of(self.each)
        if name not in self.fields:
            return Known()
        form, struct = shape(self.fields[name].type)
        what_for = purpose(self.fields[name])
        if struct is None or form == "named":
            return Known({}, what_for, struct)
        return Known.of(struct, what_for)


class Writer:
    """Writes tables one after another; `lines` is what was written."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self._said: set[tuple[str, str]] = set()

    def table(
        self, path: tuple[str, ...], table: Mapping[str, Any], known: Known, *, row: bool = False
    ) -> None:
        """Write a table with its head; `row` is one of several, [[such]].

        Its keys stand in the order of its struct, and before the tables within, as TOML needs it.
        """
        order = {name: place for place, name in enumerate(known.fields)}
        ordered = sorted(table, key=lambda name: order.get(name, len(order)))
        apart = {name for name in ordered if known.each or _apart(table[name])}
        if row or not table or len(apart) < len(table):
            head = ".".join(map(key, path))
            line = f"[[{head}]]" if row else f"[{head}]"
            self.lines.append("")
            self._line(line, path[-1], known.what_for)
        for name in ordered:
            if name not in apart:
                self._pair(name, table[name], known)
        for name in ordered:
            if name in apart:
                self._apart((*path, name), table[name], known.within(name))

    def _apart(self, path: tuple[str, ...], given: Any, known: Known) -> None:
        rows = isinstance(given, list)
        for one in given if rows else [given]:
            self.table(path, one, known, row=rows)

    def _pair(self, name: str, given: Any, known: Known) -> None:
        remark = known.within(name).what_for
        whole = f"{key(name)} = {value(given)}"
        if len(whole) <= WIDTH or not isinstance(given, list):
            self._line(whole, name, remark)
        else:
            self._line(f"{key(name)} = [", name, remark)
            self.lines += [*(f"    {value(one)}," for one in given), "]"]

    def _line(self, line: str, name: str, remark: str) -> None:
        """Add a line with its remark behind it, or above it where both are too long."""
        told = not remark or (name, remark) in self._said
        self._said.add((name, remark))
        both = f"{line:<{COLUMN - 2}}  # {remark}"
        if told or len(both) <= WIDTH:
            self.lines.append(line if told else both)
        else:
            self.lines += [f"# {remark}", line]


class Hex(int):
    """A number that is written in hexadecimal, as the parts and tools on its bus show it."""

    def __repr__(self) -> str:
        """Return it as TOML has it, such as 0x76."""
        return f"0x{self:02x}"


def key(name: str) -> str:
    """Return a name as a key: bare where it may be."""
    return name if BARE_KEY.fullmatch(name) else text(name)


def text(given: str) -> str:
    """Return a text as a basic string: JSON's escapes are TOML's, but for that of DEL."""
    return json.dumps(given, ensure_ascii=False).replace("\x7f", "\\u007f")


def value(given: Any) -> str:
    """Return text, numbers, truth, and lists and tables of them, in one line."""
    if isinstance(given, str):
        return text(given)
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, Mapping):
        pairs = ", ".join(f"{key(name)} = {value(inner)}" for name, inner in given.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(given, list):
        return f"[{', '.join(map(value, given))}]"
    return repr(given)  # of an int and of a finite float it is TOML


def _apart(given: Any) -> bool:
    """Whether a value stands below a head of its own: a large table, or a list of tables."""
    if isinstance(given, list):
        return bool(given) and all(isinstance(one, Mapping) for one in given)
    if not isinstance(given, Mapping):
        return False
    holds = any(isinstance(inner, Mapping | list) for inner in given.values())
    quoted = not all(map(BARE_KEY.fullmatch, given))
    return holds or quoted or len(value(given)) > WIDTH - COLUMN
