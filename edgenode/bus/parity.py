"""Characters of 7 bits and even parity on a port that is set to 8 bits and none.

On the wire both are the same ten bits. Made and checked here, a parity bit works on every port (a
Pi's mini UART has none), and a damaged character is noticed, which the kernel would pass on.
"""

from __future__ import annotations

from typing import Final

DAMAGED: Final = 0x00  # no character of any text; stands for one whose parity is wrong

EVEN: Final = bytes(code | (code.bit_count() & 1) << 7 for code in range(128))
CHECKED: Final = bytes(DAMAGED if code.bit_count() & 1 else code & 0x7F for code in range(256))


def with_parity(text: bytes) -> bytes:
    """Return ASCII text as it is sent: the eighth bit makes the number of ones even."""
    return text.translate(EVEN + bytes(128))


def without_parity(data: bytes) -> bytes:
    """Return received bytes as ASCII text, with DAMAGED in place of every damaged character."""
    return data.translate(CHECKED)
