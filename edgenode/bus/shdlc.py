"""SHDLC, in which Sensirion's parts are asked over a UART: frames, stuffing, the master's side.

Source: Sensirion SPS30 datasheet version 2.0, §5.1 and §5.2 (frames, stuffing, checksum, state
bytes), which says the same as Sensirion's SHDLC application notes. A frame is 0x7E, address,
command, in answers a state, length, data, checksum, 0x7E. Nothing here keeps a clock: all waiting
is the port's. Nothing is sent twice: whoever calls may ask again.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from edgenode.bus.echo import character_s
from edgenode.bus.wires import SerialPort
from edgenode.errors import BadFrame, BusError, BusTimeout, WrongDevice

EDGE: Final = b"\x7e"
ESCAPE: Final = 0x7D
FLIP: Final = 0x20
STUFFED: Final = frozenset((0x7E, 0x7D, 0x11, 0x13))  # the last two are XON and XOFF
DATA_MOST: Final = 255
HEAD_BYTES: Final = 4  # of an answer: address, command, state, length
SHORTEST: Final = HEAD_BYTES + 3  # with checksum and both edges
UNWELL: Final = 0x80  # of the state: the part's own status register has an error
NOT_NOW: Final = 0x43
UNKNOWN: Final = 0x02
STATES: Final = {
    0x01: "finds this command of the wrong length",
    UNKNOWN: "does not know this command",
    0x03: "does not permit this command",
    0x04: "finds a parameter out of range",
    0x28: "finds an argument of its own out of range",
    NOT_NOW: "does not take this command in its present state",
}
ANSWER_S: Final = 0.1  # a part that has not begun to answer by then will not
LUMP_S: Final = 0.05  # USB adapters pass bytes on in lumps, by 16 ms as a rule
ROUNDS: Final = 10  # of 255 bytes all of which are stuffed each brings half of what is missing


class NotNow(BusError):
    """The part is not in the state in which it takes this command."""


class Answer(NamedTuple):
    """What a part answered."""

    data: bytes
    unwell: bool  # its own status register has an error


def checksum(content: bytes) -> int:
    """Return the inverted low byte of the sum of all between the edges and before itself."""
    return ~sum(content) & 0xFF


def stuffed(content: bytes) -> bytes:
    """Return the content without bytes that would mean something to the line."""
    made = bytearray()
    for byte in content:
        made += bytes((ESCAPE, byte ^ FLIP)) if byte in STUFFED else bytes((byte,))
    return bytes(made)


def unstuffed(content: bytes) -> bytes:
    """Return what was stuffed; an escape at the end waits for its other half.

    Raises BadFrame where nothing that must be escaped follows an escape.
    """
    head, *rest = content.split(bytes((ESCAPE,)))
    made = bytearray(head)
    for n, piece in enumerate(rest, 1):
        if not piece and n == len(rest):
            break
        if not piece or piece[0] ^ FLIP not in STUFFED:
            raise BadFrame(f"SHDLC: 7d {piece[:1].hex()} stands for no byte; asking again")
        made += bytes((piece[0] ^ FLIP,)) + piece[1:]
    return bytes(made)


def request(address: int, command: int, data: bytes = b"") -> bytes:
    """Return the frame that asks for a command. Raises ValueError for what no frame can hold."""
    if len(data) > DATA_MOST:
        raise ValueError(f"a frame holds {DATA_MOST} bytes, not {len(data)}")
    content = bytes((address, command, len(data))) + data
    return EDGE + stuffed(content + bytes((checksum(content),))) + EDGE


def missing(content: bytes) -> int:
    """Return how many bytes must follow what has come since the first edge, the last included."""
    whole = unstuffed(content)
    length = whole[HEAD_BYTES - 1] if len(whole) >= HEAD_BYTES else 0
    return max(1, HEAD_BYTES + length + 2 - len(whole))


class Device:
    """One part that has its port to itself. Used by the thread of the port's bus.

    `part` begins each error.
    """

    def __init__(self, port: SerialPort, part: str, address: int = 0) -> None:
        self._port, self._part, self._address = port, part, address
        self._character_s = character_s(port.line)

    def ask(self, command: int, data: bytes = b"") -> Answer:
        """Return what is answered to a command; asks once.

        Raises BusError, BusTimeout, BadFrame, NotNow, and WrongDevice for a command that the part
        does not know.
        """
        self._port.discard()
        self._port.write(request(self._address, command, data))
        try:
            return self._parsed(unstuffed(self._content()), command)
        except BadFrame as exc:
            raise BadFrame(f"{self._part}: {exc}") from exc

    def _content(self) -> bytes:
        """Return what stands between the two edges of an answer."""
        heard = self._port.receive(SHORTEST, SHORTEST * self._character_s + ANSWER_S)
        if not heard:
            raise BusTimeout(
                f"{self._part}: no answer; check its 5 V, that SEL is open, and its RX and TX"
            )
        for _ in range(ROUNDS):
            content, edge, _ = heard.partition(EDGE)[2].lstrip(EDGE).partition(EDGE)
            if edge:
                return content
            left = missing(content)
            more = self._port.receive(left, left * self._character_s + LUMP_S)
            if not more:
                break
            heard += more
        raise BadFrame(
            f"no whole frame in {len(heard)} bytes, {heard[:8].hex(' ')}..; "
            "check the baud rate and the ground wire"
        )

    def _parsed(self, whole: bytes, command: int) -> Answer:
        if len(whole) <= HEAD_BYTES or checksum(whole[:-1]) != whole[-1]:
            raise BadFrame(f"checksum wrong in {whole[:8].hex(' ')}..; asking again")
        address, answered, state, length = whole[:HEAD_BYTES]
        data = whole[HEAD_BYTES:-1]
        if (address, answered, length) != (self._address, command, len(data)):
            raise BadFrame(f"{whole[:HEAD_BYTES].hex(' ')}.. answers another request; asking again")
        code = state & ~UNWELL
        if code:
            raise self._said(command, code)
        return Answer(data, bool(state & UNWELL))

    def _said(self, command: int, code: int) -> BusError | WrongDevice:
        words = f"{self._part}: it {STATES.get(code, 'refuses without a known reason')}"
        said = f"{words} (command 0x{command:02x}, state 0x{code:02x})"
        if code == NOT_NOW:
            return NotNow(said)
        if code == UNKNOWN:
            return WrongDevice(f"{said}; is it the part that is configured?")
        return BusError(said)
