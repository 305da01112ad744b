"""The signature on a record: ECDSA over P-256 with SHA-256 (FIPS 186-5), in DER (RFC 3279, 2.2.3).

`openssl dgst -sha256 -verify` understands it. What is signed is the record's canonical form
without the member `signature`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from edgenode.commission.record import INSTALL, Record, canonical
from edgenode.config import Config
from edgenode.config.credentials import PREFIX
from edgenode.errors import ConfigError, NodeError

ALGORITHM: Final = "ECDSA-P256-SHA256"
MEMBER: Final = "signature"
KEY_DIGITS: Final = 16  # hexadecimal, of the SHA-256 of the key's SubjectPublicKeyInfo
PEM_MOST: Final = 65_536


def signed(record: Record, key: Path) -> Record:
    """Return the record with the signature of the private key in a file.

    Raises NodeError naming the file where there is none, or it is no EC key over P-256.
    """
    with _extra():
        from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the same
    private = _private(key)
    value = private.sign(canonical(_bare(record)), ec.ECDSA(hashes.SHA256()))
    return _bare(record) | {
        MEMBER: {
            "algorithm": ALGORITHM,
            "key": _fingerprint(private.public_key()),
            "value": base64.urlsafe_b64encode(value).rstrip(b"=").decode(),
        }
    }


def first_key(candidates: Iterable[Path]) -> Path | None:
    """Return the first key file that is there."""
    return next((path for path in candidates if path.is_file()), None)


def keys_of(path: Path, config: Config) -> Iterator[Path]:
    """Yield where the key of a node may lie: beside its configuration, else that of its brokers."""
    yield key_beside(path)
    for broker in config.uplink.broker:
        if broker.key is not None and not str(broker.key).startswith(PREFIX):
            yield broker.key


def key_beside(path: Path) -> Path:
    """Return where provisioning puts the key of the node whose configuration this is."""
    return path.parent / "tls" / "node.key"


@contextmanager
def _extra() -> Iterator[None]:
    """Name the package where what is imported meanwhile is not there."""
    try:
        yield
    except ImportError as exc:
        raise NodeError(INSTALL) from exc


def _private(path: Path) -> Any:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the same

    try:
        with path.open("rb") as file:
            key = serialization.load_pem_private_key(file.read(PEM_MOST), None)
    except OSError as exc:
        raise NodeError(f"{path}: {exc.strerror}; run this with sudo") from exc
    except (ValueError, TypeError) as exc:
        raise NodeError(f"{path}: is no private key in PEM without a pass phrase") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise NodeError(f"{path}: is no key over the curve P-256, which signs records")
    return key


def _bare(record: Record) -> Record:
    return {key: value for key, value in record.items() if key != MEMBER}


def _fingerprint(public: Any) -> str:
    from cryptography.hazmat.primitives import serialization  # noqa: PLC0415 - an extra

    spki = public.public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return hashlib.sha256(spki).hexdigest()[:KEY_DIGITS]


def doubt(text: str, certificate: bytes) -> str:
    """Return why a record is not proved to be of the owner of a certificate in PEM; "" where it is.

    Whether the certificate itself can be trusted is for who has it. Raises NodeError where it is
    none.
    """
    with _extra():
        from cryptography import x509  # noqa: PLC0415 - an extra
        from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the same
        from cryptography.x509.oid import NameOID  # noqa: PLC0415 - the same
    try:
        leaf = x509.load_pem_x509_certificate(certificate)
    except ValueError as exc:
        raise NodeError("this is no certificate in PEM; name the node's own: --cert") from exc
    record = _parsed(text)
    if record is None or not isinstance(record.get(MEMBER), dict):
        return "it is not signed"
    names = [str(n.value).lower() for n in leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    if record.get("node") not in names:
        return f"the certificate is that of {', '.join(names) or 'nobody'}"
    public = leaf.public_key()
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return "the certificate has no EC key"
    return _wrong(record, public)


def _wrong(record: Record, public: Any) -> str:
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the same

    signature = record[MEMBER]
    if signature.get("algorithm") != ALGORITHM:
        return f"it is signed by {signature.get('algorithm')!r}, and {ALGORITHM} is known"
    if signature.get("key") != _fingerprint(public):
        return "it was signed with another key; has the certificate been exchanged since?"
    try:
        text = str(signature.get("value", ""))
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        public.verify(value, canonical(_bare(record)), ec.ECDSA(hashes.SHA256()))
    except (InvalidSignature, binascii.Error, ValueError, ConfigError):  # or it has no such form
        return "the signature does not fit: the record was changed, or is damaged"
    return ""


def _parsed(text: str) -> Record | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
