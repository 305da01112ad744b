"""Any message to bytes and back: which kind it is, its version and its size."""

from __future__ import annotations

from edgenode.wire.model import Birth, Message


def encode(message: Message, birth: Birth | None = None) -> bytes:
    """Return the deterministic CBOR of `message`; a batch with groups needs its birth."""
    raise NotImplementedError


def decode(data: bytes) -> Message:
    """Return the message in `data`; groups of a batch stay RawGroup until `expand`."""
    raise NotImplementedError
