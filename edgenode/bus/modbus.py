"""Modbus RTU, the master's side: requests, answers, and the silence between them.

Sources: MODBUS Application Protocol Specification V1.1b3 (functions 03 and 04, exception codes
§7) and MODBUS over Serial Line V1.02 (frame and silence §2.5.1.1, CRC §6.2.2). Nothing here
keeps a clock: all waiting is the port's. Nothing is sent twice: whoever calls may ask again.
"""

from __future__ import annotations

import math
import struct
from typing import Final

from edgenode.bus.echo import LUMP_S, begun, character_s
from edgenode.bus.wires import SerialPort
from edgenode.errors import BadFrame, BusError, BusTimeout, WrongDevice
from edgenode.reading import SerialLine

READ_HOLDING: Final = 0x03
READ_INPUT: Final = 0x04
REGISTERS_MOST: Final = 125  # of one request; many parts take fewer
ADDRESS_MOST: Final = 247
PROBED: Final = (1, 2, 3, 4, 5)  # where a scan looks; each silent one costs it `ANSWER_S`
ANY_ADDRESS: Final = 254  # of those reserved by §2.2: some parts alone on their line heed it
REQUEST_BYTES: Final = 8
EXCEPTION_BYTES: Final = 5  # the shortest answer there is
EXCEPTION_FLAG: Final = 0x80
SILENT_CHARACTERS: Final = 3.5
FAST_BAUD: Final = 19_200  # above it the silence is a time of its own
FAST_SILENCE_S: Final = 0.001_75
ANSWER_S: Final = 0.5  # a part that has not begun to answer by then will not
FRAME_MOST: Final = 256  # bytes; a line that speaks for longer is not ours alone

EXCEPTIONS: Final = {
    1: "does not know this function",
    2: "has no such registers",
    3: "does not give so many registers at once",
    4: "failed while reading its registers",
    5: "will answer later, which cannot be waited for",
    6: "is busy",
    8: "found its memory damaged",
    10: "is a gateway without a path to the part",
    11: "is a gateway, and the part behind it does not answer",
}
FOREIGN: Final = frozenset({1, 2, 3})  # the right part would not refuse so


def _crc_table() -> tuple[int, ...]:
    table = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


TABLE: Final = _crc_table()


def crc16(data: bytes) -> bytes:
    """Return CRC-16/MODBUS of `data` as two bytes, the low one first, as they are sent."""
    return remainder(data, 0xFFFF).to_bytes(2, "little")


def remainder(data: bytes, crc: int) -> int:
    """Return the CRC of `data` by the polynomial 0xA001 (reflected), going on from `crc`."""
    for byte in data:
        crc = crc >> 8 ^ TABLE[(crc ^ byte) & 0xFF]
    return crc


def request(address: int, function: int, first: int, count: int) -> bytes:
    """Return the frame that asks `address` (1..247, 254) for `count` registers from `first`.

    Raises ValueError for what no frame can ask.
    """
    if not 1 <= address <= ADDRESS_MOST and address != ANY_ADDRESS:
        raise ValueError(
            f"a Modbus address is 1 to {ADDRESS_MOST}, or {ANY_ADDRESS}, not {address}"
        )
    if not 1 <= count <= REGISTERS_MOST or not 0 <= first <= 0x1_0000 - count:
        raise ValueError(f"no request can ask for {count} registers from {first:#06x}")
    frame = struct.pack(">BBHH", address, function, first, count)
    return frame + crc16(frame)


def answer_bytes(count: int) -> int:
    """Return the length of an answer with `count` registers."""
    return EXCEPTION_BYTES + 2 * count


def parsed(answer: bytes, address: int, function: int, count: int) -> bytes:
    """Return the registers in an answer, two bytes each.

    Raises BadFrame for an answer that is damaged, cut short or another's; what the part says
    instead of registers raises WrongDevice where the right part would not say it, else BusError.
    """
    part = f"Modbus address {address}"
    if len(answer) < EXCEPTION_BYTES:
        raise BadFrame(f"{part}: only {answer.hex(' ')} came; check wiring and termination")
    if crc16(answer[:-2]) != answer[-2:]:
        raise BadFrame(
            f"{part}: checksum wrong or bytes missing in {len(answer)} bytes, "
            f"{answer[:8].hex(' ')}..; check baud, parity, wiring and termination"
        )
    if answer[0] != address:
        raise BadFrame(f"{part}: address {answer[0]} answered; is there another master?")
    if answer[1] == function | EXCEPTION_FLAG and len(answer) == EXCEPTION_BYTES:
        raise _said(part, answer[2])
    if answer[1] != function or len(answer) != answer_bytes(count) or answer[2] != 2 * count:
        raise BadFrame(f"{part}: {answer[:3].hex(' ')}.. answers another request; asking again")
    return answer[3:-2]


