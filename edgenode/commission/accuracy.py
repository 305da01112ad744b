"""How far two parts that measure the same may differ: what their makers state.

Each row has its source beside it. Where a maker states one figure for 25 °C and wider ones for the
cold, the widest within -40 to 50 °C is here, and of a family under one driver that of its worst
member: a twin that is called wrong sends somebody up a pole. Where "the larger of both" is stated,
the sum of both stands for it. Of the PMS3003 and the PMS5003T, and of PM10 of the PMS5003, nothing
stated was found; they are not compared.
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


# Sensirion's SPS30, SEN5x and SEN6x datasheets, "mass concentration precision": up to 100 µg/m³ and
# above, PM1 and PM2.5 ±(5 µg/m³ + 5 %) and ±10 %, PM4 and PM10 ±25 µg/m³ and ±25 %.
_FINE: Final = Accuracy(5, 0.10)
_COARSE: Final = Accuracy(25, 0.25)
STATED: Final[dict[str, dict[str, Accuracy]]] = {  # model: quantity: accuracy
    # BST-BME280-DS001-23 table 4 (-40 to -20 °C; ±0.5 from 0), table 2, table 3 (-20 to 0 °C).
    "BME280": {"temperature": Accuracy(1.5), "humidity": Accuracy(3), "pressure": Accuracy(170)},
    # BST-BMP280-DS001-11 table 2: temperature for 0 to 65 °C, pressure for -20 to 0 °C.
    "BMP280": {"temperature": Accuracy(1.0), "pressure": Accuracy(170)},
    # BST-BME680-DS001-00 tables 6 to 8, for 0 to 65 °C; the cold is not stated.
    "BME680": {"temperature": Accuracy(1.0), "humidity": Accuracy(3), "pressure": Accuracy(60)},
    # SHT3x-DIS 0.9 table 1 (SHT30; newer issues say ±2) and page 1 (newer: ±0.2 from 0 °C).
    "SHT3x": {"temperature": Accuracy(0.3), "humidity": Accuracy(3)},
    # SHT4x 6 tables 1 and 2: SHT40, typical.
    "SHT4x": {"temperature": Accuracy(0.2), "humidity": Accuracy(1.8)},
    # SNOSD82 chapter 1: the most from -40 to 70 °C.
    "TMP117": {"temperature": Accuracy(0.15)},
    # DS1822 page 1, ±2 from -10 to 85 °C; it has the DS18B20's driver. The DS18B20: ±0.5.
    "DS18B20": {"temperature": Accuracy(2.0)},
    # SCD30 1.0 chapter 1: ±(0.4 + 0.023 |T - 25|) from 0 to 50 °C, so ±0.98 at either end.
    "SCD30": {
        "temperature": Accuracy(1.0),
        "humidity": Accuracy(3),
        "co2": Accuracy(30, 0.03),
    },
    # SCD4x 1.3 chapter 1: SCD40 up to 2,000 ppm; the whole range of -10 to 60 °C.
    "SCD4x": {
        "temperature": Accuracy(1.5),
        "humidity": Accuracy(9),
        "co2": Accuracy(50, 0.05),
    },
    # SEN5x datasheet chapter 2, typical, as the project ThunderFly TFPM02 quotes it.
    "SEN5x": {
        "pm25": _FINE,
        "pm10": _COARSE,
        "temperature": Accuracy(0.45),
        "humidity": Accuracy(4.5),
    },
    # SEN6x datasheet, typical, as public ESPHome components quote it; CO2 above 2,000 ppm ±5 %.
    "SEN66": {
        "pm25": _FINE,
        "pm10": _COARSE,
        "temperature": Accuracy(0.45),
        "humidity": Accuracy(4.5),
        "co2": Accuracy(50, 0.05),
    },
    # SPS30 0.9 chapter 1: ±10 µg/m³ up to 100 µg/m³; parts of that time are on the street.
    "SPS30": {"pm25": Accuracy(10, 0.10), "pm10": _COARSE},
    # PMS5003 2.3, "Technical Index": ±10 up to 100 µg/m³, ±10 % up to 500; of PM2.5 only.
    "PMS5003": {"pm25": Accuracy(10, 0.10)},
    # SDS011 1.3: the larger of ±15 % and ±10 µg/m³, at 25 °C and 50 %RH.
    "SDS011": {"pm25": Accuracy(10, 0.15), "pm10": Accuracy(10, 0.15)},
    # MH-Z19B: ±(50 ppm + 5 %) in the first manuals, ±(50 ppm + 3 %) in later ones.
    "MH-Z19": {"co2": Accuracy(50, 0.05)},
    # Senseair PSP126 table 1 (S8 LP, 004-0-0053).
    "S8": {"co2": Accuracy(40, 0.03)},
}


def accuracy(model: str, measured: Measured) -> float | None:
    """Return how wrong a reading may be, in its unit; None where nobody states it."""
    if measured.uncertainty is not None:
        return measured.uncertainty
    stated = STATED.get(model, {}).get(measured.channel.partition("/")[2])
    return None if stated is None or measured.value is None else stated.at(measured.value)
