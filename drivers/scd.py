"""What Sensirion's carbon dioxide sensors SCD30 and SCD4x have in common: what they may be told.

Datasheet: see drivers/scd30.py and drivers/scd4x.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from msgspec import Meta

from edgenode.driver import Options
from edgenode.reading import Channel

CARBON_DIOXIDE: Final = Channel(
    "co2", "ppm", 0, observed="AirQualityObserved/co2", low=0, high=40_000
)
HUMIDITY: Final = Channel(
    "humidity", "%RH", -1, observed="WeatherObserved/relativeHumidity", low=0, high=100
)

Altitude = Annotated[
    int,
    Meta(ge=0, le=3000, title="how high it stands above the sea", description="metres, 0 to 3000"),
]
Pressure = Annotated[
    int,
    Meta(
        ge=700,
        le=1200,
        title="pressure of the air, in place of altitude_m",
        description="hPa, 700 to 1200",
    ),
]
SelfCalibration = Annotated[
    bool, Meta(description="takes the lowest of a week for 400 ppm: for fresh air only")
]
Offset = Annotated[
    float, Meta(ge=0, le=20, title="how much warmer than the air it is", description="°C, 0 to 20")
]


class SCDOptions(Options, frozen=True):
    """What an installer may choose of each; what is left out stays as the part has it."""

    altitude_m: Altitude | None = None
    pressure_hpa: Pressure | None = None
    self_calibration: SelfCalibration | None = None
    temperature_offset_c: Offset | None = None

    def __post_init__(self) -> None:
        if self.altitude_m is not None and self.pressure_hpa is not None:
            raise ValueError("altitude_m and pressure_hpa say the same thing: give one of them")

    def offset(self, steps: float) -> int | None:
        """Return the temperature offset in a part's own steps, so many for each °C."""
        return (
            None if self.temperature_offset_c is None else round(self.temperature_offset_c * steps)
        )


def chosen(words: Mapping[int, int | None]) -> dict[int, int]:
    """Return the commands that set something, each with its word."""
    return {command: int(word) for command, word in words.items() if word is not None}