def _said(part: str, code: int) -> BusError | WrongDevice:
    words = EXCEPTIONS.get(code, "refuses without a known reason")
    if code in FOREIGN:
        return WrongDevice(
            f"{part}: the part {words} (exception {code}); is it the one that is configured?"
        )
    return BusError(f"{part}: the part {words} (exception {code})")


def silence_s(line: SerialLine) -> float:
    """Return how long a line must be silent before a frame: 3.5 characters, 1.75 ms if fast."""
    return FAST_SILENCE_S if line.baud > FAST_BAUD else SILENT_CHARACTERS * character_s(line)


def usual_s(line: SerialLine, count: int, gap_s: float, answer_s: float) -> float:
    """Return how long reading `count` registers takes where the part needs `answer_s` to begin."""
    characters = REQUEST_BYTES + answer_bytes(count)
    return max(gap_s, silence_s(line)) + characters * character_s(line) + answer_s


def longest_s(line: SerialLine, count: int, gap_s: float) -> float:
    """Return how long reading `count` registers can take until it is given up, with an echo."""
    quiet_s = max(gap_s, silence_s(line))
    waits = _rounds(line, quiet_s) * quiet_s + 2 * LUMP_S + ANSWER_S
    return usual_s(line, count, gap_s, ANSWER_S) + waits


def _rounds(line: SerialLine, quiet_s: float) -> int:
    """Return how often to listen for `quiet_s`, until the longest frame is over."""
    return math.ceil(FRAME_MOST * character_s(line) / quiet_s) + 1


class Slave:
    """One part on a line that others may share. Used by the thread of the line's bus.

    `gap_s` is the silence that the part wants before a request, where it wants more than Modbus.
    """

    def __init__(self, port: SerialPort, address: int, gap_s: float = 0.0) -> None:
        self._port, self._address = port, address
        self._character_s = character_s(port.line)
        self._silence_s = max(gap_s, silence_s(port.line))
        self._rounds = _rounds(port.line, self._silence_s)

    def read_input_registers(self, first: int, count: int) -> bytes:
        """Return `count` input registers from `first`, two bytes each; see `_read`."""
        return self._read(READ_INPUT, first, count)

    def read_holding_registers(self, first: int, count: int) -> bytes:
        """Return `count` holding registers from `first`, two bytes each; see `_read`."""
        return self._read(READ_HOLDING, first, count)

    def _read(self, function: int, first: int, count: int) -> bytes:
        """Ask once. Raises BusError, BusTimeout, BadFrame or WrongDevice."""
        asked = request(self._address, function, first, count)
        self._fall_silent()
        self._port.write(asked)
        head = self._head(asked)
        if head[1:2] == bytes((function | EXCEPTION_FLAG,)):
            return parsed(head, self._address, function, count)
        if head[:3] == bytes((self._address, function, 2 * count)):
            missing = answer_bytes(count) - len(head)
        else:
            missing = answer_bytes(count)  # whatever it is, hear it out to say what it was
        rest = self._port.receive(missing, missing * self._character_s + LUMP_S)
        return parsed(head + rest, self._address, function, count)

    def _fall_silent(self) -> None:
        """Wait for the silence before a frame; what is still said answers no request of ours."""
        self._port.discard()
        for _ in range(self._rounds):
            if not self._port.receive(FRAME_MOST, self._silence_s):
                return
        raise BusError(
            f"Modbus address {self._address}: the line never falls silent; is there another "
            "master, or no termination?"
        )

    def _head(self, asked: bytes) -> bytes:
        """Return the first bytes of the answer. Raises BusTimeout where there is none."""
        wait_s = (len(asked) + EXCEPTION_BYTES) * self._character_s + ANSWER_S
        head = begun(self._port, asked, EXCEPTION_BYTES, wait_s)
        if not head:
            raise BusTimeout(
                f"Modbus address {self._address}: no answer; check power, address, baud, and "
                "whether A and B are swapped"
            )
        return head
