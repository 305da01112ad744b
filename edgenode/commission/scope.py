"""How far somebody goes who looks: a commissioning asks and tries, a doctor only looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Spans in seconds; 0 leaves a step out."""

    read_s: float  # for reading every sensor, out of turn
    scan_s: float  # for looking at wires that no [[bus]] names
    link_s: float  # for all brokers together
    deliver_s: float  # for a batch that is made for the purpose
    flushes: int  # small writes to the disk of the spool
    trips: int  # small messages to each broker


# Together within two minutes, whatever hangs. A silent serial port is listened to for half a
# minute; a mark is sealed within 5 s.
COMMISSION: Final = Scope(read_s=35, scan_s=40, link_s=25, deliver_s=35, flushes=24, trips=10)
DOCTOR: Final = Scope(read_s=0, scan_s=0, link_s=15, deliver_s=0, flushes=0, trips=5)
