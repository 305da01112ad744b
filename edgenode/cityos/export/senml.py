"""SenML (RFC 8428) in JSON and CBOR: a pack for each batch.

Values are in the primary units of the registry, as RFC 8798, section 3, asks; a channel whose unit
has none there travels without `u`. SenML knows no quality: beside a reading that is not ok stands a
record "<channel>/quality" with the reason, and alone where there is no number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import cbor2

from edgenode.cityos import wording
from edgenode.cityos.timing import Timeline
from edgenode.cityos.unfold import Column, unfold
from edgenode.reading import Quality
from edgenode.units import in_senml
from edgenode.wire import Batch, Birth

LABELS: Final = {"bn": -2, "bt": -3, "n": 0, "u": 1, "v": 2, "vs": 3, "t": 6}  # RFC 8428, table 4
_FORBIDDEN: Final = re.compile(r"[^A-Za-z0-9\-:./_]")  # RFC 8428, section 4.5.1
Record = dict[str, Any]


class Pack(NamedTuple):
    """The records of one batch, and how many readings have no time to be told with."""

    records: list[Record]
    untimed: int


def pack(batch: Batch, birth: Birth, timeline: Timeline) -> Pack:
    """Return a batch as SenML; raises WireError where it is not one of its birth."""
    columns, _ = unfold(batch, birth)
    cells = sorted(
        (column.first + column.step * row, column, row)
        for column in columns
        for row in range(len(column.times))
    )
    records: list[Record] = []
    untimed, base = 0, 0
    for _, column, row in cells:
        utc_ms = timeline.at(column.times[row]).utc
        if utc_ms is None:
            untimed += 1
            continue
        if not records:
            base = utc_ms // 1000
            records.append({"bn": f"{batch.node.hex()}/", "bt": base})
        offset = (utc_ms - base * 1000) / 1000
        records += [{**one, "t": offset} if offset else one for one in _cell(column, row)]
    if len(records) > 1:
        records[0:2] = [records[0] | records[1]]  # base fields stand in the first record
    return Pack(records, untimed)


def _cell(column: Column, row: int) -> Iterator[Record]:
    """Yield the value of a reading, and its quality where that is not ok."""
    name = _FORBIDDEN.sub("_", column.channel.name)
    value, quality = column.values[row], column.qualities[row]
    if value is not None:
        number, unit = in_senml(value, column.channel.unit)
        yield {"n": name, **({"u": unit} if unit else {}), "v": number}
    if quality != Quality.OK:
        yield {"n": f"{name}/quality", "vs": wording.quality(quality)}


def as_json(records: list[Record]) -> str:
    """Return a pack of media type application/senml+json."""
    return json.dumps(records, allow_nan=False)


def as_cbor(records: list[Record]) -> bytes:
    """Return a pack of media type application/senml+cbor."""
    packed = [{LABELS[key]: value for key, value in record.items()} for record in records]
    return cbor2.dumps(packed, canonical=True)
