"""How numbers, spans and times are told to people: plain, aligned, without colour."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

NONE = "-"
UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
SIZES = (("GB", 1e9), ("MB", 1e6), ("kB", 1e3))


def span(seconds: float) -> str:
    """Return a time span in its two largest units."""
    left = max(0, int(seconds))
    words: list[str] = []
    for name, size in UNITS:
        count, left = divmod(left, size)
        if count:
            words.append(f"{count} {name}")
    return " ".join(words[:2]) or "0 s"


def ago(seconds: float | None) -> str:
    """Return "5 s ago", or "never"."""
    return "never" if seconds is None else f"{span(seconds)} ago"


def when(utc_ms: int | None) -> str:
    """Return POSIX ms as local time with its offset from UTC."""
    if utc_ms is None:
        return "at an unknown time"
    local = time.localtime(utc_ms / 1000)
    offset = time.strftime("%z", local)
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', local)} {offset[:3]}:{offset[3:]}"


def number(value: float | None, scale: int = 0) -> str:
    """Return a value with the decimals of its resolution 10^scale; a zero has no sign."""
    return NONE if value is None else f"{value:z.{max(0, -scale)}f}"


def quantity(value: float | None, scale: int, unit: str) -> str:
    """Return a value with its unit."""
    return f"{number(value, scale)} {unit}" if value is not None else NONE


def size(count: float) -> str:
    """Return bytes in the largest decimal unit that fits."""
    for name, unit in SIZES:
        if count >= unit:
            return f"{count / unit:.1f} {name}"
    return f"{count:.0f} B"


def many(count: int, thing: str) -> str:
    """Return "1 batch", "2 batches", "3 sensors"."""
    if count == 1:
        return f"1 {thing}"
    return f"{count} {thing}{'es' if thing.endswith(('ch', 's')) else 's'}"


def table(rows: Sequence[Sequence[str]], right: Sequence[int] = ()) -> Iterator[str]:
    """Yield rows as aligned lines; the columns in `right` are aligned on the right."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = [
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(row, widths, strict=True))
        ]
        yield "  ".join(cells).rstrip()
