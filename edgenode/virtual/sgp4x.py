"""An SGP40 or SGP41 as its I2C commands: what Sensirion's datasheets of both (§3 to §4) say.

Each measurement brings the temperature and humidity that it is compensated with; what is played is
compensated already. The nitrogen oxide cell of an SGP41 must not be conditioned for longer than
10 s: `conditioned_ns` is how long it ever was without a break. The feature set of an SGP41 is not
in its datasheet; 0x3240 fits Adafruit's and ESPHome's drivers.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Literal

from msgspec import Meta

from edgenode.virtual.kinds import Period, Table
from edgenode.virtual.sensirion import Commanded
from edgenode.virtual.series import Play
from edgenode.virtual.truth import Truth

FEATURES, SERIAL, SELF_TEST, HEATER_OFF = 0x202F, 0x3682, 0x280E, 0x3615
FEATURE_SETS: Final = {"sgp40": 0x3220, "sgp41": 0x3240}
TESTING_S: Final = {"sgp40": 0.25, "sgp41": 0.32}
# Commands that measure: how long they take, and how many signals they give.
MEASURE: Final = {"sgp40": {0x260F: (0.03, 1)}, "sgp41": {0x2612: (0.05, 1), 0x2619: (0.05, 2)}}
CONDITION: Final = 0x2612
PASSED: Final = 0xD400


class Sgp4xSpec(Table, frozen=True, tag_field="kind", tag="sgp4x"):
    """[[instrument]] kind = "sgp4x": raw ticks, one row of its series each `every_ms`.

    No recorded series holds ticks: fewer for more carbon monoxide of the road stand in for those
    of organic compounds, more for more nitrogen dioxide for those of nitrogen oxides.
    """

    sensor: str
    bus: str = "i2c"
    address: Literal[0x59] = 0x59
    every_ms: Period = 1000
    model: Literal["sgp40", "sgp41"] = "sgp40"
    sraw_voc: Play = Play("air_uci:CO_GT", gain=-300, offset=31_000, decimals=0)
    sraw_nox: Play = Play("air_uci:NO2_GT", gain=5, offset=15_000, decimals=0)
    serial: Annotated[int, Meta(ge=0, le=0xFFFF_FFFF)] = 0x0A1B_2C3D


class VirtualSGP4x(Commanded):
    """One chip that plays gas; misbehaves on command and logs what it answered."""

    quantities: ClassVar[tuple[str, ...]] = ("sraw_voc", "sraw_nox")

    def __init__(self, spec: Sgp4xSpec, truth: Truth, start_ns: int) -> None:
        super().__init__(spec, truth, start_ns)
        self._commands = MEASURE[spec.model]
        self.conditioned_ns = 0
        self.climate: tuple[int, ...] = ()  # ticks that the newest measurement brought
        self._power_up(start_ns)

    def _power_up(self, now_ns: int) -> None:
        self._answer, self._told = b"", None
        self._conditions_ns: int | None = None  # since when without a break
        self._busy_ns = now_ns

    def _obey(self, command: int, arguments: list[int], now_ns: int) -> None:
        if command in self._commands and len(arguments) == 2:
            self._measure(command, arguments, now_ns)
        elif arguments:
            self._refuse()
        elif command == FEATURES:
            self._work(0.001, now_ns)
            self._say(FEATURE_SETS[self.spec.model])
        elif command == SERIAL:
            self._work(0.001, now_ns)
            self._say(0, self.spec.serial >> 16, self.spec.serial & 0xFFFF)
        elif command == SELF_TEST:
            self._condition(now_ns, on=False)
            self._work(TESTING_S[self.spec.model], now_ns)
            self._say(PASSED)
        elif command == HEATER_OFF:
            self._condition(now_ns, on=False)
            self._work(0.001, now_ns)
        else:
            self._refuse()

    def _measure(self, command: int, arguments: list[int], now_ns: int) -> None:
        self._condition(now_ns, on=command == CONDITION)
        took_s, signals = self._commands[command]
        self.climate = tuple(arguments)
        self._work(took_s, now_ns)
        self._told = self._values(now_ns)[:signals]
        self._say(*(min(max(round(value), 0), 0xFFFF) for value in self._told))

    def _condition(self, now_ns: int, *, on: bool) -> None:
        """Begin, go on or end to condition, and note how long it has lasted."""
        if self._conditions_ns is not None:
            self.conditioned_ns = max(self.conditioned_ns, now_ns - self._conditions_ns)
        if not on:
            self._conditions_ns = None
        elif self._conditions_ns is None:
            self._conditions_ns = now_ns

    def _log(self, values: tuple[float, ...], at_ns: int, fate: Any) -> None:
        for quantity, value in zip(self.quantities, values, strict=False):
            self._note(quantity, value, at_ns, fate)

    def _values(self, now_ns: int) -> tuple[float, ...]:
        row = self._row(now_ns)
        both = self.spec.sraw_voc.value(row), self.spec.sraw_nox.value(row)
        return both if self.spec.model == "sgp41" else both[:1]
