"""A Modbus slave made of pymodbus alone: it takes our requests apart and answers them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pymodbus.framer import FramerRTU
from pymodbus.pdu import DecodePDU
from pymodbus.pdu.register_message import (
    ReadHoldingRegistersRequest,
    ReadHoldingRegistersResponse,
    ReadInputRegistersRequest,
    ReadInputRegistersResponse,
)

ANSWERS: dict[Any, Any] = {
    ReadInputRegistersRequest: ReadInputRegistersResponse,
    ReadHoldingRegistersRequest: ReadHoldingRegistersResponse,
}


class PymodbusSlave:
    """A part on a FakeCable; `registers` stand from register 0 on, for both functions."""

    def __init__(self, registers: Sequence[int], address: int = 1) -> None:
        self.registers = list(registers)
        self.address = address
        self.said = b""
        self._framer = FramerRTU(DecodePDU(is_server=True))

    def __call__(self, frame: bytes) -> bytes:
        """Return what is answered; nothing for what pymodbus takes for no request."""
        _, asked = self._framer.handleFrame(frame, 0, 0)
        if asked is None or asked.dev_id != self.address or type(asked) not in ANSWERS:
            return b""
        told = self.registers[asked.address : asked.address + asked.count]
        made = ANSWERS[type(asked)](dev_id=self.address, registers=told)
        said: bytes = self._framer.buildFrame(made)
        self.said = said
        return said
