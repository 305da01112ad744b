"""Sensirion SGP40 (organic compounds) and SGP41 (and nitrogen oxides): raw ticks, and their index.

Datasheet: Sensirion SGP40 version 1.2 and SGP41 version 1.1: commands and times §3, compensation
by humidity and temperature §3 (table 10 of the SGP40: 50 %RH is 8000, 25 °C is 6666), conditioning
§3 of the SGP41. The feature set, by which the two are told apart, and the turning off of the
heater were taken from ESPHome's component sgp4x and Adafruit's adafruit_sgp40 and adafruit_sgp41;
that an SGP41's self-test counts by its four low bits alone, from Sensirion's driver for Arduino.

The index is computed by Sensirion's own sensirion-gas-index-algorithm, from a measurement each
second, whatever is read: it is what Sensirion means by it. It says how the air compares with that
of the last day, 100 being as usual for organic compounds and 1 for nitrogen oxides.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Annotated, Any, ClassVar, Final, Literal, Protocol

from msgspec import Meta

from edgenode.bus import I2CDevice
from edgenode.bus.sensirion import Commands
from edgenode.driver import Driver, Found, Grade, Life, Options, WireKind
from edgenode.errors import (
    BadFrame,
    BusStuck,
    BusTimeout,
    DriverError,
    ImpossibleValue,
    WrongDevice,
)
from edgenode.reading import Channel, Event, Quality, Sample

FEATURES, SERIAL, SELF_TEST, HEATER_OFF = 0x202F, 0x3682, 0x280E, 0x3615
CONDITION: Final = 0x2612
KINDS: Final = {0x0020: "SGP40", 0x0040: "SGP41"}  # by the nine low bits of the feature set
KIND_MASK: Final = 0x01FF
ASKING_S: Final = 0.002  # 1 ms by the datasheet
# 10 s are right and more does harm. It ends with the command after the last of them, a second
# later; the rest is for a bus that is held by somebody else just then.
CONDITIONING_S: Final = 7.0
LATE_S: Final = 2.5  # an older measurement is stale
SILENT_S: Final = 10.0  # without one for so long, the part is lost
FAILURES_MOST: Final = 5  # seconds in a row without a measurement; the index survives so many


class Engine(Protocol):
    """Sensirion's algorithm for one gas."""

    def process(self, s_sgp: int) -> int:
        """Take the ticks of one second; return the index, 0 in the first 45 s."""
        ...


def engines(where: str) -> tuple[Callable[[], Engine], ...]:
    """Return what makes the algorithm for each signal; `where` begins the error.

    Raises DriverError where the package is not installed.
    """
    try:
        from sensirion_gas_index_algorithm.nox_algorithm import (  # noqa: PLC0415 - optional
            NoxAlgorithm,
        )
        from sensirion_gas_index_algorithm.voc_algorithm import (  # noqa: PLC0415 - optional
            VocAlgorithm,
        )
    except ImportError as exc:
        raise DriverError(
            f"{where}: its index needs Sensirion's algorithm, which is not there ({exc}): "
            "pip install 'edgenode[gas]', or write index = false for raw ticks alone"
        ) from exc
    return (VocAlgorithm, NoxAlgorithm)


def climate(humidity: float, temperature: float) -> tuple[int, int]:
    """Return the ticks of %RH and °C that a measurement is compensated with.

    The scales end at 0 and 100 %RH, and at -45 and 130 °C.
    """
    humidity, temperature = min(max(humidity, 0), 100), min(max(temperature, -45), 130)
    return int(humidity * 65535 / 100 + 0.5), int((temperature + 45) * 65535 / 175 + 0.5)


class SGP4xOptions(Options, frozen=True):
    """What an installer may choose; the climate stands where `sources` names no other."""

    address: Annotated[Literal[0x59], Meta(description="its only one")] = 0x59
    index: Annotated[
        bool, Meta(description="compute the index as well; needs pip install 'edgenode[gas]'")
    ] = True
    humidity_percent: Annotated[
        float,
        Meta(ge=0, le=100, title="what raw ticks are compensated with", description="%RH"),
    ] = 50.0
    temperature_c: Annotated[
        float,
        Meta(ge=-45, le=130, title="what raw ticks are compensated with", description="°C"),
    ] = 25.0


def _ticks(name: str) -> Channel:
    return Channel(name, "1", 0, low=0, high=65_535)


def _index(name: str) -> Channel:
    return Channel(name, "1", 0, low=1, high=500)


