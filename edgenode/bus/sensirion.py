"""Words as Sensirion's I2C sensors send them: 16 bits, big-endian, each followed by its CRC-8.

CRC: polynomial 0x31, initially 0xFF, not reflected, no final XOR (Sensirion SHT4x datasheet §4.4,
and the same in those of SCD4x, SGP4x, SPS30 and SEN5x). Known answer there: BE EF -> 92.
"""

from __future__ import annotations

from typing import Final

from edgenode.errors import BadFrame

POLYNOMIAL: Final = 0x31
INITIAL: Final = 0xFF
WORD_BYTES: Final = 3  # two of the word, one of its checksum


def crc8(data: bytes) -> int:
    """Return the checksum of `data`, 0..255."""
    crc = INITIAL
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ POLYNOMIAL if crc & 0x80 else crc << 1) & 0xFF
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
