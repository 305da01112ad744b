"""An EST server (RFC 7030) over real TLS, with a CA of its own; strict, each refusal with why.

Written after the RFC, not after our client: it shares no code with it. `broken` makes it answer
what no good server answers.
"""

from __future__ import annotations

import binascii
import ssl
import threading
import time
from base64 import b64decode, encodebytes
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.hazmat.primitives.serialization.pkcs7 import serialize_certificates
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from tests.support.pki import DAY, Ca, alternative_of, named
from tests.support.ports import free_port

ROOT = "/.well-known/est"
LARGEST = 16_384
RETRY_S = 60


class Refusal(Exception):
    """What is wrong with a request: HTTP status, section, words."""

    def __init__(self, status: int, section: str, words: str) -> None:
        super().__init__(f"{section}: {words}")
        self.status = status


@dataclass
class Rules:
    """How the server is set up; a test changes it while it runs."""

    tokens: dict[str, str] = field(default_factory=dict)  # node id -> one-time token
    begin: timedelta = -DAY  # of a certificate's life, from now
    life: timedelta = 90 * DAY
    approve_after: int = 0  # so many answers are 202 before the certificate comes
    retry_after: str = "60"
    clock: Callable[[], float] = time.monotonic
    organisation: str = ""  # added to the subject, as a CA may
    san: bool = False
    linger_s: float = 0.0  # so long it says nothing more, and does not hang up
    broken: Callable[[x509.Certificate], tuple[int, dict[str, str], bytes]] | None = None


