"""Who vouches for a document: Ed25519 (RFC 8032) over its canonical form (RFC 8785)."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from edgenode.config.check import fields_of, mistakes
from edgenode.errors import ProvisionError
from edgenode.provision.canonical import Object, canonical, told
from edgenode.provision.keys import PublicKey, public_of
from edgenode.provision.tables import SignatureTable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ALGORITHM: Final = "Ed25519"
MEMBER: Final = "signature"


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
    return {name: inner for name, inner in value.items() if name != MEMBER} | {MEMBER: row}


def signed_bytes(value: Mapping[str, Any]) -> bytes:
    """Return the bytes that a signature covers: all but the member `signature`, canonically."""
    return canonical({name: inner for name, inner in value.items() if name != MEMBER})


def verify(value: Mapping[str, Any], keys: Sequence[PublicKey]) -> PublicKey:
    """Return the key, one of `keys`, that has signed the object.

    Raises ProvisionError where nobody has, somebody who is not among `keys` has, or the object is
    another one than that which was signed.
    """
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - only where verified

    row = value.get(MEMBER)
    if not isinstance(row, dict):
        words = "signature: nobody vouches for this document; sign it with `edgenode provision new`"
        raise ProvisionError([words])
    found = told(mistakes(fields_of(SignatureTable), row, (MEMBER,)))
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
