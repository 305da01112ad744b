"""Requests for certificates, and whether what came back is what was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from edgenode.errors import CityError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.x509 import Certificate

DEPTH: Final = 6  # certificates from a node to its root; RFC 5280, 6.1 sets no limit
BROKEN: Final = frozenset({"md5", "sha1"})  # RFC 9155, RFC 8446, 4.2.3: no longer to be used


def certificates(pem: str | bytes) -> list[Certificate]:
    """Return the certificates of a text in PEM, each readable; raises ValueError."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - only where used

    data = pem.encode() if isinstance(pem, str) else pem
    return readable(load_pem_x509_certificates(data))


def node_key(pem: str | bytes) -> EllipticCurvePrivateKey:
    """Return the private key of a node: PEM without a passphrase, P-256; raises ValueError."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.asymmetric import ec  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        load_pem_private_key,
    )

    data = pem.encode() if isinstance(pem, str) else pem
    try:
        key = load_pem_private_key(data, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as exc:
        raise ValueError("is no private key in PEM without a passphrase") from exc
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise ValueError("is not on the curve P-256: openssl ecparam -name prime256v1")
    return key


def readable(found: list[Certificate]) -> list[Certificate]:
    """Return the same certificates; raises ValueError where one holds what nobody can read.

    `cryptography` reads each part of one when it is asked for, and raises then.
    """
    from cryptography import x509  # noqa: PLC0415 - the same
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - the same

    for one in found:
        try:
            one.public_key(), one.subject, one.issuer, one.extensions, one.version
        except (
            UnsupportedAlgorithm, x509.DuplicateExtension, x509.InvalidVersion,
            x509.UnsupportedGeneralNameType,
        ) as exc:  # fmt: skip
            raise ValueError(str(exc)) from exc
    return found


def names_of(certificate: Certificate) -> list[str]:
    """Return the common names of its subject."""
    from cryptography.x509 import NameOID  # noqa: PLC0415 - the same

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [str(one.value) for one in found]


def request(key: EllipticCurvePrivateKey, node: str, present: Certificate | None = None) -> bytes:
    """Return a request for a certificate: PKCS #10 (RFC 2986) in DER, signed with ECDSA, SHA-256.

    Its subject is CN=`node`. To renew, subject and alternative names are those of the `present`
    certificate, since RFC 7030, 4.2.2, wants them the same.
    """
    from cryptography import x509  # noqa: PLC0415 - only where used
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.serialization import Encoding  # noqa: PLC0415 - the same

    made = x509.CertificateSigningRequestBuilder()
    if present is None:
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, node)])
        return made.subject_name(name).sign(key, SHA256()).public_bytes(Encoding.DER)
    made = made.subject_name(present.subject)
    for extension in present.extensions:
        if isinstance(extension.value, x509.SubjectAlternativeName):
            made = made.add_extension(extension.value, extension.critical)
    return made.sign(key, SHA256()).public_bytes(Encoding.DER)


def accepted(
    found: Sequence[Certificate],
    key: EllipticCurvePrivateKey,
    node: str,
    anchors: Sequence[Certificate],
    now: datetime,
) -> list[Certificate]:
    """Return what goes into node.pem: the certificate of `key`, then those between it and a root.

    `anchors` are those of the document, and what the EST server told of its CA.

    Raises CityError where none is of that key, or it is not of this node, is over, is a CA's or
    not for clients, or does not lead to one of `anchors`. One that begins in the future is taken:
    the clock of a node may be behind, and a token is good for one certificate only.
    """
    leaf = next((one for one in found if one.public_key() == key.public_key()), None)
    if leaf is None:
        raise CityError(f"{len(found)} certificates came, none of them for the key of this node")
    problems = [*unfit(leaf, node, now)]
    if problems:
        raise CityError(f"the certificate that came cannot be used: {'; '.join(problems)}")
    return _path(leaf, [one for one in found if one is not leaf], anchors)


def unfit(leaf: Certificate, node: str, now: datetime) -> Iterator[str]:
    """Yield why a certificate cannot be that of this node at `now` (aware, UTC)."""
    from cryptography import x509  # noqa: PLC0415 - the same
    from cryptography.x509.oid import ExtendedKeyUsageOID  # noqa: PLC0415 - the same

    if names_of(leaf) != [node]:
        yield f"it is of {', '.join(names_of(leaf)) or 'nobody'}, not of {node}"
    begin, end = leaf.not_valid_before_utc, leaf.not_valid_after_utc
    if end <= begin:
        yield f"it ends ({end:%Y-%m-%d}) before it begins ({begin:%Y-%m-%d})"
    elif end <= now:
        yield f"it ended on {end:%Y-%m-%d %H:%M} UTC"
    algorithm = leaf.signature_hash_algorithm
    if algorithm is not None and algorithm.name in BROKEN:
        yield f"it is signed with {algorithm.name}"
    for extension in leaf.extensions:
        value = extension.value
        if isinstance(value, x509.BasicConstraints) and value.ca:
            yield "it is that of a CA"
        clients = ExtendedKeyUsageOID.CLIENT_AUTH
        if isinstance(value, x509.ExtendedKeyUsage) and clients not in value:
            yield "its extended key usage does not allow clients"


def _path(
    leaf: Certificate, others: Sequence[Certificate], anchors: Sequence[Certificate]
) -> list[Certificate]:
    """Return the leaf and all that lies between it and a root; raises CityError (RFC 5280, 6.1).

    What lies between goes along even where it is an anchor here: a broker may know the root alone.
    """
    between = [one for one in (*others, *anchors) if one.subject != one.issuer]
    path = [leaf]
    while len(path) < DEPTH:
        above = next((one for one in between if one not in path and _issued(path[-1], one)), None)
        if above is None:
            break
        path.append(above)
    if not any(one in anchors or any(_issued(one, above) for above in anchors) for one in path):
        last = path[-1].issuer.rfc4514_string()
        raise CityError(f"the certificate that came leads to {last}, which is not trusted here")
    return path


def _issued(below: Certificate, above: Certificate) -> bool:
    from cryptography import x509  # noqa: PLC0415 - the same
    from cryptography.exceptions import (  # noqa: PLC0415 - the same
        InvalidSignature,
        UnsupportedAlgorithm,
    )

    try:
        below.verify_directly_issued_by(above)
        constraints = above.extensions.get_extension_for_class(x509.BasicConstraints).value
    except (
        ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.ExtensionNotFound
    ):  # fmt: skip
        return False
    return constraints.ca