class EstServer:
    """Listens on the loopback as `localhost`; `log` has each operation and its status."""

    def __init__(self, directory: Path, ca: Ca | None = None, rules: Rules | None = None) -> None:
        self.ca = ca or Ca()
        self.rules = rules or Rules()
        self.port = free_port()
        self.log: list[tuple[str, int]] = []
        self.issued: list[x509.Certificate] = []
        self.waiting: dict[str, bytes] = {}  # node id -> the request that is not approved yet
        self.back_at: dict[str, float] = {}
        self.spent: set[str] = set()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), self._handler())
        self._server.daemon_threads = True
        self._server.handle_error = _silent  # type: ignore[method-assign, assignment]
        self._server.socket = self._context(directory).wrap_socket(
            self._server.socket, server_side=True, do_handshake_on_connect=False
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _context(self, directory: Path) -> ssl.SSLContext:
        directory.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        own = self.ca.issue(
            key.public_key(), named("localhost"), datetime.now(UTC) - DAY,
            datetime.now(UTC) + DAY,
            san=x509.SubjectAlternativeName([x509.DNSName("localhost")]),
            usage=ExtendedKeyUsageOID.SERVER_AUTH,
        )  # fmt: skip
        pem = directory / "est-server.pem"
        pem.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + own.public_bytes(Encoding.PEM)
            + self.ca.certificate.public_bytes(Encoding.PEM)
        )
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 8996; §3.3 said 1.1
        made.load_cert_chain(pem)
        made.load_verify_locations(cadata=self.ca.trust)
        made.verify_mode = ssl.CERT_OPTIONAL  # §3.3.2: a client may show a certificate
        return made

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            timeout = 10

            def do_GET(self) -> None:
                server.serve(self)

            do_POST = do_PUT = do_GET  # noqa: N815 - names of http.server

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        return Handler

    def serve(self, handler: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        operation = handler.path.removeprefix(f"{ROOT}/")
        headers: dict[str, str] = {}
        try:
            with self._lock:
                status, headers, body = self._answer(handler, operation)
        except Refusal as exc:
            status, body = exc.status, f"{exc}\n".encode()
            headers = {"Content-Type": "text/plain"}
            if status == 401:
                headers["WWW-Authenticate"] = 'Basic realm="EST"'  # RFC 7617
        self.log.append((operation, status))
        handler.close_connection = True
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.wfile.flush()
        time.sleep(self.rules.linger_s)

    def _answer(
        self, handler: BaseHTTPRequestHandler, operation: str
    ) -> tuple[int, dict[str, str], bytes]:
        if handler.request_version != "HTTP/1.1" or "Host" not in handler.headers:
            raise Refusal(400, "RFC 7030 §3.2, RFC 9112 §3.2", "HTTP/1.1 with Host is wanted")
        if handler.path == f"{ROOT}/cacerts":
            if handler.command != "GET":
                raise Refusal(405, "RFC 7030 §4.1.2", "cacerts is asked for by GET")
            return self._certs([self.ca.certificate, self.ca.root])
        if handler.path not in {f"{ROOT}/simpleenroll", f"{ROOT}/simplereenroll"}:
            raise Refusal(404, "RFC 7030 §3.2.2", f"no operation is at {handler.path}")
        if handler.command != "POST":
            raise Refusal(405, "RFC 7030 §4.2", "a request for a certificate is sent by POST")
        shown = self._shown(handler)
        user = self._user(handler) if operation == "simpleenroll" else ""
        if operation == "simplereenroll" and shown is None:
            raise Refusal(403, "RFC 7030 §3.3.2, §4.2.2", "no certificate of the client was shown")
        request = self._request(handler)
        if operation == "simpleenroll":
            return self._enrol(user, request)
        assert shown is not None
        return self._reenrol(shown, request)

    def _shown(self, handler: BaseHTTPRequestHandler) -> x509.Certificate | None:
        connection: Any = handler.connection
        der = connection.getpeercert(binary_form=True)
        return None if der is None else x509.load_der_x509_certificate(der)

    def _user(self, handler: BaseHTTPRequestHandler) -> str:
        scheme, _, rest = handler.headers.get("Authorization", "").partition(" ")
        if not rest:
            raise Refusal(401, "RFC 7030 §3.2.3", "neither certificate nor HTTP authentication")
        if scheme.lower() != "basic":
            raise Refusal(401, "RFC 7030 §3.2.3", f"this server takes Basic, not {scheme}")
        try:
            user, colon, token = b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as exc:
            raise Refusal(401, "RFC 7617 §2", "the credentials are not in base64") from exc
        if not colon or self.rules.tokens.get(user) != token:
            raise Refusal(401, "RFC 7030 §3.2.3", "unknown user or wrong password")
        if user in self.spent:
            raise Refusal(403, "RFC 7030 §3.7", "this one-time password was used before")
        return user

    def _request(self, handler: BaseHTTPRequestHandler) -> x509.CertificateSigningRequest:
        length = handler.headers.get("Content-Length")
        if length is None or not length.isdecimal():
            raise Refusal(411, "RFC 9110 §8.6", "a Content-Length is wanted")
        if int(length) > LARGEST:
            raise Refusal(413, "RFC 9110 §15.5.14", "too long for a request of a certificate")
        body = handler.rfile.read(int(length))
        if handler.headers.get_content_type() != "application/pkcs10":
            raise Refusal(415, "RFC 7030 §4.2.1", "a request is of type application/pkcs10")
        try:
            der = b64decode(b"".join(body.split()), validate=True)
        except binascii.Error as exc:
            raise Refusal(400, "RFC 7030 §4.2.1, RFC 8951 §3", "the body is not base64") from exc
        if not der:
            raise Refusal(400, "RFC 7030 §4.2.1", "the body is empty")
        try:
            request = x509.load_der_x509_csr(der)
        except ValueError as exc:
            raise Refusal(400, "RFC 7030 §4.2.1, RFC 2986 §4", "no PKCS #10 in DER") from exc
        self._proved(request)
        return request

    @staticmethod
    def _proved(request: x509.CertificateSigningRequest) -> None:
        try:
            valid = request.is_signature_valid
        except InvalidSignature:
            valid = False
        if not valid:
            raise Refusal(400, "RFC 7030 §3.4, RFC 2986 §3", "the request's signature is wrong")
        key = request.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise Refusal(400, "RFC 7030 §4.2.1", "policy: keys are on the curve P-256")
        hashed = request.signature_hash_algorithm
        if hashed is None or hashed.name not in {"sha256", "sha384", "sha512"}:
            raise Refusal(400, "RFC 9155 §2", "the request is signed over a weak hash")

    def _enrol(
        self, user: str, request: x509.CertificateSigningRequest
    ) -> tuple[int, dict[str, str], bytes]:
        names = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if [name.value for name in names] != [user]:
            raise Refusal(403, "RFC 7030 §3.7, §4.2.1", "the subject is not who authenticated")
        self._waits(user, request.public_bytes(Encoding.DER))
        if self.rules.approve_after > 0:
            self.rules.approve_after -= 1
            self.back_at[user] = self.rules.clock() + RETRY_S
            after = self.rules.retry_after
            return 202, {"Retry-After": after} if after else {}, b""
        self.waiting.pop(user, None)
        self.spent.add(user)
        more = self.rules.organisation
        prefix = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, more)] if more else []
        san = x509.SubjectAlternativeName([x509.DNSName(f"{user}.nodes.example")])
        return self._grant(request, named(user, *prefix), san if self.rules.san else None)

    def _waits(self, user: str, der: bytes) -> None:
        """Check that who comes back brings the same request, and not too early."""
        if self.waiting.setdefault(user, der) != der:
            raise Refusal(400, "RFC 7030 §4.2.3", "another request of this client waits")
        if self.rules.clock() < self.back_at.get(user, 0):
            raise Refusal(429, "RFC 7030 §4.2.3", "back before Retry-After")

    def _reenrol(
        self, shown: x509.Certificate, request: x509.CertificateSigningRequest
    ) -> tuple[int, dict[str, str], bytes]:
        if request.subject != shown.subject:
            raise Refusal(400, "RFC 7030 §4.2.2", "the subject is not that of the certificate")
        alternative = alternative_of(shown.extensions)
        if alternative_of(request.extensions) != alternative:
            raise Refusal(400, "RFC 7030 §4.2.2", "the SubjectAltName is not the certificate's")
        return self._grant(request, shown.subject, alternative)

    def _grant(
        self,
        request: x509.CertificateSigningRequest,
        subject: x509.Name,
        san: x509.SubjectAlternativeName | None,
    ) -> tuple[int, dict[str, str], bytes]:
        begin = datetime.now(UTC) + self.rules.begin
        made = self.ca.issue(request.public_key(), subject, begin, begin + self.rules.life, san=san)
        self.issued.append(made)
        if self.rules.broken is not None:
            return self.rules.broken(made)
        return self._certs([made, self.ca.certificate])

    @staticmethod
    def _certs(chain: list[x509.Certificate]) -> tuple[int, dict[str, str], bytes]:
        return 200, TYPE, certs_only(chain)


TYPE = {"Content-Type": "application/pkcs7-mime; smime-type=certs-only"}


def certs_only(chain: list[x509.Certificate]) -> bytes:
    """Return the certificates as a body of §4.2.3."""
    return encodebytes(serialize_certificates(chain, Encoding.DER))


def _silent(*_: object) -> None:
    """A client that hung up, or was not let in, is no news."""
