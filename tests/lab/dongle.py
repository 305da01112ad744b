"""An I2C bus for a real kernel: an i2c-tiny-usb dongle that is plugged in over USB/IP.

The kernel's vhci-hcd takes one end of a socket pair as the cable of a USB device; at the other end
a thread plays the dongle and passes each message to the instrument at its address. So
/dev/i2c-N, i2c-dev, and every I2C driver of the kernel are real, and only the wire is ours.

Protocol: Linux Documentation/usb/usbip_protocol.rst; drivers/usb/usbip/vhci_sysfs.c (attach);
drivers/i2c/busses/i2c-tiny-usb.c (requests and their meaning).
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from edgenode.virtual.conduct import Refused, Silent, boot_ns
from edgenode.virtual.kinds import READ, I2CInstrument, Message

VHCI: Final = Path("/sys/devices/platform/vhci_hcd.0")
ADAPTERS: Final = Path("/sys/bus/i2c/devices")
FULL_SPEED: Final = 2
BUS_ADDRESS: Final = 1 << 16 | 2  # bus 1, device 2 of the machine that is said to export it

SUBMIT, UNLINK, SUBMITTED, UNLINKED = 1, 2, 3, 4
IN: Final = 1
HEADER: Final = struct.Struct(">IIIIIIIIII8s")  # as of a submit; an unlink uses the first six
STALL: Final = -32  # EPIPE
RESET: Final = -104  # ECONNRESET: an unlinked request never came to its end

DEVICE: Final = struct.pack(
    "<BBHBBBBHHHBBBB", 18, 1, 0x0110, 0xFF, 0, 0, 8, 0x0403, 0xC631, 0x0205, 0, 0, 0, 1
)
CONFIGURATION: Final = struct.pack("<BBHBBBBB", 9, 2, 18, 1, 1, 0, 0x80, 50)
INTERFACE: Final = struct.pack("<BBBBBBBBB", 9, 4, 0, 0, 0, 0xFF, 0, 0, 0)
DESCRIPTORS: Final = {1: DEVICE, 2: CONFIGURATION + INTERFACE}
GET_DESCRIPTOR: Final = 6

FUNCTIONALITY, STATUS, MESSAGE = 1, 3, range(4, 8)  # of the dongle; 4 and 5: begin and end bits
FUNCTIONS: Final = 0x8EFF0001  # plain I2C, and SMBus by emulation
ACKNOWLEDGED, REFUSED = 1, 2
APPEARS_S: Final = 10.0


class Unanswered(Exception):
    """The request is left without an answer until the kernel takes it back."""


class Dongle:
    """One bus, plugged in from its making until `unplug`.

    `held` keeps every transaction waiting, as a line that is held low does; the kernel gives up
    after its two seconds.
    """

    def __init__(self, instruments: Mapping[int, I2CInstrument], port: int) -> None:
        self.instruments = dict(instruments)
        self.held = False
        self.transactions = 0
        self._status = ACKNOWLEDGED
        self._wire, kernels = socket.socketpair()
        before = adapters()
        (VHCI / "attach").write_text(f"{port} {kernels.fileno()} {BUS_ADDRESS} {FULL_SPEED}")
        kernels.close()
        self._thread = threading.Thread(target=self._serve, name=f"dongle {port}", daemon=True)
        self._thread.start()
        self.number = _appeared(before)

    @property
    def path(self) -> str:
        return f"/dev/i2c-{self.number}"

    def unplug(self) -> None:
        """Pull it out; returns at once, whatever the kernel still has to do."""
        self._wire.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._wire.close()

    def _serve(self) -> None:
        while len(header := self._receive(HEADER.size)) == HEADER.size:
            command, number, _, direction, *_, length, _, _, _, setup = HEADER.unpack(header)
            if command == UNLINK:
                self._say(UNLINKED, number, RESET)
                continue
            data = self._receive(length) if direction != IN else b""
            try:
                answer = self._control(setup, data)
            except Unanswered:
                continue
            if answer is None:
                self._say(SUBMITTED, number, STALL)
            elif direction == IN:
                self._say(SUBMITTED, number, 0, len(answer), answer)
            else:
                self._say(SUBMITTED, number, 0, len(data))

    def _say(self, what: int, number: int, status: int, length: int = 0, data: bytes = b"") -> None:
        head = struct.pack(">IIIIIiIIII8x", what, number, 0, 0, 0, status, length, 0, 0, 0)
        self._wire.sendall(head + data)

    def _receive(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            try:
                piece = self._wire.recv(size - len(data))
            except OSError:
                return b""
            if not piece:
                return b""
            data += piece
        return data

    def _control(self, setup: bytes, data: bytes) -> bytes | None:
        """Answer one control request; None is a stall."""
        kind, request, value, index, length = struct.unpack("<BBHHH", setup)
        if kind & 0x60 == 0:  # standard
            if request == GET_DESCRIPTOR:
                found = DESCRIPTORS.get(value >> 8)
                return found[:length] if found else None
            return bytes(length)
        if request == FUNCTIONALITY:
            return struct.pack("<I", FUNCTIONS)
        if request == STATUS:
            return bytes((self._status,))
        if request in MESSAGE:
            return self._message(Message(value & READ, length, data), index)
        return bytes(length)  # the delay of its clock, which nobody needs here

    def _message(self, message: Message, address: int) -> bytes:
        if self.held:
            raise Unanswered
        self.transactions += 1
        instrument = self.instruments.get(address)
        self._status = ACKNOWLEDGED if instrument else REFUSED
        try:
            if instrument:
                return instrument.transact([message], boot_ns())
        except Silent:
            raise Unanswered from None
        except Refused:
            self._status = REFUSED
        return bytes(message.length)


def adapters() -> set[int]:
    """Return the numbers of the I2C adapters that there are."""
    return {int(found.name[4:]) for found in ADAPTERS.glob("i2c-*")}


def _appeared(before: set[int]) -> int:
    deadline = time.monotonic() + APPEARS_S
    while time.monotonic() < deadline:
        for number in adapters() - before:
            if Path(f"/dev/i2c-{number}").exists():
                return number
        time.sleep(0.01)
    raise TimeoutError("the dongle was attached and no I2C adapter appeared")
