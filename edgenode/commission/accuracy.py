"""How far two parts that measure the same may differ: what their datasheets state.

Typical accuracies over the range that air has; of a family the widest. Sources: BST-BME280-DS002,
BST-BMP280-DS001 and BST-BME680-DS001 table 1-2 (Bosch); SHT3x-DIS, SHT4x, SCD30, SCD4x, SEN5x,
SEN66 and SPS30 datasheets, chapter "Specifications" (Sensirion); SNIS036 (TI, TMP117); DS18B20
19-7487 (Analog Devices); PMS5003 V2.5 and SDS011 V1.3 (Plantower, Nova); MH-Z19B V1.0 (Winsen);
S8 PSP107 (Senseair).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from edgenode.commission.evidence import Measured


class Accuracy(NamedTuple):
    """±(absolute + share of the value), in the unit of the channel."""

    absolute: float
    share: float = 0.0

    def at(self, value: float) -> float:
        """Return how wrong such a value may be."""
        return self.absolute + self.share * abs(value)


_PARTICLES = Accuracy(10, 0.10)  # ±10 µg/m³ up to 100 µg/m³, ±10 % above: the sum is both
STATED: Final[dict[str, dict[str, Accuracy]]] = {  # model: quantity: accuracy
    "BME280": {"temperature": Accuracy(1.0), "humidity": Accuracy(3), "pressure": Accuracy(100)},
    "BMP280": {"temperature": Accuracy(1.0), "pressure": Accuracy(100)},
    "BME680": {"temperature": Accuracy(1.0), "humidity": Accuracy(3), "pressure": Accuracy(60)},
    "SHT3x": {"temperature": Accuracy(0.3), "humidity": Accuracy(3)},
    "SHT4x": {"temperature": Accuracy(0.2), "humidity": Accuracy(1.8)},
    "TMP117": {"temperature": Accuracy(0.15)},
    "DS18B20": {"temperature": Accuracy(0.5)},
    "SCD30": {
        "temperature": Accuracy(0.4, 0.023),
        "humidity": Accuracy(3),
        "co2": Accuracy(30, 0.03),
    },
    "SCD4x": {
        "temperature": Accuracy(1.5),
        "humidity": Accuracy(9),
        "co2": Accuracy(50, 0.05),
    },
    "SEN5x": {
        "pm25": Accuracy(5, 0.10),
        "pm10": Accuracy(25, 0.25),
        "temperature": Accuracy(0.7),
        "humidity": Accuracy(4.5),
    },
    "SEN66": {
        "pm25": Accuracy(5, 0.10),
        "pm10": Accuracy(25, 0.25),
        "temperature": Accuracy(0.7),
        "humidity": Accuracy(4.5),
        "co2": Accuracy(50, 0.05),
    },
    "SPS30": {"pm25": _PARTICLES, "pm10": Accuracy(25, 0.25)},
    "PMS5003": {"pm25": _PARTICLES},
    "PMS5003T": {"pm25": _PARTICLES},
    "PMS3003": {"pm25": _PARTICLES},
    "SDS011": {"pm25": Accuracy(10, 0.15), "pm10": Accuracy(10, 0.15)},
    "MH-Z19": {"co2": Accuracy(50, 0.05)},
    "S8": {"co2": Accuracy(40, 0.03)},
}


def accuracy(model: str, measured: Measured) -> float | None:
    """Return how wrong a reading may be, in its unit; None where nobody states it."""
    if measured.uncertainty is not None:
        return measured.uncertainty
    stated = STATED.get(model, {}).get(measured.channel.partition("/")[2])
    return None if stated is None or measured.value is None else stated.at(measured.value)
