"""What all virtual Modbus slaves have in common: frames by silence, and silence for the rest.

A slave says nothing to what is damaged or meant for others (MODBUS over Serial Line V1.02 §2.4).
"""

from __future__ import annotations

import struct
from abc import abstractmethod
from typing import Any, Final

from edgenode.virtual.kinds import Action
from edgenode.virtual.playing import Playing
from edgenode.virtual.truth import Truth

READ_HOLDING, READ_INPUT = 3, 4
REQUEST: Final = struct.Struct(">BBHHH")  # address, function, first, count, CRC with bytes swapped
SILENCE_NS: Final = 50_000_000  # the frame before is over; generous, since a host is not a UART
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


class Slave(Playing):
    """A SerialInstrument that answers requests for registers at the address of its spec."""

    def __init__(self, spec: Any, truth: Truth, start_ns: int, seed: int) -> None:
        super().__init__(spec, truth, start_ns, seed)
        self.spec = spec
        self._heard, self._heard_ns = b"", start_ns

    def act(self, action: Action, now_ns: int) -> None:
        """Begin to misbehave, or return; totals are kept without power, as they are."""
        super().act(action, now_ns)
        self._heard = b""

    def next_ns(self) -> int | None:
        """Return None: a slave speaks only when spoken to."""
        return None

    def speak(self, now_ns: int) -> bytes:
        """Return nothing."""
        del now_ns
        return b""

    def hear(self, data: bytes, now_ns: int) -> bytes:
        """Return the answer where `data` ends a request for this address."""
        if now_ns - self._heard_ns > SILENCE_NS:
            self._heard = b""
        self._heard_ns = now_ns
        self._heard += data
        if len(self._heard) < REQUEST.size:
            return b""
        frame, self._heard = self._heard, b""
        return self._answer(frame, now_ns)

    @abstractmethod
    def refusal(self, function: int, first: int, count: int) -> int:
        """Return the exception code that a request earns; 0 for none."""

    @abstractmethod
    def registers(self, function: int, first: int, count: int, now_ns: int) -> bytes:
        """Return the bytes of registers, and log what is said by them."""

    def is_addressed(self, address: int) -> bool:
        """Whether a request to `address` is meant for this part."""
        mine: int = self.spec.address
        return address == mine

    def _answer(self, frame: bytes, now_ns: int) -> bytes:
        if len(frame) != REQUEST.size or check(frame[:-2]) != frame[-2:]:
            return b""
        address, function, first, count, _ = REQUEST.unpack(frame)
        if not self.is_addressed(address):
            return b""
        if refusal := self.refusal(function, first, count):
            answer = bytes((address, function | 0x80, refusal))
        else:
            head = bytes((address, function, 2 * count))
            answer = head + self.registers(function, first, count, now_ns)
        if self._fate == "garbage":
            return self._random.randbytes(len(answer) + 2)
        return answer + check(answer) if self._fate == "ok" else b""


def check(data: bytes) -> bytes:
    """Return the checksum of a frame, bit by bit as MODBUS over Serial Line V1.02 §6.2.2 has it."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            carry = register & 1
            register >>= 1
            if carry:
                register ^= 0xA001
    return bytes((register & 0xFF, register >> 8))
