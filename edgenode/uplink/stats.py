"""What the uplink tells about itself, for `status` and the watchdog."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class UplinkStats:
    """The counters of the uplink, written by its thread only; `Uplink.stats` hands out copies.

    Times are boot-time ms; None means never.
    """

    connected: bool = False
    broker: str = ""  # HOST:PORT; of the last attempt while not connected
    protocol: str = ""  # "5" or "3.1.1"; "" before the first attempt
    since_ms: int | None = None  # of the present connection
    connections: int = 0
    sent: int = 0  # batches handed to a broker, repeats included
    acked: int = 0  # batches a broker acknowledged
    in_flight: int = 0  # messages of any kind that wait for their PUBACK
    parked: int = 0  # batches refused or unheard, kept and retried slowly
    resends: int = 0  # batches sent again because the City OS did not confirm them
    refused: int = 0  # PUBACKs of 0x80 and above
    set_aside: int = 0
    bytes_sent: int = 0  # payload of all messages
    sent_today: int = 0  # bytes on the network, headers and repeats included; days are of UTC
    received_today: int = 0
    sent_month: int = 0
    received_month: int = 0
    budget: str = ""  # "near" a limit, "spent", or "" for neither
    last_puback_ms: int | None = None
    city_acks: int = 0  # acks of the City OS that were taken
    last_ack_ms: int | None = None  # of the City OS
    paused: bool = False  # as much as may be is outstanding to the City OS
    last_error: str = ""

    @property
    def reconnects(self) -> int:
        """Connections after the first."""
        return max(0, self.connections - 1)
