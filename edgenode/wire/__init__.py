"""edge-batch v1 as pure functions: messages to bytes and back. The format: docs/wire-format.md."""

from edgenode.wire.birth import schema_of
from edgenode.wire.codec import decode, encode
from edgenode.wire.expand import expand, readings_in
from edgenode.wire.limits import MAX_BYTES, MAX_ROWS, MAX_WORK
from edgenode.wire.model import (
    NO_SPOOL,
    About,
    Ack,
    Batch,
    Birth,
    Column,
    Flag,
    Loss,
    LossReason,
    Message,
    Previous,
    RawGroup,
    Rows,
    State,
    WireEvent,
)
from edgenode.wire.scale import scaled, unscaled

__all__ = [
    "MAX_BYTES",
    "MAX_ROWS",
    "MAX_WORK",
    "NO_SPOOL",
    "About",
    "Ack",
    "Batch",
    "Birth",
    "Column",
    "Flag",
    "Loss",
    "LossReason",
    "Message",
    "Previous",
    "RawGroup",
    "Rows",
    "State",
    "WireEvent",
    "decode",
    "encode",
    "expand",
    "readings_in",
    "scaled",
    "schema_of",
    "unscaled",
]
