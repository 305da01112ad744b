"""A client of EST, RFC 7030: CA certificates, enrolment with a token, renewal with a certificate.

What RFC 7030 leaves open is done so: the explicit trust anchors of the document are used where it
has any (§3.6.1), else those of the system; HTTP Basic only, over TLS whose server was verified
(§3.2.3), sent with the first request (RFC 7617, §2.2); no channel binding (§3.5), no /csrattrs
(§4.5), no redirects (§3.2.1 wants the server's right to them checked).
"""

from __future__ import annotations

import binascii
import ssl
from base64 import b64decode, b64encode, encodebytes
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import urlsplit

from edgenode.errors import CityError, NodeError
from edgenode.provision.certificates import readable
from edgenode.provision.https import Connection

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

WELL_KNOWN: Final = "/.well-known/est"  # §3.2.2
WHOLE_S: Final = 60.0  # longest time for one answer, so that nobody drips for ever
ANSWER_BYTES: Final = 256 << 10
WORDS: Final = 200  # characters of an error's text that are shown
PKCS10: Final = "application/pkcs10"  # §4.2.1
PKCS7: Final = "application/pkcs7-mime"  # §4.1.3, §4.2.3
RETRY_S: Final = 300  # where a 202 does not say when to come back, which §4.2.3 asks it to
RETRY_MOST_S: Final = 86_400
ANEW: Final = "ask the city for a new token, then: edgenode certificate enrol --token-file FILE"


class Unreachable(CityError):
    """No answer of a trusted server, or one that makes no sense: try again later."""


class Refused(CityError):
    """The server said no; the same request will be refused again."""


class Pending(CityError):
    """The request waits for somebody's approval: send it again, the same, after `wait_s`."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class Server(NamedTuple):
    """Where an EST server is: https://HOST[:PORT][/.well-known/est/LABEL], and whom it must be.

    `trust` is PEM, empty for the anchors of the system; `proxy` is http://[USER:PASSWORD@]HOST:PORT
    or empty.
    """

    url: str
    trust: str = ""
    proxy: str = ""


class Token(NamedTuple):
    """What the node says at its first request: its id as user, a one-time token as password."""

    user: str
    secret: str


class Pair(NamedTuple):
    """Files of a certificate and its key, for TLS."""

    certificate: Path
    key: Path


def cacerts(server: Server) -> list[Certificate]:
    """Return the certificates of the CA (§4.1); raises Unreachable, Refused, NodeError."""
    return _certificates(_asked(server, "GET", "cacerts", None, None))


def simpleenroll(server: Server, request: bytes, token: Token) -> list[Certificate]:
    """Ask for a first certificate (§4.2.1); `request` is PKCS #10 in DER.

    Raises Pending, Refused, Unreachable, NodeError.
    """
    return _certificates(_asked(server, "POST", "simpleenroll", request, token))


def simplereenroll(server: Server, request: bytes, pair: Pair) -> list[Certificate]:
    """Ask for the next certificate (§4.2.2), known by the present one; raises as simpleenroll."""
    return _certificates(_asked(server, "POST", "simplereenroll", request, pair))


def context(server: Server, pair: Pair | None = None) -> ssl.SSLContext:
    """Return a context of TLS 1.2 or later that verifies server and name (§3.3.1, §3.6)."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if server.trust:
            made.load_verify_locations(cadata=server.trust)
        else:
            made.load_default_certs()
        if pair is not None:
            made.load_cert_chain(*pair)
    except OSError as exc:  # ssl.SSLError is one
        where = pair.certificate if pair is not None else "the trust of the EST server"
        raise NodeError(f"{where}: {exc}; see `edgenode certificate`") from exc
    return made


def _asked(
    server: Server, method: str, operation: str, request: bytes | None, proof: Token | Pair | None
) -> bytes:
    """Return the body of a 200, decoded from base64 (§4.1.3)."""
    headers = {"Accept": PKCS7}
    body = None
    if request is not None:
        # RFC 8951 wants base64 whatever the header says; servers of before want the header.
        headers |= {"Content-Type": PKCS10, "Content-Transfer-Encoding": "base64"}
        body = encodebytes(request)
    if isinstance(proof, Token):
        pair = f"{proof.user}:{proof.secret}".encode()
        headers["Authorization"] = f"Basic {b64encode(pair).decode()}"
    where = f"{server.url} {operation}"
    trust = context(server, proof if isinstance(proof, Pair) else None)
    try:
        with Connection(server.url, server.proxy, trust, WHOLE_S) as connection:
            connection.request(method, f"{_path(server)}/{operation}", body, headers)
            answer = connection.getresponse()
            data = answer.read(ANSWER_BYTES + 1)
            if connection.over:
                raise TimeoutError(f"no whole answer in {WHOLE_S:.0f} s")
    except ssl.SSLCertVerificationError as exc:
        raise Unreachable(f"{where}: {exc.verify_message}; {_hint(exc)}") from exc
    except ssl.SSLError as exc:
        raise Unreachable(f"{where}: TLS failed: {exc.reason or exc}") from exc
    except (OSError, HTTPException, ValueError) as exc:
        raise Unreachable(f"{where}: {_shown(str(exc) or type(exc).__name__)}") from exc
    return _body(where, answer, data, proof.secret if isinstance(proof, Token) else "")


