"""A city's PKI for an afternoon: a root, and a CA below it that issues."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

DAY = timedelta(days=1)
NO_CA = x509.BasicConstraints(ca=False, path_length=None)
# An extension that no reader makes sense of; one finds out where it looks at the extensions.
GARBAGE = x509.UnrecognizedExtension(ExtensionOID.BASIC_CONSTRAINTS, b"garbage")


def named(name: str, *more: x509.NameAttribute[str]) -> x509.Name:
    return x509.Name([*more, x509.NameAttribute(NameOID.COMMON_NAME, name)])


class Ca:
    """A root, and one below it that issues."""

    def __init__(self, name: str = "City PKI") -> None:
        self.root_key = ec.generate_private_key(ec.SECP256R1())
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.root = self._ca(f"{name} root", self.root_key, None)
        self.certificate = self._ca(f"{name} issuing", self.key, self.root)

    @property
    def trust(self) -> str:
        return self.root.public_bytes(Encoding.PEM).decode()

    def _ca(
        self, name: str, key: ec.EllipticCurvePrivateKey, above: x509.Certificate | None
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(named(name))
            .issuer_name(named(name) if above is None else above.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - 3650 * DAY)
            .not_valid_after(now + 3650 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=False, content_commitment=False, key_encipherment=False,
                    data_encipherment=False, key_agreement=False, key_cert_sign=True,
                    crl_sign=True, encipher_only=False, decipher_only=False,
                ),
                critical=True,
            )
        )  # fmt: skip
        return made.sign(self.root_key, SHA256())

    def issue(
        self,
        public: Any,
        subject: x509.Name,
        begin: datetime,
        end: datetime,
        *,
        san: x509.SubjectAlternativeName | None = None,
        usage: Any = ExtendedKeyUsageOID.CLIENT_AUTH,
        constraints: x509.ExtensionType = NO_CA,
    ) -> x509.Certificate:
        made = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.certificate.subject)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(begin)
            .not_valid_after(end)
            .add_extension(constraints, critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        )
        if san is not None:
            made = made.add_extension(san, critical=False)
        return made.sign(self.key, SHA256())


def alternative_of(extensions: x509.Extensions) -> x509.SubjectAlternativeName | None:
    try:
        return extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
