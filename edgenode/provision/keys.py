"""The keys that vouch for documents: Ed25519 (RFC 8032), in PEM as OpenSSL writes it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from edgenode.errors import ProvisionError
from edgenode.provision.files import content, written

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

ID_DIGITS: Final = 16  # hexadecimal, of SHA-256 of the SubjectPublicKeyInfo (RFC 5280, 4.1)


class PublicKey(NamedTuple):
    """A key whose signatures are believed; `name` is where it was found."""

    key: Ed25519PublicKey
    id: str
    name: str


def public_of(key: Ed25519PublicKey, name: str) -> PublicKey:
    """Return a public key with its id: the first 16 hex digits of SHA-256 of its DER."""
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - where used
        Encoding,
        PublicFormat,
    )

    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return PublicKey(key, hashlib.sha256(der).hexdigest()[:ID_DIGITS], name)


def public_from(pem: bytes, name: str) -> PublicKey:
    """Return the key of a .pub file (PEM, SubjectPublicKeyInfo); raises ProvisionError."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - the same
        Ed25519PublicKey,
    )
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        load_pem_public_key,
    )

    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as exc:
        words = f"{name}: no public key in PEM; `edgenode provision key FILE` makes FILE.pub"
        raise ProvisionError([words]) from exc
    if not isinstance(key, Ed25519PublicKey):
        words = f"{name}: not an Ed25519 key; `edgenode provision key FILE` makes one"
        raise ProvisionError([words])
    return public_of(key, name)


def trusted(*places: Path) -> list[PublicKey]:
    """Return the keys of files, and of the *.pub of directories; one that is missing holds none.

    Raises ProvisionError for a file that cannot be read or holds no Ed25519 public key.
    """
    return [public_from(content(path), str(path)) for place in places for path in _files(place)]


def _files(place: Path) -> Iterator[Path]:
    if place.is_dir():
        yield from sorted(place.glob("*.pub"))
    elif place.exists():
        yield place


def is_closed(path: Path) -> bool:
    """Whether the private key of a file needs a passphrase; raises ProvisionError."""
    return b"BEGIN ENCRYPTED PRIVATE KEY" in content(path)


def private_from(path: Path, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """Return the key that signs; raises ProvisionError, also where `passphrase` opens it not."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - the same
        Ed25519PrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        load_pem_private_key,
    )

    data = content(path)
    try:
        key = load_pem_private_key(data, passphrase)
    except TypeError as exc:
        none = passphrase is None
        words = "it has a passphrase: give that" if none else "it has no passphrase: give none"
        raise ProvisionError([f"{path}: {words}"]) from exc
    except (ValueError, UnsupportedAlgorithm) as exc:
        words = "no private key in PEM" if passphrase is None else "the passphrase does not open it"
        raise ProvisionError([f"{path}: {words}"]) from exc
    if not isinstance(key, Ed25519PrivateKey):
        words = f"{path}: not an Ed25519 key; `edgenode provision key FILE` makes one"
        raise ProvisionError([words])
    return key


def made(path: Path, passphrase: bytes | None = None) -> PublicKey:
    """Make a pair: `path` with mode 0600, and `path`.pub; neither may be there before.

    Raises ProvisionError where one is there already, or cannot be written.
    """
    from cryptography.hazmat.primitives.asymmetric.ed25519 import (  # noqa: PLC0415 - the same
        Ed25519PrivateKey,
    )
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        BestAvailableEncryption,
        Encoding,
        KeySerializationEncryption,
        NoEncryption,
        PrivateFormat,
        PublicFormat,
    )

    beside = path.with_name(f"{path.name}.pub")
    for one in (path, beside):
        if one.exists():
            raise ProvisionError([f"{one}: is there already, and no key is overwritten"])
    key = Ed25519PrivateKey.generate()
    closed: KeySerializationEncryption = (
        BestAvailableEncryption(passphrase) if passphrase else NoEncryption()
    )
    written(path, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, closed), 0o600)
    public = key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    written(beside, pem, 0o644)
    return public_of(public, str(beside))
