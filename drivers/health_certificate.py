"""How long the node's certificate is still valid, read from its file without a library.

RFC 5280 §4.1: the fields of a certificate and their order; §4.1.2.5: its two kinds of time.
ITU-T X.690 §8.1: tag, length, value. RFC 7468 §5.1: the text around them.
"""

from __future__ import annotations

import binascii
import calendar
import time
from typing import Final

from edgenode.bus import Tree

BEGIN: Final = "-----BEGIN CERTIFICATE-----"
END: Final = "-----END CERTIFICATE-----"
SEQUENCE: Final = 0x30
VERSION: Final = 0xA0  # [0] EXPLICIT; certificates of version 1 have none
UTC_TIME: Final = 0x17
TIME: Final = 0x18  # GeneralizedTime
LONG: Final = 0x80  # with this bit a length of a length, in bytes
BEFORE_VALIDITY: Final = 3  # serial, signature, issuer
CENTURY: Final = 50  # a UTCTime of this year or later is of the 20th century

Number = float | None


def certificate_left(tree: Tree, path: str, now_s: float) -> Number:
    """Return how many seconds the first certificate of a file is valid for, from POSIX `now_s`.

    None where there is no such file, or the clock cannot be right: the certificate begins later.
    Below zero it is over. Raises ValueError, IndexError where the file holds something else.
    """
    text = tree.text(path) if path else None
    if text is None:
        return None
    begin, end = _validity(_der(text))
    return None if now_s < begin else end - now_s


def _der(pem: str) -> bytes:
    inside = pem.partition(BEGIN)[2].partition(END)[0]
    return binascii.a2b_base64("".join(inside.split()), strict_mode=True)


def _validity(der: bytes) -> tuple[int, int]:
    """Return POSIX seconds: not before, not after."""
    _, at, _ = _field(der, 0, SEQUENCE)  # Certificate
    _, at, _ = _field(der, at, SEQUENCE)  # tbsCertificate
    if der[at] == VERSION:
        _, _, at = _field(der, at)
    for _ in range(BEFORE_VALIDITY):
        _, _, at = _field(der, at)
    _, at, _ = _field(der, at, SEQUENCE)
    kind, begin, at = _field(der, at)
    kind_after, begin_after, end = _field(der, at)
    return _time(kind, der[begin:at]), _time(kind_after, der[begin_after:end])


def _field(der: bytes, at: int, wanted: int | None = None) -> tuple[int, int, int]:
    """Return the tag of a field, and where its value begins and ends."""
    tag, length, begin = der[at], der[at + 1], at + 2
    if wanted is not None and tag != wanted:
        raise ValueError(f"tag {tag:#x} at {at}")
    if length & LONG:
        width = length & ~LONG
        length, begin = int.from_bytes(der[begin : begin + width]), begin + width
    if begin + length > len(der):
        raise ValueError(f"field at {at} is cut off")
    return tag, begin, begin + length


def _time(kind: int, value: bytes) -> int:
    text = value.decode("ascii")
    if kind == UTC_TIME:
        text = f"{20 if int(text[:2]) < CENTURY else 19}{text}"
    elif kind != TIME:
        raise ValueError(f"tag {kind:#x} is no time")
    return calendar.timegm(time.strptime(text, "%Y%m%d%H%M%SZ"))
