"""What all virtual Modbus slaves have in common: requests, exceptions, and silence for the rest.

A slave says nothing to what is damaged or meant for others (MODBUS over Serial Line V1.02 §2.4).
"""

from __future__ import annotations

import struct
from abc import abstractmethod
from typing import ClassVar, Final

from edgenode.virtual.answering import Slave

READ_HOLDING, READ_INPUT = 3, 4
REQUEST: Final = struct.Struct(">BBHHH")  # address, function, first, count, CRC with bytes swapped
ILLEGAL_FUNCTION, ILLEGAL_ADDRESS, ILLEGAL_VALUE = 1, 2, 3


class ModbusSlave(Slave):
    """Answers requests for registers at the address of its spec."""

    request_bytes: ClassVar = REQUEST.size

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
        return answer + check(answer)


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
