"""Commands and words of Sensirion's I2C sensors: 16 bits, big-endian, each word with its CRC-8.

CRC: polynomial 0x31, initially 0xFF, not reflected, no final XOR (Sensirion SHT4x datasheet §4.4,
and the same in those of SCD4x, SGP4x, SPS30 and SEN5x). Known answer there: BE EF -> 92.
A command has no CRC of its own, its arguments have (SCD4x datasheet §3.2).
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from typing import Final

from edgenode.bus.wires import I2CDevice
from edgenode.errors import BadFrame, BusError, BusStuck, BusTimeout, WrongDevice

POLYNOMIAL: Final = 0x31
INITIAL: Final = 0xFF
WORD_BYTES: Final = 3  # two of the word, one of its checksum
TRIES: Final = 5  # of fetching an answer that is not ready
RETRY_S: Final = 0.002  # between two of them


def _remainder(crc: int) -> int:
    """Return what is left of one byte."""
    for _ in range(8):
        crc = (crc << 1 ^ POLYNOMIAL if crc & 0x80 else crc << 1) & 0xFF
    return crc


REMAINDERS: Final = bytes(_remainder(byte) for byte in range(256))


def crc8(data: bytes) -> int:
    """Return the checksum of `data`, 0..255."""
    crc = INITIAL
    for byte in data:
        crc = REMAINDERS[crc ^ byte]
    return crc


def words(data: bytes, where: str) -> list[int]:
    """Return the words in `data`, 0..65535 each; `where` begins the error.

    Raises BadFrame where a checksum is wrong or `data` is not made of whole words.
    """
    if not data or len(data) % WORD_BYTES:
        raise BadFrame(f"{where}: {len(data)} bytes came, which are no words of {WORD_BYTES}")
    found = []
    for at in range(0, len(data), WORD_BYTES):
        word, checksum = data[at : at + 2], data[at + 2]
        if crc8(word) != checksum:
            raise BadFrame(
                f"{where}: {data.hex(' ')} has a wrong checksum in byte {at + 3}; "
                "check cable length, pull-ups and supply"
            )
        found.append(int.from_bytes(word, "big"))
    return found


def packed(*arguments: int) -> bytes:
    """Return words of 0..65535 as they are sent behind a command, each with its checksum."""
    pairs = (argument.to_bytes(2, "big") for argument in arguments)
    return b"".join(pair + bytes((crc8(pair),)) for pair in pairs)


def floats(found: Sequence[int]) -> tuple[float, ...]:
    """Return the numbers that pairs of words are: IEEE 754, 32 bits, big-endian."""
    return struct.unpack(f">{len(found) // 2}f", struct.pack(f">{len(found)}H", *found))


def text(found: Sequence[int]) -> str:
    """Return the text that words hold, up to its first zero byte; what is not ASCII is "?"."""
    data, _, _ = struct.pack(f">{len(found)}H", *found).partition(b"\0")
    return data.decode("ascii", "replace").replace("\ufffd", "?")


def answers_unasked(wire: I2CDevice) -> bool:
    """Whether a part answers a read that no command came before; a chip of Sensirion's does not.

    Asked before a stranger is sent a command, which might mean something to it: a converter at
    such an address would take it for a voltage. Raises BusTimeout or BusStuck.
    """
    try:
        wire.transfer(b"", WORD_BYTES)
    except (BusTimeout, BusStuck):
        raise
    except BusError:
        return False
    return True


class Commands:
    """A sensor that takes commands of `width` bytes and answers in words.

    `where` begins every error. A busy part does not acknowledge: it is asked TRIES times for an
    answer, 2 ms apart.
    """

    def __init__(
        self, wire: I2CDevice, where: str, sleep: Callable[[float], None], width: int = 2
    ) -> None:
        self._wire, self._where, self._sleep, self._width = wire, where, sleep, width

    def send(self, command: int, *arguments: int, wait_s: float = 0.0) -> None:
        """Send a command with its arguments, and give the part `wait_s` to obey.

        Raises BusError where it is not acknowledged.
        """
        self._wire.transfer(command.to_bytes(self._width, "big") + packed(*arguments), 0)
        if wait_s:
            self._sleep(wait_s)

    def ask(self, command: int, count: int, *arguments: int, wait_s: float) -> list[int]:
        """Send a command; return the `count` words that the part has for it after `wait_s`.

        Raises BusError, BusTimeout where it takes the command and has no answer, or BadFrame.
        """
        self.send(command, *arguments, wait_s=wait_s)
        return words(self._fetched(command, count * WORD_BYTES), self._where)

    def identity(self, command: int, count: int, *, wait_s: float) -> list[int]:
        """Ask for what proves the part; words with wrong checksums are another part's.

        Raises BusError, BusTimeout as `ask` does, or WrongDevice.
        """
        try:
            return self.ask(command, count, wait_s=wait_s)
        except BadFrame as exc:
            raise WrongDevice(
                f"{exc}; command {self._named(command)} should have told what it is: "
                "check the address, what is soldered there, and the wiring"
            ) from exc

    def nudge(self, command: int, wait_s: float) -> None:
        """Send a command that the part need not acknowledge, such as the one that wakes it.

        Raises BusTimeout or BusStuck where the whole wire is held.
        """
        try:
            self.send(command)
        except (BusTimeout, BusStuck):
            raise
        except BusError:
            pass  # asleep or busy
        self._sleep(wait_s)

    def _fetched(self, command: int, length: int) -> bytes:
        for _ in range(TRIES):
            try:
                return self._wire.transfer(b"", length)
            except (BusTimeout, BusStuck):
                raise
            except BusError as exc:
                refusal = exc
            self._sleep(RETRY_S)
        raise BusTimeout(
            f"{self._where}: took command {self._named(command)} and has no answer ({refusal}); "
            "is the supply stable?"
        ) from refusal

    def _named(self, command: int) -> str:
        return f"0x{command:0{2 * self._width}x}"
