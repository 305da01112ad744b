"""Which observed property becomes which attribute of which Smart Data Model: data, no computing.

Sources: the schemas of smart-data-models.github.io (dataModel.Environment, Transportation, Weather,
WaterConsumption, Energy, Device); units and bounds are those of their descriptions. What a schema
asks to be a number between bounds is not sent as that attribute beyond them, but as a
DeviceMeasurement, which has none.
"""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

CORE: Final = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
_CONTEXTS: Final = "https://raw.githubusercontent.com/smart-data-models/{}/master/context.jsonld"
MEASUREMENT: Final = "DeviceMeasurement"
DEVICE: Final = "Device"
AC, THREE_PHASE = "ACMeasurement", "ThreePhaseAcMeasurement"


class Model(NamedTuple):
    """One entity type, and what its schema asks for beyond id and type."""

    repository: str  # whose @context names its attributes
    located: bool = False  # an entity without a location is not valid
    dated: bool = True  # it has dateObserved
    devices: Literal["", "one", "many"] = "one"  # refDevice is not there, a URI, an array of them

    @property
    def context(self) -> str:
        """The URL of its JSON-LD context."""
        return _CONTEXTS.format(self.repository)


class Attribute(NamedTuple):
    """One attribute; `unit` is what the model wants, "" the channel's own."""

    name: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    whole: bool = False  # the schema asks for an integer
    phases: bool = False  # the value is an object with a member for each phase: L1, L2, L3
    total: str = ""  # what it is called where a channel is of no single phase
    controlled: str = ""  # of Device's vocabulary of controlled properties


MODELS: Final = {
    "AirQualityObserved": Model("dataModel.Environment", located=True),
    "WeatherObserved": Model("dataModel.Weather", located=True),
    "TrafficFlowObserved": Model("dataModel.Transportation", devices=""),
    "WaterConsumptionObserved": Model("dataModel.WaterConsumption", dated=False, devices=""),
    "SmartMeteringObservation": Model("dataModel.Device", dated=False),
    AC: Model("dataModel.Energy", located=True, devices="many"),
    THREE_PHASE: Model("dataModel.Energy", dated=False, devices="many"),
    DEVICE: Model("dataModel.Device", devices=""),
    MEASUREMENT: Model("dataModel.Device"),
}
_AIR: Final = "airPollution"
_POWER, _ENERGY = "power", "electricityConsumption"

