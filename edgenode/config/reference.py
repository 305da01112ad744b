"""Write the tables of docs/configuration.md from the structs and the drivers.

`python -m edgenode.config.reference docs/configuration.md` renews what follows the mark in that
file; what stands before it is written by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import FieldInfo

from edgenode.config.check import fields_of
from edgenode.config.describe import purpose, shape, title, words
from edgenode.config.model import FileTable
from edgenode.derived import DERIVED, RATES, Derived
from edgenode.driver import loadable

MARK = "<!-- Below this line everything is made by `python -m edgenode.config.reference`. -->"
HEAD = ("key", "may be", "default", "what it does")


def reference() -> str:
    """Return all tables, drivers and derived quantities as Markdown."""
    parts = ["## Tables", *_struct("", FileTable), "## Drivers"]
    for name, driver in loadable().items():
        parts += _driver(name, driver)
    parts += ["## Derived quantities", _grid(_derived(), ("quantity", "unit", "made from"))]
    return "\n\n".join(parts) + "\n"


def renewed(text: str) -> str:
    """Return the document with everything after the mark made anew; ValueError without a mark."""
    head, mark, _ = text.partition(MARK)
    if not mark:
        raise ValueError(f"there is no line {MARK}")
    return f"{head}{MARK}\n\n{reference()}"


def _struct(
    name: str, struct: type[msgspec.Struct], form: str = "table", what_for: str = ""
) -> Iterator[str]:
    """Yield a heading, a sentence and a row for each key; then the tables within."""
    heading = f"[[{name}]]" if form == "tables" else f"[{name}]"
    yield f"### `{heading}`" if name else "### The top of the file"
    yield _sentence(what_for or struct.__doc__ or "")
    fields = fields_of(struct)
    plain = [field for field in fields.values() if shape(field.type).struct is None]
    if plain:
        yield _grid(map(_row, plain))
    for field in fields.values():
        inner, nested = shape(field.type)
        if nested is None:
            continue
        there = f"{name}.{field.name}" if name else field.name
        named = f"{there}.QUANTITY" if inner == "named" else there
        yield from _struct(named, nested, inner, title(field.type))


def _sentence(text: str) -> str:
    whole = " ".join(text.split())
    _, colon, rest = whole.partition("]: ")
    said = rest if colon else whole
    return f"{said[:1].upper()}{said[1:].rstrip('.')}."


def _driver(name: str, driver: Any) -> Iterator[str]:
    yield f'### `driver = "{name}"`'
    channels = ", ".join(f"`{channel.name}` ({channel.unit})" for channel in driver.channels)
    times = f"read every {driver.fastest_s:g} s at most; a read may take {driver.budget_s:g} s"
    facts = [f"{driver.model}, on a bus of kind `{driver.wire}`, {times}."]
    if driver.alone:
        facts.append("It talks by itself and needs a port of its own.")
    if driver.purpose:
        facts.append(f"Its purpose is given: {driver.purpose}.")
    quantities = "Quantities as its options say, for example" if driver.varies else "Quantities:"
    yield " ".join([*facts, f"{quantities} {channels}."])
    options = fields_of(driver.options).values()
    yield _grid(map(_row, options)) if options else "It has no options of its own."


def _row(field: FieldInfo) -> tuple[str, ...]:
    return (f"`{field.name}`", words(field.type), _default(field), purpose(field))


def _default(field: FieldInfo) -> str:
    if field.required:
        return "**required**"
    value = field.default
    if value is None or value is msgspec.NODEFAULT or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    shown = f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, int) and "0x" in words(field.type):
        shown = hex(value)
    return f'`"{shown}"`' if isinstance(value, (str, Path)) else f"`{shown}`"


def _derived() -> Iterator[tuple[str, ...]]:
    for name, row in DERIVED.items():
        yield (f"`{name}`", row.channel.unit, _sources(row))
    for name, unit in {rate.name: rate.unit for rate in RATES.values()}.items():
        totals = [f"{of} ({rate.unit})" for of, rate in RATES.items() if rate.name == name]
        yield (f"`{name}`", unit, f"a total in {', '.join(totals)}")


def _sources(row: Derived) -> str:
    sources = ", ".join(f"`{quantity}` in {unit}" for quantity, unit in row.sources.items())
    return f"{sources}; only beside `{row.beside}`" if row.beside else sources


def _grid(rows: Iterable[tuple[str, ...]], head: tuple[str, ...] = HEAD) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def main(words_: list[str]) -> int:
    """Renew the file named, or print all of it that is made."""
    if not words_:
        sys.stdout.write(reference())
        return 0
    path = Path(words_[0])
    path.write_text(renewed(path.read_text(encoding="utf-8")), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
