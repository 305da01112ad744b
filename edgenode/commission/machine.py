"""What the machine says of itself: supply, heat, card, room, certificates."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from edgenode.bus import open_tree
from edgenode.commission.evidence import CardSeen, CertificateSeen
from edgenode.commission.signature import PEM_MOST
from edgenode.config import Config
from edgenode.config.credentials import resolved
from edgenode.driver import find
from edgenode.errors import ConfigError, DriverError, NodeError

HEALTH: Final = "health"  # the driver of the machine itself
BLOCK: Final = bytes(4096)  # what the journal writes at a time
FLUSH_S: Final = 5.0  # for all small writes together: a bad card takes a second for each


def machine(state: Path) -> Mapping[str, float | None]:
    """Return what the driver of the machine itself reads, by quantity; nothing where it cannot."""
    try:
        driver = find(HEALTH)
        part = driver(open_tree("/"), driver.options(state=str(state)))
        try:
            values = part.read(0).values
        finally:
            part.close()
    except (ConfigError, DriverError):
        return {}
    return {channel.name: value for channel, value in zip(driver.channels, values, strict=True)}


def card(state: Path, flushes: int) -> CardSeen:
    """Time so many writes of 4 KiB, each made durable by fdatasync(2).

    The file has no name: whatever ends this leaves nothing, and since root writes where the
    daemon's user may, no link of that user can lead it elsewhere.
    """
    try:
        with tempfile.TemporaryFile(dir=state, buffering=0) as file:
            return CardSeen(tuple(_flushed(file.fileno(), flushes)))
    except OSError as exc:
        return CardSeen(problem=f"{state}: a small write fails: {exc.strerror}")


def _flushed(descriptor: int, flushes: int) -> Iterator[float]:
    until = time.monotonic() + FLUSH_S
    for at in range(flushes):
        began = time.monotonic()
        os.pwrite(descriptor, BLOCK, at * len(BLOCK))
        os.fdatasync(descriptor)
        ended = time.monotonic()
        yield round((ended - began) * 1000, 1)
        if ended > until:
            return


def room(state: Path) -> int | None:
    """Return the bytes that are free for who is not root; None where that cannot be seen."""
    try:
        disk = os.statvfs(state)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize


def certificates(config: Config) -> tuple[CertificateSeen, ...]:
    """Return the certificates by which the node proves who it is, each once."""
    paths = dict.fromkeys(broker.cert for broker in config.uplink.broker if broker.cert)
    return tuple(_certificate(path) for path in paths)


def _certificate(path: Path) -> CertificateSeen:
    try:
        from cryptography import x509  # noqa: PLC0415 - an extra, and slow to import
        from cryptography.x509.oid import NameOID  # noqa: PLC0415 - the same
    except ImportError:
        return CertificateSeen(str(path), problem="cannot be read without edgenode[provision]")
    try:
        with resolved(path).open("rb") as file:
            leaf = x509.load_pem_x509_certificate(file.read(PEM_MOST))
    except NodeError as exc:
        return CertificateSeen(str(path), problem=str(exc))
    except OSError as exc:
        return CertificateSeen(str(path), problem=exc.strerror or str(exc))
    except ValueError:
        return CertificateSeen(str(path), problem="is no certificate in PEM")
    names = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    until_ms = round(leaf.not_valid_after_utc.timestamp() * 1000)
    return CertificateSeen(str(path), until_ms, str(names[0].value) if names else "")
