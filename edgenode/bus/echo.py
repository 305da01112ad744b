"""Where an answer begins on a line on which some adapters give back what is sent.

What RS-485 and M-Bus have in common: two wires, on which the master hears itself.
"""

from __future__ import annotations

from typing import Final

from edgenode.bus.wires import SerialPort
from edgenode.reading import SerialLine

LUMP_S: Final = 0.1  # USB adapters pass bytes on in lumps, by 16 ms as a rule


def character_s(line: SerialLine) -> float:
    """Return how long one character takes: start, data, parity and stop bits."""
    return (1 + line.data_bits + (line.parity != "none") + line.stop_bits) / line.baud


def begun(port: SerialPort, asked: bytes, size: int, wait_s: float) -> bytes:
    """Return the first `size` bytes of the answer to what was `asked`, without its echo.

    Fewer, or none, where no more came within `wait_s`; what begins as the echo does and is none
    is as long as that. Raises BusError.
    """
    head = port.receive(size, wait_s)
    if head and asked.startswith(head):
        left = len(asked) - len(head)
        head += port.receive(left, left * character_s(port.line) + LUMP_S)
        if head == asked:
            head = port.receive(size, wait_s)
    return head
