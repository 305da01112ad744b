"""Where a receiver listens, and as whom."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path

from edgenode.errors import CityError

TLS_PORT = 8883
PLAIN_PORT = 1883


@dataclass(frozen=True, slots=True)
class CityBroker:
    """One broker; `ca` None means the system's certificates."""

    host: str
    port: int = TLS_PORT
    tls: bool = True
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    username: str = ""
    password_file: Path | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"

    def password(self) -> str | None:
        """Read the password, without the end of its line; raises CityError."""
        if self.password_file is None:
            return None
        try:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as exc:
            raise CityError(f"cannot read the password file {self.password_file}: {exc}") from exc

    def context(self) -> ssl.SSLContext | None:
        """Return what TLS needs, None without TLS; raises CityError."""
        if not self.tls:
            return None
        try:
            # Not create_default_context: what it refuses differs between Python 3.12 and 3.13.
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and host name
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if self.ca is None:
                context.load_default_certs()
            else:
                context.load_verify_locations(cafile=self.ca)
            if self.cert is not None:
                context.load_cert_chain(self.cert, self.key)
        except OSError as exc:  # ssl.SSLError is one
            raise CityError(f"the certificates for {self} cannot be used: {exc}") from exc
        return context


def split_address(text: str, *, tls: bool) -> tuple[str, int]:
    """Take HOST, HOST:PORT or [IPv6]:PORT apart; raises ValueError."""
    default = TLS_PORT if tls else PLAIN_PORT
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(default)
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise ValueError(f"{text!r} is not HOST or HOST:PORT")
    return host.strip("[]"), int(port)