ATTRIBUTES: Final[dict[str, tuple[Attribute, ...]]] = {
    "AirQualityObserved": (
        *(
            Attribute(name, "ug/m3", 0, controlled=_AIR)
            for name in ("pm1", "pm25", "pm4", "pm10", "tsp")
        ),
        Attribute("co2", "ppm", 0, controlled=_AIR),
        *(
            Attribute(name, "", 0, controlled=_AIR)
            for name in ("co", "no", "no2", "nox", "o3", "so2", "sh2", "c6h6")
        ),
        Attribute("volatileOrganicCompoundsTotal", "", 0, controlled=_AIR),
        Attribute("temperature", "Cel", controlled="temperature"),
        Attribute("relativeHumidity", "/", 0, 1, controlled="humidity"),
        Attribute("pressure", "hPa", 0, controlled="atmosphericPressure"),
    ),
    "WeatherObserved": (
        Attribute("temperature", "Cel", controlled="temperature"),
        Attribute("feelsLikeTemperature", "Cel", controlled="temperature"),
        Attribute("dewPoint", "Cel", controlled="humidity"),
        Attribute("relativeHumidity", "/", 0, 1, controlled="humidity"),
        Attribute("atmosphericPressure", "hPa", 0, controlled="atmosphericPressure"),
        Attribute("precipitation", "mm", 0, controlled="precipitation"),  # a litre a square metre
        Attribute("windSpeed", "m/s", 0, controlled="windSpeed"),
        Attribute("gustSpeed", "m/s", controlled="windSpeed"),
        Attribute("windDirection", "deg", 0, 360, controlled="windDirection"),
        Attribute("illuminance", "lx", 0, controlled="light"),
        Attribute("solarRadiation", "W/m2", 0, controlled="solarRadiation"),
        Attribute("snowHeight", "cm", 0, controlled="weatherConditions"),
    ),
    "TrafficFlowObserved": (
        Attribute("intensity", "", 0, controlled="trafficFlow"),
        Attribute("occupancy", "/", 0, 1, controlled="occupancy"),
        Attribute("averageVehicleSpeed", "km/h", 0, controlled="averageVelocity"),
        Attribute("averageVehicleLength", "m", 0, controlled="trafficFlow"),
        Attribute("averageHeadwayTime", "s", 0, controlled="trafficFlow"),
        Attribute("averageGapDistance", "m", 0, controlled="trafficFlow"),
    ),
    "WaterConsumptionObserved": (
        # Its schema wants a whole number: litres, as in the example beside it, lose the least.
        Attribute("waterConsumption", "L", whole=True, controlled="waterConsumption"),
        Attribute("maxFlow", "L/h", whole=True, controlled="waterFlow"),
        Attribute("minFlow", "L/h", whole=True, controlled="waterFlow"),
    ),
    "SmartMeteringObservation": (Attribute("totalConsumption", controlled="energy"),),
    AC: (
        Attribute("frequency", "Hz", 0, controlled=_POWER),
        Attribute("totalActivePower", "W", controlled=_POWER),
        Attribute("totalReactivePower", "var", controlled=_POWER),
        Attribute("totalApparentPower", "VA", 0, controlled=_POWER),
        Attribute("totalPowerFactor", "/", -1, 1, controlled=_POWER),
        Attribute("totalActiveEnergyImport", "kWh", 0, controlled=_ENERGY),
        Attribute("totalActiveEnergyExport", "kWh", 0, controlled=_ENERGY),
        Attribute("totalReactiveEnergyImport", "kvarh", 0, controlled=_ENERGY),
        Attribute("totalReactiveEnergyExport", "kvarh", 0, controlled=_ENERGY),
        Attribute("totalApparentEnergyImport", "kVAh", 0, controlled=_ENERGY),
        Attribute("activePower", "W", phases=True, total="totalActivePower", controlled=_POWER),
        Attribute("reactivePower", "var", phases=True, total="totalReactivePower",
                  controlled=_POWER),
        Attribute("apparentPower", "VA", 0, phases=True, total="totalApparentPower",
                  controlled=_POWER),
        Attribute("powerFactor", "/", -1, 1, phases=True, total="totalPowerFactor",
                  controlled=_POWER),
        Attribute("current", "A", phases=True, controlled=_POWER),
        Attribute("phaseVoltage", "V", 0, phases=True, controlled=_POWER),
    ),
}  # fmt: skip
# The measure of a single phase; only of three is power allowed to flow back.
LEAST: Final = {(AC, "activePower"): 0.0, (AC, "reactivePower"): 0.0}

# What a Device without any of these controls, by the dimension of a channel's unit.
BY_DIMENSION: Final = {
    "temperature": "temperature",
    "temperature difference": "temperature",
    "number concentration": _AIR,
    "mass concentration": _AIR,
    "power": _POWER,
    "apparent power": _POWER,
    "reactive power": _POWER,
    "current": _POWER,
    "voltage": _POWER,
    "frequency": _POWER,
    "energy": "energy",
    "apparent energy": "energy",
    "reactive energy": "energy",
    "pressure": "pressure",
    "volume": "waterConsumption",
    "volume flow": "waterFlow",
    "speed": "speed",
    "illuminance": "light",
    "irradiance": "solarRadiation",
    "latitude": "location",
    "longitude": "location",
    "conductivity": "conductivity",
    "acidity": "pH",
    "mass": "weight",
}

_TABLE: Final = {
    f"{model}/{one.name}": (model, one) for model, rows in ATTRIBUTES.items() for one in rows
}


def attribute_of(observed: str) -> tuple[str, Attribute] | None:
    """Return model and attribute of an observed property; None where no model has it."""
    return _TABLE.get(observed)


def total_of(model: str, attribute: Attribute) -> Attribute | None:
    """Return what an attribute of phases is called for all of them; None where it has no name."""
    found = _TABLE.get(f"{model}/{attribute.total}")
    return None if found is None else found[1]
