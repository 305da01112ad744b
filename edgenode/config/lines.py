"""Find the line of a TOML file that a mistake speaks of; tomllib keeps no positions."""

from __future__ import annotations

import re

HEAD = re.compile(r"^\s*\[\[?\s*([A-Za-z0-9_.\- ]+?)\s*\]\]?")
KEY = re.compile(r"""^\s*["']?([A-Za-z0-9_\-]+)["']?\s*[=.]""")


def line_of(text: str, table: str, index: int, key: str) -> int:
    """Line, from 1, of `key` in the `index`-th `table`; of the table's head where it has none."""
    lines = text.splitlines()
    heads = [
        (n, match[1].replace(" ", "")) for n, match in enumerate(map(HEAD.match, lines)) if match
    ]
    starts = [n for n, name in heads if name == table]
    if table and index >= len(starts):
        return _sub_table(heads, table)
    head = starts[index] if table else -1
    end = next((n for n, _ in heads if n > head), len(lines))
    for n in range(head + 1, end):
        match = KEY.match(lines[n])
        if match and match[1] == key:
            return n + 1
    return _named(heads, f"{table}.{key}" if table else key) or head + 1 or 1


def _named(heads: list[tuple[int, str]], name: str) -> int:
    return next((n + 1 for n, head in heads if head == name), 0)


def _sub_table(heads: list[tuple[int, str]], table: str) -> int:
    return next((n + 1 for n, name in heads if name.startswith(f"{table}.")), 1)
