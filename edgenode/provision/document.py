"""node.json, version 1: all that one node is told before it has ever run.

Strict JSON, signed with Ed25519 over its canonical form; docs/provisioning.md has its members.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from edgenode.config.check import Mistake, convert, fields_of, mistakes
from edgenode.errors import ProvisionError
from edgenode.provision.canonical import (
    MAX_BYTES,
    MAX_TOLD,
    Object,
    canonical,
    parsed,
    pretty,
    told,
)
from edgenode.provision.keys import PublicKey, public_from, trusted
from edgenode.provision.relations import unfit
from edgenode.provision.shapes import elsewhere, misshapen
from edgenode.provision.signing import sign, signed_bytes, verify
from edgenode.provision.tables import VERSION, Document, DocumentTable

__all__ = [
    "MAX_BYTES",
    "VERSION",
    "Document",
    "Object",
    "PublicKey",
    "canonical",
    "digest",
    "pretty",
    "public_from",
    "read",
    "sign",
    "stored",
    "trusted",
    "verify",
    "without_secrets",
    "wrong",
]

FIELDS: Final = fields_of(DocumentTable)
# What nobody needs any more once the node has taken it, as paths; lists are gone through.
SECRETS: Final = (
    ("network", "wifi", "psk"),
    ("network", "apn", "password"),
    ("network", "apn", "pin"),
    ("network", "proxy"),
    ("enrol", "token"),
    ("enrol", "key"),
)


def read(data: bytes, keys: Sequence[PublicKey] | None) -> Document:
    """Return the document that `data` holds (UTF-8 JSON, at most 256 KiB).

    One of `keys` must have signed it; with None nobody is asked who signed. Pure, but for the
    drivers that its sensors name, which are looked up. Raises ProvisionError: where no trusted key
    vouches for it that alone, since nothing else is looked at; otherwise every mistake at once,
    each with its JSON path, such as `sensors[0].line: …`.
    """
    whole = parsed(data)
    if keys is not None:
        verify(whole, keys)
    found = told(wrong(whole))
    if found:
        raise ProvisionError(found)
    return _made(whole)


def wrong(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake of an object that was read as JSON, but for who signed it.

    Where members have more mistakes than are told, how they relate is not looked at.
    """
    bent = list(misshapen(FIELDS, whole))
    found = [*bent, *islice(elsewhere(mistakes(FIELDS, whole), bent), MAX_TOLD + 1)]
    yield from found
    if len(found) <= MAX_TOLD:
        yield from elsewhere(unfit(whole, found), bent)


def stored(data: bytes) -> Document:
    """Return the accepted document as a node keeps it: without secrets, checked when it came.

    Raises ProvisionError where the file was damaged.
    """
    whole = parsed(data)
    found = told(mistakes(FIELDS, whole))
    if found:
        raise ProvisionError(found)
    return _made(whole)


def without_secrets(document: Document) -> Object:
    """Return the document as an object without passphrases, PINs, tokens, private keys and proxy.

    The signature stays, to say who signed what was accepted; it can be verified no more.
    """
    whole: Object = dict(document.raw)
    for place in SECRETS:
        whole = _without(whole, place)
    return whole


def digest(document: Document) -> str:
    """Return SHA-256, in hex, of what the signature covers: two files with it are one document."""
    return hashlib.sha256(signed_bytes(document.raw)).hexdigest()


def _made(whole: Object) -> Document:
    ordered = {name: whole[name] for name in FIELDS if name in whole}  # for those who read it
    made: Document = convert({**ordered, "raw": ordered}, Document)
    return made


def _without(value: Any, place: Sequence[str]) -> Any:
    """Return a copy without the member at `place`, in each row where there are several."""
    if isinstance(value, list):
        return [_without(row, place) for row in value]
    first, *rest = place
    if not isinstance(value, dict) or first not in value:
        return value
    if not rest:
        return {name: inner for name, inner in value.items() if name != first}
    return value | {first: _without(value[first], rest)}
