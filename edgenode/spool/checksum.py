"""The CRC-32 that every row of the store carries, so that a row can be trusted without its tree.

A table that can be salvaged obeys four rules: it is a rowid table (no WITHOUT ROWID), its first
column is the INTEGER PRIMARY KEY, its columns hold only integers, blobs, texts and NULL, and its
last column is `crc`: `row_crc` of the table's name and all columns before it, in their order.
"""

from __future__ import annotations

import zlib

Value = int | bytes | str | None


def row_crc(table: str, *columns: Value) -> int:
    """CRC-32 (zlib) over a table's name and its columns, each with its type and length.

    Lengths keep two different rows from having one byte string; the name keeps a row of one
    table from passing for a row of another.
    """
    parts = [table.encode()]
    for value in columns:
        if value is None:
            parts.append(b"n")
        elif isinstance(value, int):
            parts.append(b"i%d;" % value)
        elif isinstance(value, bytes):
            parts += (b"b%d;" % len(value), value)
        else:
            text = value.encode()
            parts += (b"t%d;" % len(text), text)
    return zlib.crc32(b"".join(parts))