def _hint(exc: ssl.SSLCertVerificationError) -> str:
    if "not yet valid" in exc.verify_message:
        return "is the clock of this node right? see `timedatectl`"
    return "enrol.trust of node.json must hold the CA of the EST server, enrol.est its name"


def _path(server: Server) -> str:
    """Return where the operations are: a path in the URL is one with a label (§3.2.2)."""
    given = urlsplit(server.url).path.rstrip("/")
    return given if given.startswith(WELL_KNOWN) else f"{given}{WELL_KNOWN}"


def _body(where: str, answer: HTTPResponse, data: bytes, secret: str) -> bytes:
    """Judge an answer; return what a 200 holds. Nothing that is said of it has the `secret`."""
    status = answer.status
    if status == 202:
        wait_s = _retry_s(answer.getheader("Retry-After", ""))
        raise Pending(f"{where}: somebody has to approve the request; again in {wait_s} s", wait_s)
    if status != 200:
        told = f"{answer.reason}{_text(answer, data)}"
        told = told.replace(secret, "[token]") if secret else told
        said = f"{where}: HTTP {status} {_shown(told)}"
        if status in {401, 403}:
            raise Refused(f"{said}; a token holds once, and for this node alone: {ANEW}")
        if 400 <= status < 500 and status not in {408, 429}:
            raise Refused(said)
        raise Unreachable(f"{said}{'; redirects are not followed' if status < 400 else ''}")
    if len(data) > ANSWER_BYTES:
        raise Unreachable(f"{where}: the answer is longer than {ANSWER_BYTES} bytes")
    kind = answer.getheader("Content-Type", "").partition(";")[0].strip().lower()
    if kind != PKCS7:
        raise Unreachable(f"{where}: the answer is {_shown(kind) or 'of no type'}, not {PKCS7}")
    try:
        return b64decode(b"".join(data.split()), validate=True)
    except binascii.Error as exc:
        raise Unreachable(f"{where}: the answer is not in base64: {exc}") from exc


def _text(answer: HTTPResponse, data: bytes) -> str:
    """Return what a server says about an error in plain text (§4.2.3)."""
    if not answer.getheader("Content-Type", "").lower().startswith("text/plain"):
        return ""
    words = data.decode("utf-8", "replace").strip()
    return f": {words}" if words else ""


def _shown(text: str) -> str:
    """Return what somebody else says as one short line that no terminal obeys."""
    words = " ".join(text.split())[:WORDS]
    return "".join(ch if ch.isprintable() else "?" for ch in words)


def _retry_s(text: str) -> int:
    """Return Retry-After in seconds: a number or a date (RFC 9110, §10.2.3), a day at most."""
    from datetime import UTC, datetime  # noqa: PLC0415 - rarely needed
    from email.utils import parsedate_to_datetime  # noqa: PLC0415 - the same

    if text.strip().isdecimal():
        return max(1, min(int(text.strip()[:9]), RETRY_MOST_S))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return RETRY_S
    if until.tzinfo is None:
        return RETRY_S
    return max(1, min(round((until - datetime.now(UTC)).total_seconds()), RETRY_MOST_S))


def _certificates(der: bytes) -> list[Certificate]:
    """Return the certificates of a certs-only CMS message (§4.1.3; RFC 5272, §4.1)."""
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415 - only where used
    from cryptography.hazmat.primitives.serialization.pkcs7 import (  # noqa: PLC0415 - the same
        load_der_pkcs7_certificates,
    )

    try:
        found = readable(load_der_pkcs7_certificates(der))
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise Unreachable(
            f"the EST server sent no certificates (PKCS #7, certs-only): {exc}"
        ) from exc
    if not found:
        raise Unreachable("the EST server sent a message without any certificate")
    return found
