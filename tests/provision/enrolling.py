"""A node without a store that enrols with its token."""

from __future__ import annotations

from datetime import UTC, datetime

from cryptography import x509

from edgenode.provision import certificates, est
from edgenode.provision.est import Server, Token
from edgenode.provision.identity import Identity
from tests.support.est_server import EstServer
from tests.support.outbox import NODE
from tests.support.provisioned import TOKEN


def at(server: EstServer) -> Server:
    return Server(server.url, server.ca.trust)


def enrolled(server: EstServer, identity: Identity) -> list[x509.Certificate]:
    """Return the chain that the node uses from here on."""
    key = identity.next_key()
    request = certificates.request(key, NODE.hex())
    found = est.simpleenroll(at(server), request, Token(NODE.hex(), TOKEN))
    anchors = certificates.certificates(server.ca.trust)
    chain = certificates.accepted(found, key, NODE.hex(), anchors, datetime.now(UTC))
    identity.bring(chain)
    identity.settle()
    return chain
