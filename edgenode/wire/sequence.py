"""Many messages in one file: a CBOR sequence (RFC 8742), one message behind the other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from edgenode.errors import WireError
from edgenode.wire import cbor
from edgenode.wire.limits import MAX_BYTES

CHUNK = 1 << 20


def split(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of each message, holding little more than one in memory.

    Raises WireError where the file stops being messages; those before it were yielded.
    """
    data, at, more = b"", 0, True
    while True:
        if more and len(data) - at < MAX_BYTES:
            read = file.read(CHUNK)
            data, at, more = data[at:] + read, 0, bool(read)
            continue
        if at == len(data):
            return
        window = data[at : at + MAX_BYTES]
        try:
            size = cbor.first_of(window)
        except IndexError:
            raise WireError(
                f"the file ends in the middle of a message, or one is larger than {MAX_BYTES} bytes"
            ) from None
        yield window[:size]
        at += size
