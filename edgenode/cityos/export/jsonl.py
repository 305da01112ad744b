"""JSON lines: one object for each reading, for whatever reads lines."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import IO, Any

from edgenode.cityos import wording
from edgenode.cityos.outbox import Reading


def as_json(reading: Reading) -> dict[str, Any]:
    """Return a reading as JSON holds it; docs/interoperability.md has the fields."""
    return {
        "node": reading.node.hex(),
        "channel": reading.channel,
        "value": reading.value,
        "unit": reading.unit,
        "observed": reading.observed,
        "quality": wording.quality(reading.quality),
        "utc": wording.iso(reading.utc_ms),
        "err_ms": reading.err_ms,
        "clock": wording.clock(reading.clock),
        "spool": reading.spool.hex(),
        "stream": reading.stream,
        "ordinal": reading.ordinal,
    }


class JsonLines:
    """Writes readings to a file or a pipe; a file has them durably before the cursor moves."""

    def __init__(self, file: IO[str], *, durable: bool) -> None:
        self._file = file
        self._durable = durable

    def send(self, readings: Sequence[Reading]) -> None:
        """Write, and wait for the disk where it is one."""
        for reading in readings:
            self._file.write(json.dumps(as_json(reading)) + "\n")
        self._file.flush()
        if self._durable:
            os.fsync(self._file.fileno())
