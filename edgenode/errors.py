"""Every error edgenode raises on purpose, sorted by who is at fault: node, driver, wire or city.

Anything else that escapes is a bug and ends the daemon, which systemd then starts anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import IntEnum
from typing import ClassVar


class Code(IntEnum):
    """A code of docs/wire-format.md."""

    @property
    def word(self) -> str:
        """Its name there, such as no-answer."""
        return self.name.lower().replace("_", "-")


class Reason(Code):
    """Why a read failed; the codes of docs/wire-format.md, "Reasons of a failed read"."""

    NO_ANSWER = 1
    BAD_CHECKSUM = 2
    WRONG_DEVICE = 3
    TIMEOUT = 4
    BUS_STUCK = 5
    IMPOSSIBLE_VALUE = 6
    SETTLING = 7
    DRIVER_DEFECT = 8  # the driver's code failed, not the sensor


class EdgenodeError(Exception):
    """Base of all deliberate errors."""


class NodeError(EdgenodeError):
    """The node's own configuration, disk or surroundings are at fault."""


class ConfigError(NodeError):
    """The configuration cannot be used; `problems` holds one sentence per mistake."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class ProvisionError(ConfigError):
    """A node.json, or a key that vouches for it, cannot be used; `problems` as in ConfigError."""


class SpoolError(NodeError):
    """The spool cannot do what was asked; the message says what to do next."""


class FlashError(NodeError):
    """An image cannot be written to a device; the message says what to do next."""


class DriverError(EdgenodeError):
    """The sensor, not the software, is at fault: discard the driver and reopen it with backoff."""

    reason: ClassVar[Reason] = Reason.NO_ANSWER


class BusError(DriverError):
    """The wire failed: no acknowledge, a short read, a port that vanished."""


class BusTimeout(BusError):
    """The wire or the sensor did not answer in time."""

    reason: ClassVar[Reason] = Reason.TIMEOUT


class BusStuck(BusError):
    """The whole wire is held (SDA or SCL low), not one sensor on it."""

    reason: ClassVar[Reason] = Reason.BUS_STUCK


class WrongDevice(DriverError):
    """Something answered, but it is not the device the configuration names."""

    reason: ClassVar[Reason] = Reason.WRONG_DEVICE


class BadFrame(DriverError):
    """Bytes arrived, but they cannot be a measurement: checksum or length is wrong."""

    reason: ClassVar[Reason] = Reason.BAD_CHECKSUM


class ImpossibleValue(DriverError):
    """The frame is intact and its value cannot be: the sensor's own "invalid" mark, or nonsense."""

    reason: ClassVar[Reason] = Reason.IMPOSSIBLE_VALUE


class WireError(EdgenodeError):
    """Bytes from the network or from disk are not valid edge-batch v1."""


class UnknownVersion(WireError):
    """A message of another version: keep the raw bytes, do not acknowledge."""


class CityError(EdgenodeError):
    """The broker or the City OS refused, or answered what it may not."""


COMPARED = 64  # words, and letters of a word: comparing takes the product of lengths


def nearest(word: str, known: Iterable[str]) -> str:
    """Return the known word that was likely meant, for "did you mean"; "" where none is near.

    Long texts are compared by their beginnings, and with few others, so that it takes no time
    that anybody notices.
    """
    from difflib import get_close_matches  # noqa: PLC0415 - only for what was mistyped

    alike = sorted(known, key=lambda other: abs(len(other) - len(word)))[:COMPARED]
    heads = {other[:COMPARED]: other for other in reversed(alike)}
    found = get_close_matches(word[:COMPARED], heads, 1)
    return heads[found[0]] if found else ""