class SGP4x(Driver):
    """One chip, measured each second; its heater is on as long as it is open."""

    wire: ClassVar[WireKind] = "i2c"
    options: ClassVar[type[Options]] = SGP4xOptions
    budget_s: ClassVar[float] = 0.25  # 60 ms as a rule; the rest is for a slow or busy bus
    fastest_s: ClassVar[float] = 1.0
    settle_s: ClassVar[float] = 120.0  # 45 s without an index, then it rises to its usual value
    addresses: ClassVar[tuple[int, ...]] = (0x59,)
    pace_s: ClassVar[float] = 1.0  # the algorithm knows no other
    life: ClassVar[Life | None] = Life(87_600, "cell")  # ten years
    grade: ClassVar[Grade] = "oracle"
    varies: ClassVar[bool] = True
    borrows: ClassVar[Mapping[str, str]] = {"humidity": "%RH", "temperature": "Cel"}
    signals: ClassVar[int]  # how many it measures
    measure: ClassVar[int]
    measuring_s: ClassVar[float]
    testing_s: ClassVar[float]
    verdict: ClassVar[tuple[int, int]]  # the bits that a self-test tells it by, if it is passed

    def __init__(
        self,
        wire: I2CDevice,
        options: SGP4xOptions,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._i2c, self._clock, self._declared = wire, clock, self.declare(options)
        self._where = f"{self.model} at 0x{options.address:02x}"
        self._part = Commands(wire, self._where, sleep)
        self._usual = {"humidity": options.humidity_percent, "temperature": options.temperature_c}
        self._air = dict(self._usual)
        self._prove_identity()
        made = engines(self._where)[: self.signals] if options.index else ()
        self._engines = [make() for make in made]
        self._part.send(HEATER_OFF, wait_s=ASKING_S)  # an earlier program may have conditioned it
        self._prove_health()
        self._began_s = clock()
        self._failures = 0
        self._ticks: tuple[int | None, ...] = (None,) * self.signals
        self._indices = [0] * len(self._engines)
        self._measure()

    @classmethod
    def declare(cls, options: Any) -> tuple[Channel, ...]:
        """Return the raw signals, and their indices where they are wanted."""
        return cls.channels if options.index else cls.channels[: cls.signals]

    def measures(self) -> tuple[Channel, ...]:
        """Return the channels that its options declare."""
        return self._declared

    @classmethod
    def identify(cls, wire: I2CDevice, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the part by its feature set; neither question changes anything."""
        part = Commands(wire, cls.model, sleep)
        try:
            (features,) = part.ask(FEATURES, 1, wait_s=ASKING_S)
            serial = part.ask(SERIAL, 3, wait_s=ASKING_S)
        except BadFrame:
            return None
        if KINDS.get(features & KIND_MASK) != cls.model:
            return None
        return Found(f"{cls.model}, serial number {''.join(f'{word:04x}' for word in serial)}")

    def fileno(self) -> int:
        """Return that there is nothing to wait on."""
        return -1

    def feed(self, now_ms: int) -> Sequence[Event]:
        """Measure. A failure costs its second; raises BusError or BadFrame after some in a row."""
        del now_ms  # a measurement on request is about now by itself
        try:
            self._measure()
        except BusStuck:
            raise
        except DriverError:
            self._failures += 1
            if self._failures >= FAILURES_MOST:
                raise
        else:
            self._failures = 0
        return ()

    def read(self, now_ms: int) -> Sample:
        """Return the newest measurement. Raises BusTimeout if it is too old."""
        del now_ms
        age_s = self._clock() - self._measured_s
        if age_s > SILENT_S:
            raise BusTimeout(
                f"{self._where}: not measured for {age_s:.0f} s; is its bus held by another part?"
            )
        values = (*self._ticks, *(index or None for index in self._indices))
        mark = Quality.STALE if age_s > LATE_S else Quality.OK
        quality = tuple(Quality.SETTLING if value is None else mark for value in values)
        return Sample(values, quality if set(quality) != {Quality.OK} else ())

    def lend(self, quantity: str, value: float | None) -> None:
        """Compensate with this from the next measurement on."""
        self._air[quantity] = self._usual[quantity] if value is None else value

    def close(self) -> None:
        """Turn the heater off and give the descriptor back."""
        with suppress(DriverError):  # of a wire that fails; the next opening does it
            self._part.send(HEATER_OFF)
        self._i2c.close()

    def _measure(self) -> None:
        command, count = self._command()
        words = self._part.ask(command, count, *climate(**self._air), wait_s=self.measuring_s)
        self._ticks = (*words, *(None,) * (self.signals - count))
        self._measured_s = self._clock()
        for n, (engine, ticks) in enumerate(zip(self._engines, words, strict=False)):
            self._indices[n] = engine.process(ticks)

    def _command(self) -> tuple[int, int]:
        """Return the command to measure by, and how many words answer it."""
        return self.measure, self.signals

    def _prove_identity(self) -> None:
        (features,) = self._part.identity(FEATURES, 1, wait_s=ASKING_S)
        kind = KINDS.get(features & KIND_MASK, "")
        if kind != self.model:
            hint = f'write driver = "{kind.lower()}"' if kind else "check the address"
            raise WrongDevice(f"{self._where}: its feature set is 0x{features:04x}; {hint}")

    def _prove_health(self) -> None:
        (result,) = self._part.ask(SELF_TEST, 1, wait_s=self.testing_s)
        meant, passed = self.verdict
        if result & meant != passed:
            raise ImpossibleValue(
                f"{self._where}: failed its self-test (0x{result:04x}); exchange the part"
            )


class SGP40(SGP4x):
    """One cell, for organic compounds."""

    model: ClassVar[str] = "SGP40"
    channels: ClassVar[tuple[Channel, ...]] = (_ticks("sraw_voc"), _index("voc_index"))
    signals: ClassVar[int] = 1
    measure: ClassVar[int] = 0x260F
    measuring_s: ClassVar[float] = 0.03
    testing_s: ClassVar[float] = 0.25
    verdict: ClassVar[tuple[int, int]] = (0xFFFF, 0xD400)


class SGP41(SGP4x):
    """Two cells; that for nitrogen oxides is conditioned at first."""

    model: ClassVar[str] = "SGP41"
    channels: ClassVar[tuple[Channel, ...]] = (
        *(_ticks("sraw_voc"), _ticks("sraw_nox")),
        *(_index("voc_index"), _index("nox_index")),
    )
    signals: ClassVar[int] = 2
    measure: ClassVar[int] = 0x2619
    measuring_s: ClassVar[float] = 0.055
    testing_s: ClassVar[float] = 0.32
    verdict: ClassVar[tuple[int, int]] = (0x000F, 0)  # a bit for each cell that failed

    def _command(self) -> tuple[int, int]:
        conditions = self._clock() - self._began_s < CONDITIONING_S
        return (CONDITION, 1) if conditions else super()._command()
