"""Whether the certificates and the key in a document are such, and belong to the node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from edgenode.config.check import Mistake
from edgenode.config.lines import Place

if TYPE_CHECKING:
    from cryptography.x509 import Certificate


def unfit_trust(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Say where `trust` holds something else than certificates."""
    yield from _certificates(whole.get("trust", ""), ("trust",))


def unfit_enrolment(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake in `enrol`: by EST or ready, and then of this node with the key beside it.

    Whether a certificate is valid today is not asked: the clock of a node may be wrong.
    """
    enrol = whole.get("enrol")
    if enrol is None:
        return
    given = {key for key, value in enrol.items() if value}
    yield from _ways(given)
    yield from _certificates(enrol.get("trust", ""), ("enrol", "trust"))
    chain = enrol.get("certificate", "")
    found = list(_certificates(chain, ("enrol", "certificate")))
    yield from found
    if {"certificate", "key"} <= given and not found:
        yield from _pair(certificates(chain)[0], enrol["key"], whole["node"]["id"])


def certificates(pem: str) -> list[Certificate]:
    """Return the certificates of a text in PEM; raises ValueError."""
    from cryptography.x509 import load_pem_x509_certificates  # noqa: PLC0415 - only where used

    return load_pem_x509_certificates(pem.encode())


def names_of(certificate: Certificate) -> list[str]:
    """Return the common names of its subject."""
    from cryptography.x509 import NameOID  # noqa: PLC0415 - the same

    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return [str(one.value) for one in found]


def _ways(given: set[str]) -> Iterator[Mistake]:
    by_est, ready = given & {"est", "token", "trust"}, given & {"certificate", "key"}
    if by_est and ready:
        words = f"either by EST or ready: take out {' and '.join(sorted(by_est))}"
        yield Mistake(("enrol",), f"{words}, or {' and '.join(sorted(ready))}")
    elif by_est and not {"est", "token"} <= given:
        yield Mistake(("enrol",), "EST needs est and token; trust too where its CA is your own")
    elif ready and len(ready) < 2:
        yield Mistake(("enrol",), "a ready certificate needs certificate and key")
    elif not by_est and not ready:
        yield Mistake(("enrol",), "give est and token, or certificate and key, or no enrol at all")


def _certificates(pem: str, place: Place) -> Iterator[Mistake]:
    if not pem:
        return
    try:
        certificates(pem)
    except ValueError:
        yield Mistake(place, "holds something that is no certificate; copy the whole PEM file")


def _pair(leaf: Certificate, pem: str, node: str) -> Iterator[Mistake]:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - the same
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415 - the same
        load_pem_private_key,
    )

    place = ("enrol", "key")
    try:
        key = load_pem_private_key(pem.encode(), None)
        own = key.public_key() == leaf.public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm):
        yield Mistake(place, "is no private key in PEM without a passphrase")
        return
    if not own:
        yield Mistake(place, "does not belong to enrol.certificate")
    if node not in names_of(leaf):
        words = f"is of {', '.join(names_of(leaf)) or 'nobody'}, not of node {node}"
        yield Mistake(("enrol", "certificate"), words)
