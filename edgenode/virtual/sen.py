"""What Sensirion's sensor nodes SEN5x and SEN6x have in common, from the node's side.

SEN5x datasheet version 2 §6.1 and SEN6x datasheet version 1 §4.8: idle until it is told to
measure; then it measures each second and keeps the newest for whoever asks. What it does not know
is 0xFFFF in an unsigned word and 0x7FFF in a signed one. Errors stay until they are cleared.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.sensirion import Commanded
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

START, STOP, READY, NAME, SERIAL = 0x0021, 0x0104, 0x0202, 0xD014, 0xD033
STATUS, STATUS_AND_CLEAR, CLEAN, RESET = 0xD206, 0xD210, 0x5607, 0xD304
ASKING_S: Final = 0.02
STARTING_S: Final = 0.05
SECOND_NS: Final = 1_000_000_000
FIRST_NS: Final = 1_100_000_000  # after the start
NOX_NS: Final = 11_000_000_000  # after power-on
CLEANING_NS: Final = 10 * SECOND_NS
TEXT_BYTES: Final = 32
UNKNOWN, UNKNOWN_SIGNED = 0xFFFF, 0x7FFF
ERRORS: Final = 0xFFFF  # the bits of the status that stay; warnings stand above them


class NodeSpec(Table, frozen=True):
    """What is played.

    No recorded series holds particles or indices: carbon monoxide and nitrogen dioxide of the
    road, scaled, stand in for them. `status` are the bits of what is broken.
    """

    sensor: str
    bus: str = "i2c"
    every_ms: Period = 1000
    status: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0
    pm1: Play = Play("air_uci:CO_GT", gain=7, decimals=1)
    pm25: Play = Play("air_uci:CO_GT", gain=10, decimals=1)
    pm4: Play = Play("air_uci:CO_GT", gain=12, decimals=1)
    pm10: Play = Play("air_uci:CO_GT", gain=14, decimals=1)
    humidity: Play = Play("air_uci:RH", decimals=2)
    temperature: Play = Play("air_uci:T", decimals=2)
    voc_index: Play = Play("air_uci:CO_GT", gain=30, offset=40, decimals=1)
    nox_index: Play = Play("air_uci:NO2_GT", gain=0.2, offset=1, decimals=1)


class VirtualNode(Commanded):
    """One node. `flags` are its status, which a test may set; `broken` bits come back at once."""

    quantities: ClassVar[tuple[str, ...]] = (
        "pm1", "pm25", "pm4", "pm10", "humidity", "temperature", "voc_index", "nox_index",
    )  # fmt: skip
    read_command: ClassVar[int]
    stopping_s: ClassVar[float]
    resetting_s: ClassVar[float]

    def __init__(self, spec: Any, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns)
        self.flags = self.broken = spec.status
        self._power_up(start_ns - int(self.resetting_s * SECOND_NS))  # it had power before

    def _power_up(self, now_ns: int) -> None:
        self.flags = self.broken
        self._powered_ns = now_ns
        self._answer, self._told = b"", None
        self._began_ns: int | None = None  # of the measurement; None: idle
        self._read_n = -1  # the measurement that was read last
        self._cleaned_ns: int | None = None
        self._work(self.resetting_s, now_ns)

    def _obey(self, command: int, arguments: list[int], now_ns: int) -> None:
        self._work(ASKING_S, now_ns)
        if command == START:
            self._work(STARTING_S, now_ns)
            self._began_ns = now_ns if self._began_ns is None else self._began_ns
            self._read_n = -1
        elif command == STOP:
            self._work(self.stopping_s, now_ns)
            self._began_ns = None
        elif command == RESET:
            self._power_up(now_ns)
        elif command == READY:
            self._say(int(self._n(now_ns) > self._read_n))
        elif command == self.read_command:
            self._say(*self._words(now_ns))
            self._read_n = self._n(now_ns)
        elif command in {STATUS, STATUS_AND_CLEAR}:
            self._tell_status(now_ns, clear=command == STATUS_AND_CLEAR)
        elif command == NAME:
            self._say_text(self.spec.product, TEXT_BYTES)
        elif command == SERIAL:
            self._say_text(self.spec.serial, TEXT_BYTES)
        else:
            self._obey_more(command, arguments, now_ns)

    def _obey_more(self, command: int, arguments: list[int], now_ns: int) -> None:
        """Obey what only this model knows."""
        del command, arguments, now_ns
        self._refuse()

    def _tell_status(self, now_ns: int, *, clear: bool) -> None:
        flags = self.flags | self.broken | self._passing(now_ns)
        self._say(flags >> 16, flags & 0xFFFF)
        if clear:
            self.flags &= ~ERRORS

    def _passing(self, now_ns: int) -> int:
        """Return the bits that are set only as long as something lasts."""
        del now_ns
        return 0

    def _n(self, now_ns: int) -> int:
        """Return the number of the newest measurement; -1 before the first."""
        if self._began_ns is None:
            return -1
        if self._cleaned_ns is not None:  # while the fan is blown free nothing is measured
            lasts = now_ns < self._cleaned_ns + CLEANING_NS
            now_ns = self._cleaned_ns if lasts else now_ns
        return (now_ns - self._began_ns - FIRST_NS) // SECOND_NS

    def _measured(self, now_ns: int) -> tuple[float, ...] | None:
        """Return what it measured last; None before the first."""
        n = self._n(now_ns)
        if n < 0 or self._began_ns is None:
            return None
        return self._values(self._began_ns + FIRST_NS + n * SECOND_NS)

    def _words(self, now_ns: int) -> list[int]:
        """Return the eight words that all models begin with."""
        values = self._measured(now_ns)
        self._told = values
        if values is None:
            return [UNKNOWN] * 4 + [UNKNOWN_SIGNED] * 4
        words = [_unsigned(10 * value) for value in values[:4]]
        words += [_signed(100 * values[4]), _signed(200 * values[5]), _signed(10 * values[6])]
        warm = now_ns >= self._powered_ns + NOX_NS
        return [*words, _signed(10 * values[7]) if warm else UNKNOWN_SIGNED]


def _unsigned(scaled: float) -> int:
    return min(max(round(scaled), 0), UNKNOWN - 1)


def _signed(scaled: float) -> int:
    return min(max(round(scaled), -0x8000), UNKNOWN_SIGNED - 1) & 0xFFFF
