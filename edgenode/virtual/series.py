"""The recorded series that ship with edgenode, and how an instrument plays them."""

from __future__ import annotations

import csv
import gzip
import io
from functools import cache
from importlib.resources import files
from typing import Annotated

import msgspec
from msgspec import Meta

from edgenode.errors import ConfigError

SETS = ("air_uci", "traffic_nab", "utility_power")


@cache
def load(name: str) -> tuple[float, ...]:
    """Return the values of `SET:CHANNEL`, such as "air_uci:T"; raises ConfigError."""
    where, _, channel = name.partition(":")
    if where not in SETS:
        raise ConfigError([f"series {name!r}: there are only {', '.join(SETS)}"])
    packed = (files("edgenode.virtual") / "series" / f"{where}.csv.gz").read_bytes()
    rows = list(csv.DictReader(io.StringIO(gzip.decompress(packed).decode())))
    values = tuple(float(row["value"]) for row in rows if row["channel"] == channel)
    if not values:
        known = ", ".join(sorted({row["channel"] for row in rows}))
        raise ConfigError([f"series {name!r}: {where} has only {known}"])
    return values


class Play(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a quantity does over time: a recorded series, or one value for ever.

    A value is `offset + gain * x`. With `cumulative`, x is the growth from one row to the next.
    """

    series: str = ""  # SET:CHANNEL; empty: only `offset` is played
    gain: float = 1.0
    offset: float = 0.0
    cumulative: bool = False
    decimals: Annotated[int, Meta(ge=0, le=6)] = 6  # values are rounded to so many

    def value(self, row: int) -> float:
        """Return the value of a row; after the last row the series begins anew."""
        if not self.series:
            return self.offset
        values = load(self.series)
        if self.cumulative:
            at = row % (len(values) - 1)
            x = values[at + 1] - values[at]
        else:
            x = values[row % len(values)]
        return round(self.offset + self.gain * x, self.decimals)
