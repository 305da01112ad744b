"""What the spool is told: where it lives, how much it may take, how often it commits and seals."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from edgenode.errors import SpoolError

MIN_CAP_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class SpoolOptions:
    """Options of the spool; times in ms, sizes in bytes. The defaults are those of the design.

    `cap_bytes` bounds the store; the journal beside it takes a fixed 1 MiB. `custody` says whose
    ack lets a batch leave the node. `pregrow` writes the store to its full size once, so that a
    disk filled by others cannot stop the spool; such a store is left open until the process ends.
    `confirmed`: no older version will come back to this spool; its format may be a newer one.
    """

    directory: Path
    cap_bytes: int = 256 << 20
    commit_interval_ms: int = 5_000
    window_ms: int = 60_000
    offline_window_ms: int = 600_000
    window_rows: int = 4_096  # of one group while offline
    custody: Literal["city", "broker"] = "city"
    pregrow: bool = True
    confirmed: bool = True

    def __post_init__(self) -> None:
        """Raise SpoolError for what cannot work."""
        if self.cap_bytes < MIN_CAP_BYTES:
            raise SpoolError(f"spool cap {self.cap_bytes} bytes: at least {MIN_CAP_BYTES} needed")
        times = (self.commit_interval_ms, self.window_ms, self.offline_window_ms, self.window_rows)
        if min(times) <= 0:
            raise SpoolError("spool: intervals, windows and window_rows must be greater than 0")
