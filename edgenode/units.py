"""Units as data: what a channel says, and the same in SenML, UCUM and UN/CEFACT codes.

Sources: SenML units are those of RFC 8428, section 12.1, and RFC 8798, section 2; what RFC 8798,
section 3, calls secondary units SHOULD NOT be sent, so they are converted into the primary one.
UCUM: ucum.org, version 2.1. Common codes: UN/CEFACT Recommendation 20, revision 17 (2021), Annexes
II and III. Factors follow from the SI brochure, 9th edition; the hour has 3600 s.

Beware: SenML's "%" is no percentage but a ratio, and "%RH" is one (RFC 8428, section 12.1, note 1).
Here "%" is that of UCUM, 0 to 100.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Final, NamedTuple


class Unit(NamedTuple):
    """One unit that a channel may have; `factor` of it are one of the base of its dimension."""

    symbol: str  # as channels write it
    dimension: str  # only units of one dimension can be converted into each other
    factor: Fraction  # a value times this is in the base unit of the dimension
    ucum: str
    code: str  # UN/CEFACT common code
    name: str  # of that code
    senml: str = ""  # a primary unit of SenML; "" where the registry has none
    senml_factor: Fraction = Fraction(1)  # a value times this is in that unit
    senml_offset: int = 0  # and then plus this
    code_factor: Fraction = Fraction(1)  # a value times this is in the unit of the code


class UnknownUnit(ValueError):
    """A unit is not in the table, or cannot be converted into the other."""


# Dimension, and its base; then symbol, factor, UCUM, code, the code's name. A factor of SenML is
# that of the dimension where the base is a primary unit of SenML.
_ROWS: Final[tuple[tuple[str, str, tuple[tuple[str, str, str, str, str], ...]], ...]] = (
    ("temperature", "Cel", (("Cel", "1", "Cel", "CEL", "degree Celsius"),)),
    ("temperature difference", "K", (("K", "1", "K", "KEL", "kelvin"),)),
    ("ratio", "/", (
        ("/", "1", "1", "C62", "one"),
        ("1", "1", "1", "C62", "one"),
        ("%", "1/100", "%", "P1", "percent"),
        ("ppm", "1/1000000", "[ppm]", "59", "part per million"),
        ("[ppm]", "1/1000000", "[ppm]", "59", "part per million"),
        ("ppb", "1/1000000000", "[ppb]", "61", "part per billion (US)"),
        ("[ppb]", "1/1000000000", "[ppb]", "61", "part per billion (US)"),
    )),
    ("count", "count", (("count", "1", "1", "C62", "one"),)),
    ("rate", "1/s", (
        ("1/s", "1", "/s", "C97", "reciprocal second"),
        ("1/min", "1/60", "/min", "C94", "reciprocal minute"),
        ("1/h", "1/3600", "/h", "H10", "reciprocal hour"),
    )),
    ("frequency", "Hz", (
        ("Hz", "1", "Hz", "HTZ", "hertz"),
        ("kHz", "1000", "kHz", "KHZ", "kilohertz"),
        ("MHz", "1000000", "MHz", "MHZ", "megahertz"),
    )),
    ("number concentration", "", (
        ("/cm3", "1000000", "/cm3", "H50", "reciprocal cubic centimetre"),
    )),
    ("current", "A", (
        ("A", "1", "A", "AMP", "ampere"),
        ("mA", "1/1000", "mA", "4K", "milliampere"),
        ("uA", "1/1000000", "uA", "B84", "microampere"),
    )),
    ("voltage", "V", (
        ("V", "1", "V", "VLT", "volt"),
        ("mV", "1/1000", "mV", "2Z", "millivolt"),
        ("kV", "1000", "kV", "KVT", "kilovolt"),
    )),
    ("resistance", "Ohm", (
        ("Ohm", "1", "Ohm", "OHM", "ohm"),
        ("kOhm", "1000", "kOhm", "B49", "kiloohm"),
    )),
    ("conductivity", "S/m", (
        ("S/m", "1", "S/m", "D10", "siemens per metre"),
        ("uS/cm", "1/10000", "uS/cm", "G42", "microsiemens per centimetre"),
        ("mS/cm", "1/10", "mS/cm", "H61", "millisiemens per centimetre"),
    )),
    ("power", "W", (
        ("W", "1", "W", "WTT", "watt"),
        ("mW", "1/1000", "mW", "C31", "milliwatt"),
        ("kW", "1000", "kW", "KWT", "kilowatt"),
        ("MW", "1000000", "MW", "MAW", "megawatt"),
    )),
    ("apparent power", "VA", (
        ("VA", "1", "V.A", "D46", "volt - ampere"),
        ("kVA", "1000", "kV.A", "KVA", "kilovolt - ampere"),
    )),
    ("reactive power", "var", (
        ("var", "1", "V.A{reactive}", "D44", "var"),
        ("kvar", "1000", "kV.A{reactive}", "KVR", "kilovar"),
    )),
    ("energy", "J", (
        ("J", "1", "J", "JOU", "joule"),
        ("kJ", "1000", "kJ", "KJO", "kilojoule"),
        ("MJ", "1000000", "MJ", "3B", "megajoule"),
        ("GJ", "1000000000", "GJ", "GV", "gigajoule"),
        ("Wh", "3600", "W.h", "WHR", "watt hour"),
        ("kWh", "3600000", "kW.h", "KWH", "kilowatt hour"),
        ("MWh", "3600000000", "MW.h", "MWH", "megawatt hour (1000 kW.h)"),
    )),
    ("apparent energy", "VAs", (("kVAh", "3600000", "kV.A.h", "C79", "kilovolt ampere hour"),)),
    ("reactive energy", "vars", (
        ("kvarh", "3600000", "kV.A.h{reactive}", "K3", "kilovolt ampere reactive hour"),
    )),
    ("pressure", "Pa", (
        ("Pa", "1", "Pa", "PAL", "pascal"),
        ("hPa", "100", "hPa", "A97", "hectopascal"),
        ("mbar", "100", "mbar", "MBR", "millibar"),
        ("kPa", "1000", "kPa", "KPA", "kilopascal"),
        ("MPa", "1000000", "MPa", "MPA", "megapascal"),
        ("bar", "100000", "bar", "BAR", "bar [unit of pressure]"),
    )),
    ("length", "m", (
        ("m", "1", "m", "MTR", "metre"),
        ("nm", "1/1000000000", "nm", "C45", "nanometre"),
        ("um", "1/1000000", "um", "4H", "micrometre (micron)"),
        ("mm", "1/1000", "mm", "MMT", "millimetre"),
        ("cm", "1/100", "cm", "CMT", "centimetre"),
        ("km", "1000", "km", "KMT", "kilometre"),
    )),
    ("area", "m2", (("m2", "1", "m2", "MTK", "square metre"),)),
    ("volume", "m3", (
        ("m3", "1", "m3", "MTQ", "cubic metre"),
        ("L", "1/1000", "L", "LTR", "litre"),
        ("l", "1/1000", "L", "LTR", "litre"),
        ("mL", "1/1000000", "mL", "MLT", "millilitre"),
    )),
    ("speed", "m/s", (
        ("m/s", "1", "m/s", "MTS", "metre per second"),
        ("km/h", "1000/3600", "km/h", "KMH", "kilometre per hour"),
        ("mm/h", "1/3600000", "mm/h", "H67", "millimetre per hour"),
    )),
    ("acceleration", "m/s2", (("m/s2", "1", "m/s2", "MSK", "metre per second squared"),)),
    ("volume flow", "m3/s", (
        ("m3/s", "1", "m3/s", "MQS", "cubic metre per second"),
        ("m3/h", "1/3600", "m3/h", "MQH", "cubic metre per hour"),
        ("L/s", "1/1000", "L/s", "G51", "litre per second"),
        ("L/min", "1/60000", "L/min", "L2", "litre per minute"),
        ("L/h", "1/3600000", "L/h", "E32", "litre per hour"),
    )),
    ("mass", "kg", (
        ("kg", "1", "kg", "KGM", "kilogram"),
        ("g", "1/1000", "g", "GRM", "gram"),
        ("t", "1000", "t", "TNE", "tonne (metric ton)"),
    )),
    ("mass flow", "", (
        ("kg/h", "1/3600", "kg/h", "E93", "kilogram per hour"),
        ("kg/s", "1", "kg/s", "KGS", "kilogram per second"),
    )),
    ("mass concentration", "kg/m3", (
        ("kg/m3", "1", "kg/m3", "KMQ", "kilogram per cubic metre"),
        ("g/m3", "1/1000", "g/m3", "A93", "gram per cubic metre"),
        ("mg/m3", "1/1000000", "mg/m3", "GP", "milligram per cubic metre"),
        ("ug/m3", "1/1000000000", "ug/m3", "GQ", "microgram per cubic metre"),
        ("mg/L", "1/1000", "mg/L", "M1", "milligram per litre"),
    )),
    ("time", "s", (
        ("s", "1", "s", "SEC", "second [unit of time]"),
        ("us", "1/1000000", "us", "B98", "microsecond"),
        ("ms", "1/1000", "ms", "C26", "millisecond"),
        ("min", "60", "min", "MIN", "minute [unit of time]"),
        ("h", "3600", "h", "HUR", "hour"),
        ("d", "86400", "d", "DAY", "day"),
    )),
    ("information", "B", (
        ("B", "1", "By", "AD", "byte"),
        ("kB", "1000", "kBy", "2P", "kilobyte"),
        ("MB", "1000000", "MBy", "4L", "megabyte"),
        ("GB", "1000000000", "GBy", "E34", "gigabyte"),
        ("KiB", "1024", "KiBy", "E64", "kibibyte"),
        ("MiB", "1048576", "MiBy", "E63", "mebibyte"),
    )),
    ("bits", "bit", (("bit", "1", "bit", "A99", "bit"),)),
    ("data rate", "bit/s", (("bit/s", "1", "bit/s", "B10", "bit per second"),)),
    ("angle", "deg", (("deg", "1", "deg", "DD", "degree [unit of angle]"),)),
    ("latitude", "lat", (("lat", "1", "deg", "DD", "degree [unit of angle]"),)),
    ("longitude", "lon", (("lon", "1", "deg", "DD", "degree [unit of angle]"),)),
    ("illuminance", "lx", (("lx", "1", "lx", "LUX", "lux"),)),
    ("irradiance", "W/m2", (("W/m2", "1", "W/m2", "D54", "watt per square metre"),)),
    ("level", "dB", (("dB", "1", "dB", "2N", "decibel"),)),
    ("acidity", "pH", (("pH", "1", "[pH]", "Q30", "pH (potential of Hydrogen)"),)),
    ("radiation dose", "Sv", (("Sv", "1", "Sv", "D13", "sievert"),)),
    ("force", "N", (("N", "1", "N", "NEW", "newton"),)),
)  # fmt: skip
_ONE: Final = Fraction(1)
# What one factor cannot say: a percentage that is its own unit in SenML, a level whose reference
# differs, a code that exists only for the litre.
_MORE: Final = (
    Unit("%RH", "ratio", Fraction(1, 100), "%", "P1", "percent", "%RH"),
    Unit("dBm", "power level", _ONE, "dB{mW}", "2N", "decibel", "dBW", _ONE, -30),
    Unit(
        "/dL", "number concentration", Fraction(10_000), "/dL", "K63", "reciprocal litre",
        code_factor=Fraction(10),
    ),
)  # fmt: skip

UNITS: Final = {
    unit.symbol: unit
    for unit in (
        *(
            Unit(symbol, dimension, Fraction(factor), ucum, code, name, base,
                 Fraction(factor) if base else _ONE)
            for dimension, base, rows in _ROWS
            for symbol, factor, ucum, code, name in rows
        ),
        *_MORE,
    )
}  # fmt: skip


def known(symbol: str) -> Unit:
    """Return what is known of a unit; raises UnknownUnit."""
    unit = UNITS.get(symbol)
    if unit is None:
        raise UnknownUnit(f"no unit {symbol!r} is in the table of edgenode/units.py")
    return unit


def ratio(unit: str, to: str) -> Fraction:
    """Return by what a value in `unit` is multiplied to be in `to`; raises UnknownUnit."""
    a, b = known(unit), known(to)
    if a.dimension != b.dimension:
        raise UnknownUnit(f"{unit} is a {a.dimension} and {to} a {b.dimension}")
    return a.factor / b.factor


def times(value: float, factor: Fraction) -> float:
    """Multiply; what is exact in decimals stays so, since numbers are divided only once."""
    return value * factor.numerator / factor.denominator


def in_senml(value: float, symbol: str) -> tuple[float, str]:
    """Return a value in the primary unit of SenML, and that unit; "" where there is none."""
    unit = UNITS.get(symbol)
    if unit is None or not unit.senml:
        return value, ""
    return times(value, unit.senml_factor) + unit.senml_offset, unit.senml
