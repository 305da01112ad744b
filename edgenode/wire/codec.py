"""Any message to bytes and back: which kind it is, its version and its size."""

from __future__ import annotations

import re
from typing import Any

from edgenode.errors import UnknownVersion, WireError
from edgenode.wire import about, batch, birth, cbor, expand, fields, link
from edgenode.wire.limits import MAX_BYTES, VERSION
from edgenode.wire.model import About, Ack, Batch, Birth, Message, State

# A map whose first key is 0 and whose value there is an integer other than 1: nothing else that
# this page says need hold for it, so it is told apart before the rest is read.
_OTHER_VERSION = re.compile(
    rb"(?:[\xa1-\xb7]|\xb8.)\x00(?:[\x00\x02-\x17\x20-\x37]|\x18[\x18-\xff])", re.DOTALL
)
_KINDS = (batch.GROUPS, birth.GROUPS, about.SITE, link.RANGES, link.ONLINE)


def encode(message: Message, birth: Birth | None = None) -> bytes:
    """Return the deterministic CBOR of `message`.

    A batch holds Rows and needs its birth unless it has no groups. Columns travel packed or plain,
    whichever is shorter, and key 11 is never below the privacy of a channel inside.
    Raises WireError for everything that `decode` and `expand` would refuse.
    """
    if isinstance(message, Batch):
        return encode_batch(message, birth)
    return _finish(_written(message))


def encode_batch(message: Batch, birth: Birth | None, *, plain: bool = False) -> bytes:
    """Return the CBOR of a batch; `plain` leaves no column packed, to compare or to debug."""
    groups = {} if birth is None else birth.groups
    if message.groups and birth is None:
        raise WireError("a batch with groups is encoded with its birth")
    if birth is not None:
        message = expand.expand(message, birth)
    return _finish(batch.write_batch(message, groups, plain=plain))


def decode(data: bytes) -> Message:
    """Return the message in `data`; groups of a batch stay RawGroup until `expand`.

    Raises UnknownVersion for a message of another version (keep its bytes, do not acknowledge),
    WireError for everything else that is not exactly edge-batch v1.
    """
    if len(data) <= MAX_BYTES and _OTHER_VERSION.match(data):
        raise UnknownVersion("the message is of a version other than 1")
    message, raw = cbor.loads(data)
    return _read(message, raw)


def _written(message: Birth | About | State | Ack) -> dict[int, Any]:
    if isinstance(message, Birth):
        return birth.write_birth(message)
    if isinstance(message, About):
        return about.write_about(message)
    if isinstance(message, State):
        return link.write_state(message)
    return link.write_ack(message)


def _finish(written: dict[int, Any]) -> bytes:
    """Return the bytes of a map of ours, having read it as a receiver would."""
    groups = written.get(birth.GROUPS)
    _read(written, {} if groups is None else {birth.GROUPS: cbor.dumps(groups)})
    data = cbor.dumps(written)
    if len(data) > MAX_BYTES:
        raise WireError(f"message of {len(data)} bytes: at most {MAX_BYTES} are allowed")
    return data


def _read(message: dict[Any, Any], raw: dict[Any, bytes]) -> Message:
    version = fields.uint(fields.required(message, 0, "key 0 (version)"), "key 0 (version)")
    if version != VERSION:
        raise UnknownVersion(f"the message is of version {version}, not 1")
    kinds = [kind for kind in _KINDS if kind in message]
    if len(kinds) != 1:
        raise WireError(f"exactly one of the keys 8, 20, 21, 30, 40 must be there, not {kinds}")
    kind = kinds[0]
    if kind == batch.GROUPS:
        return batch.read_batch(message)
    if kind == birth.GROUPS:
        return birth.read_birth(message, raw[kind])
    if kind == about.SITE:
        return about.read_about(message)
    return link.read_ack(message) if kind == link.RANGES else link.read_state(message)
