"""The log of truth: what each instrument was asked and answered, one JSON line each."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path

from edgenode.virtual.kinds import Fate


class Truth:
    """Appends to one file; a line is handed to the kernel whole before the answer is sent."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644
        )
        self._lines: Counter[str] = Counter()

    def note(self, channel: str, value: float, t_ms: int, fate: Fate) -> None:
        """Write one line; `n` counts the lines of a channel from 1."""
        self._lines[channel] += 1
        line = {"channel": channel, "n": self._lines[channel], "value": value, "t": t_ms}
        os.write(self._descriptor, json.dumps({**line, "fate": fate}).encode() + b"\n")

    def close(self) -> None:
        """Close the file; call it once."""
        os.close(self._descriptor)
