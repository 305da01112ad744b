"""Messages that came as a file and not through a broker: what a node without a link exported."""

from __future__ import annotations

from collections import Counter
from typing import IO

from edgenode.cityos.city import City
from edgenode.cityos.intake import Incoming, Outcome
from edgenode.errors import WireError
from edgenode.wire import Batch, Birth, decode
from edgenode.wire.sequence import split

COMMIT = 512  # messages in one transaction


def bring(city: City, file: IO[bytes], prefix: str, now: int, arrival: int) -> Counter[Outcome]:
    """Take in the births and batches of a CBOR sequence; return what became of them.

    `now` is monotonic ms, `arrival` POSIX ms. A batch that is there already is a duplicate, as if
    it had come twice over the wire; that a node exported says nothing about its presence. Raises
    WireError where the file ends being such a sequence, and CityError where the sink cannot be
    written; what was taken in before stays.
    """
    outcomes: Counter[Outcome] = Counter()
    part: list[Incoming] = []
    try:
        for data in split(file):
            part.append(Incoming(_topic(data, prefix), data, arrival, retained=True))
            if len(part) == COMMIT:
                taken, part = part, []
                outcomes.update(receipt.outcome for receipt in city.absorb(taken, now))
    finally:
        outcomes.update(receipt.outcome for receipt in city.absorb(part, now))
        while city.derive():
            pass
    return outcomes


def _topic(data: bytes, prefix: str) -> str:
    """Return where a node would have published a message."""
    message = decode(data)
    if isinstance(message, Batch):
        return f"{prefix}/{message.node.hex()}/batch/{message.stream}"
    if isinstance(message, Birth):
        return f"{prefix}/{message.node.hex()}/birth/{message.schema.hex()}"
    raise WireError(f"a {type(message).__name__.lower()} does not belong into an export")
