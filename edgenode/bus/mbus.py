"""Wired M-Bus, the master's side: frames, the bit that tells repeats from news, and waiting.

EN 13757-2:2018 (FT 1.2 frames §5.5, FCB §5.6.2, timing §5.6.3) and "The M-Bus: A Documentation"
4.8, §5; libmbus (mbus-protocol.c) agrees. Nothing here keeps a clock: all waiting is the port's.
Nothing is sent twice: whoever calls may ask again.
"""

from __future__ import annotations

from typing import Final

from edgenode.bus.echo import LUMP_S, begun, character_s
from edgenode.bus.wires import SerialPort
from edgenode.errors import BadFrame, BusError, BusTimeout, WrongDevice
from edgenode.reading import SerialLine

ACK: Final = b"\xe5"
SHORT, LONG, STOP = 0x10, 0x68, 0x16
SND_NKE: Final = 0x40
REQ_UD2: Final = 0x5B
FCB: Final = 0x20
RSP_UD: Final = frozenset({0x08, 0x18, 0x28, 0x38})
ANY: Final = 254  # every meter answers to it: for one alone on its cable
HEAD_BYTES: Final = 4  # of a long frame: start, length, length, start
LENGTH_LEAST: Final = 3  # control, address, type
FRAME_MOST: Final = 261
ANSWER_BITS: Final = 330  # a meter begins to answer within so many bit times and ANSWER_S
ANSWER_S: Final = 0.05


def short(control: int, address: int) -> bytes:
    """Return a short frame."""
    return bytes((SHORT, control, address, control + address & 0xFF, STOP))


def payload(frame: bytes, address: int) -> bytes:
    """Return what a whole long frame carries, from its CI field on.

    Raises BadFrame for one that is damaged or another's, WrongDevice for one that is no answer.
    """
    where = f"M-Bus address {address}"
    if len(frame) < HEAD_BYTES + LENGTH_LEAST + 2 or frame[0] != LONG or frame[3] != LONG:
        raise BadFrame(f"{where}: {frame[:8].hex(' ')}.. is no telegram; check baud and parity")
    if frame[1] != frame[2] or len(frame) != frame[1] + HEAD_BYTES + 2 or frame[-1] != STOP:
        raise BadFrame(f"{where}: bytes are missing; do two meters have this address?")
    if sum(frame[HEAD_BYTES:-2]) & 0xFF != frame[-2]:
        raise BadFrame(f"{where}: checksum wrong; check wiring, load and length of the bus")
    control, sender = frame[4:6]
    if control not in RSP_UD:
        raise WrongDevice(f"{where}: control {control:#04x} is no answer of a meter")
    if address not in {sender, ANY}:
        raise BadFrame(f"{where}: address {sender} answered; is there another master?")
    return frame[6:-2]


def begins_s(line: SerialLine) -> float:
    """Return how long a meter may take to begin its answer."""
    return ANSWER_BITS / line.baud + ANSWER_S + LUMP_S


def reset_s(line: SerialLine) -> float:
    """Return how long a reset can take until it is given up, with an echo."""
    return 11 * character_s(line) + begins_s(line) + LUMP_S


def request_s(line: SerialLine) -> float:
    """Return how long the longest telegram can take until it is given up, with an echo."""
    return (10 + FRAME_MOST) * character_s(line) + begins_s(line) + 2 * LUMP_S


class Slave:
    """One meter on a cable that others may share. Used by the thread of the cable's bus."""

    def __init__(self, port: SerialPort, address: int) -> None:
        self._port, self._address = port, address
        self._character_s = character_s(port.line)
        self._fcb = FCB

    def reset(self) -> None:
        """Begin anew: the next telegram is the meter's first. Raises BusTimeout, BadFrame."""
        answer = self._asked(SND_NKE, len(ACK))
        if answer != ACK:
            raise BadFrame(
                f"M-Bus address {self._address}: {answer.hex()} instead of the acknowledgement e5; "
                "check baud and parity, and whether two meters have this address"
            )
        self._fcb = FCB

    def request(self) -> bytes:
        """Return the payload of the meter's next telegram, from its CI field on.

        Raises BusTimeout, BusError where the meter has nothing to say, BadFrame, WrongDevice.
        """
        return self.met()[1]

    def met(self) -> tuple[int, bytes]:
        """Return the address that answers, which is another one than ANY, and the payload.

        Raises as `request` does.
        """
        control = REQ_UD2 | self._fcb
        self._fcb ^= FCB
        head = self._asked(control, HEAD_BYTES)
        if head == ACK:
            raise BusError(f"M-Bus address {self._address}: the meter has no data; ask it later")
        size = head[1] + 2 if len(head) == HEAD_BYTES and head[0] == LONG else FRAME_MOST
        rest = self._port.receive(size, size * self._character_s + LUMP_S)
        data = payload(head + rest, self._address)
        return rest[1], data

    def _asked(self, control: int, size: int) -> bytes:
        """Ask, and return the first bytes of the answer. Raises BusTimeout where there is none."""
        asked = short(control, self._address)
        self._port.discard()
        self._port.write(asked)
        wait_s = (len(asked) + size) * self._character_s + begins_s(self._port.line)
        head = begun(self._port, asked, size, wait_s)
        if not head:
            raise BusTimeout(
                f"M-Bus address {self._address}: no answer; check the address, the speed, and that "
                "the bus has its 24 to 36 V"
            )
        return head
