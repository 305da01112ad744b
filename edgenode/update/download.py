"""Fetching a bundle by HTTPS onto the data partition; a line that drops costs what had not come."""

from __future__ import annotations

import http.client
import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import IO, Final
from urllib.parse import urlsplit

from edgenode import durable
from edgenode.errors import NodeError

PLACE: Final = Path("update") / "bundle.raucb"  # of the state directory
MOST_BYTES: Final = 1 << 30  # two root slots hold less
CHUNK: Final = 64 << 10
STALL_S: Final = 60.0
TRIES: Final = 20
PAUSE_S: Final = 15.0
SPARE_BYTES: Final = 32 << 20  # left to the spool
TELL_BYTES: Final = 8 << 20


def download(
    url: str,
    state: Path,
    pause: Callable[[float], object],
    tell: Callable[[str], None],
    context: ssl.SSLContext | None = None,
) -> Path:
    """Fetch `url` and return where it lies; goes on where an earlier try was cut off.

    Raises NodeError for what is no https URL, for a refusal, for want of room, and after 20 tries.
    What it is worth is for RAUC to say: the signature is not looked at here.
    """
    parts = urlsplit(url)
    if parts.scheme != "https" or not parts.hostname:
        raise NodeError(f"{url}: give a file or an https URL")
    path = state / PLACE
    part, origin = path.with_suffix(".part"), path.with_suffix(".url")
    path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # of an installation that was cut off
    if durable.write(origin, url.encode(), 0o644, None):
        part.unlink(missing_ok=True)
    problem = ""
    for left in reversed(range(TRIES)):
        try:
            _fetch(url, part, tell, context)
            origin.unlink(missing_ok=True)
            return part.replace(path)
        except _Again as exc:
            problem = str(exc)
            tell(f"{problem}; {left} more tries")
            if left:
                pause(PAUSE_S)
    raise NodeError(f"{url}: {problem}; try again: it goes on where it stopped")


class _Again(Exception):
    """The line failed; what has come so far is kept."""


def _fetch(
    url: str, part: Path, tell: Callable[[str], None], context: ssl.SSLContext | None
) -> None:
    """Fetch what is missing of a file."""
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url)  # noqa: S310 - https alone is let in
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        with urllib.request.urlopen(request, timeout=STALL_S, context=context) as answer:  # noqa: S310
            if urlsplit(answer.url).scheme != "https":
                raise NodeError(f"{url}: leads to {answer.url}, which is not https")
            if answer.status != http.client.PARTIAL_CONTENT:
                have = 0  # the server gives it from the beginning
            whole = have + int(answer.headers.get("Content-Length") or 0)
            _has_room(part, whole, have)
            with open(part, "ab" if have else "wb", opener=_opened) as file:
                came = _copied(answer, file, have, whole, tell)
    except urllib.error.HTTPError as exc:
        if exc.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            part.unlink(missing_ok=True)
            raise _Again("the file there has changed") from exc
        if exc.code >= http.client.INTERNAL_SERVER_ERROR:
            raise _Again(f"the server says {exc.code} {exc.reason}") from exc
        raise NodeError(f"{url}: the server says {exc.code} {exc.reason}") from exc
    except (OSError, http.client.HTTPException) as exc:  # URLError is an OSError
        if isinstance(getattr(exc, "reason", exc), ssl.SSLCertVerificationError):
            raise NodeError(f"{url}: {getattr(exc, 'reason', exc)}; is the clock right?") from exc
        raise _Again(f"the line failed: {exc}") from exc
    if came < whole:
        raise _Again(f"the line ended after {came} of {whole} bytes")


def _opened(path: str, flags: int) -> int:
    """Open a file that is no link: the daemon's user, who owns the directory, could lay one."""
    return os.open(path, flags | durable.NOFOLLOW, 0o644)


def _has_room(part: Path, whole: int, have: int) -> None:
    if whole > MOST_BYTES:
        raise NodeError(f"{whole} bytes are no bundle: at most {MOST_BYTES}")
    disk = os.statvfs(part.parent)
    room = disk.f_bavail * disk.f_frsize - SPARE_BYTES
    if whole - have > room:
        raise NodeError(
            f"no room: {whole - have} bytes are to come and {max(0, room)} are free; "
            "bring it on a stick, or lower spool.cap_mb"
        )


def _copied(
    answer: IO[bytes], file: IO[bytes], have: int, whole: int, tell: Callable[[str], None]
) -> int:
    told = have
    while data := answer.read(CHUNK):
        have += len(data)
        if have > MOST_BYTES:
            raise NodeError(f"more than {MOST_BYTES} bytes are no bundle")
        file.write(data)
        if have - told >= TELL_BYTES:
            told = have
            tell(f"{have >> 20} of {whole >> 20} MiB")
    return have
