"""What proves who is who: a TLS context and a password, both read anew for every connection.

So a renewed certificate or password is used from the next connection on, without a restart; and a
session under a certificate that was replaced is ended for that (uplink.py).
"""

from __future__ import annotations

import ssl
from pathlib import Path

from edgenode.errors import NodeError
from edgenode.uplink.options import Broker

PASSWORD_BYTES_MAX = 65_535  # MQTT 3.1.1, section 3.1.3.5


def context(broker: Broker) -> ssl.SSLContext | None:
    """Return a new client context, None where TLS is off; raises NodeError naming the file."""
    if not broker.tls:
        return None
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks the certificate and the host name
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        if broker.ca is None:
            made.load_default_certs()
        else:
            made.load_verify_locations(cafile=broker.ca)
    except OSError as exc:  # ssl.SSLError is one
        raise NodeError(f"trust anchors {broker.ca}: {exc}; check `ca` of the broker") from exc
    if broker.cert is not None:
        try:
            made.load_cert_chain(broker.cert, broker.key)
        except OSError as exc:
            raise NodeError(
                f"certificate {broker.cert} with key {broker.key}: {exc}; "
                "check `cert` and `key` of the broker"
            ) from exc
    return made


def stamp(broker: Broker) -> tuple[int, ...]:
    """Return what changes when the node's certificate is replaced; empty where there is none."""
    if broker.cert is None:
        return ()
    try:
        found = broker.cert.stat()  # follows the link that leads to the newest
    except OSError:
        return ()
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


def password(path: Path | None) -> str | None:
    """Return the first line of the file; raises NodeError naming it, never its contents."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            text = file.read(PASSWORD_BYTES_MAX).split(b"\n", 1)[0].rstrip(b"\r").decode()
    except OSError as exc:
        raise NodeError(f"password file {path}: {exc.strerror}; see `password_file`") from exc
    except UnicodeDecodeError:
        raise NodeError(f"password file {path} is not UTF-8; write the password anew") from None
    if not text:
        raise NodeError(f"password file {path} is empty; write the password as its first line")
    return text
