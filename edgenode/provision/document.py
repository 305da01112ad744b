"""node.json, version 1: all that one node is told before it has ever run.

Strict JSON, signed with Ed25519 over its canonical form; docs/provisioning.md has its members.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from edgenode.config.check import Mistake, convert, fields_of, mistakes
from edgenode.errors import ProvisionError
from edgenode.provision.canonical import MAX_TOLD, Object, canonical, parsed, sentences
from edgenode.provision.keys import PublicKey, public_of
from edgenode.provision.relations import unfit
from edgenode.provision.shapes import elsewhere, misshapen
from edgenode.provision.tables import Document, DocumentTable, SignatureTable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM: Final = "Ed25519"
SIGNATURE: Final = "signature"
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
    found = sentences(wrong(whole))
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
    found = sentences(mistakes(FIELDS, whole))
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


def sign(value: Mapping[str, Any], key: Ed25519PrivateKey) -> Object:
    """Return the object with the signature of `key`, in place of one that it may have.

    Raises ProvisionError where it has no canonical form.
    """
    signature = urlsafe_b64encode(key.sign(signed_bytes(value))).decode().rstrip("=")
    row = {
        "algorithm": ALGORITHM,
        "key": public_of(key.public_key(), "").id,
        "value": signature,
    }
    return {name: inner for name, inner in value.items() if name != SIGNATURE} | {SIGNATURE: row}


def signed_bytes(value: Mapping[str, Any]) -> bytes:
    """Return the bytes that a signature covers: all but the member `signature`, canonically."""
    return canonical({name: inner for name, inner in value.items() if name != SIGNATURE})


def verify(value: Mapping[str, Any], keys: Sequence[PublicKey]) -> PublicKey:
    """Return the key, one of `keys`, that has signed the object.

    Raises ProvisionError where nobody has, somebody who is not among `keys` has, or the object is
    another one than that which was signed.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only where verified

    row = value.get(SIGNATURE)
    if not isinstance(row, dict):
        words = "signature: nobody vouches for this document; sign it with `edgenode provision new`"
        raise ProvisionError([words])
    found = sentences(mistakes(fields_of(SignatureTable), row, (SIGNATURE,)))
    if found:
        raise ProvisionError(found)
    signer = next((key for key in keys if key.id == row["key"]), None)
    if signer is None:
        raise ProvisionError([f"signature: made by key {row['key']}; {_trusted(keys)}"])
    signature = urlsafe_b64decode(row["value"] + "==")
    exact = urlsafe_b64encode(signature).decode().rstrip("=") == row["value"]
    try:
        signer.key.verify(signature if exact else b"", signed_bytes(value))
    except InvalidSignature as exc:
        words = f"signature: not of this document: it was changed after key {signer.id} signed it"
        raise ProvisionError([f"{words}; take the file as the city made it"]) from exc
    return signer


def _trusted(keys: Sequence[PublicKey]) -> str:
    if not keys:
        return "no key is trusted here; give the .pub of the city's key"
    return f"trusted here: {', '.join(f'{key.id} ({key.name})' for key in keys)}"


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
