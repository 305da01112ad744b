"""From readings to observations of NGSI-LD entities: which entity, which attribute, which value."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple
from urllib.parse import quote

from edgenode.cityos import wording
from edgenode.cityos.export import models
from edgenode.cityos.export.models import Attribute
from edgenode.cityos.export.places import Places
from edgenode.cityos.operate.continuity import Part
from edgenode.cityos.outbox import Reading
from edgenode.reading import Channel
from edgenode.units import UNITS, UnknownUnit, ratio, times

MAX_TARGETS: Final = 100_000  # channels remembered at once
PHASE: Final = re.compile(r"_(l[123])$")
PART: Final = re.compile(r"_(toward|away)$")  # a direction has an entity of its own
SAID: Final = frozenset(  # of the newest value alone: these have no evolution
    {
        "dateObserved", "dateObservedFrom", "dateObservedTo", "deviceState",
        "dateLastValueReported",
    }
)  # fmt: skip


class Entity(NamedTuple):
    """One entity: of a sensor, of a direction of it, or of one channel.

    What was replaced at its place goes on under the id that the first part had there; `node` and
    `sensor` are those that measure.
    """

    id: str
    model: str
    node: bytes
    sensor: str
    part: str = ""


class Target(NamedTuple):
    """Where the readings of a channel go."""

    entity: Entity
    attribute: Attribute
    member: str = ""  # of a value of phases: L1, L2, L3


class Observed(NamedTuple):
    """One value of one attribute at one time; `value` is what JSON holds."""

    entity: Entity
    attribute: str
    utc_ms: int
    value: float | str
    member: str = ""
    code: str = ""  # UN/CEFACT
    quality: str = ""


class Mapper:
    """Maps readings by the tables of `models`; unknown properties become DeviceMeasurements."""

    def __init__(self, places: Places) -> None:
        self._places = places
        self._targets: dict[tuple[bytes, str, str, bool, Part], Target] = {}

    def observe(self, readings: Iterable[Reading]) -> Iterator[Observed]:
        """Yield what is observed; a reading without a number tells of its device alone."""
        states: dict[tuple[bytes, str], tuple[int, str]] = {}
        for reading in readings:
            self._note(states, reading)
            if reading.value is not None:
                yield from self._one(reading, reading.value)
        for (node, sensor), (utc_ms, state) in states.items():
            device = self.device(node, sensor)
            if device is not None:
                yield Observed(device, "deviceState", utc_ms, state)
                yield Observed(device, "dateLastValueReported", utc_ms, wording.iso(utc_ms))

    def _note(self, states: dict[tuple[bytes, str], tuple[int, str]], reading: Reading) -> None:
        """Remember the newest state of a sensor: ok where any channel of that moment has a value.

        A sensor that measures, if doubtfully, is at work; else the first reason stands.
        """
        key = reading.node, reading.sensor
        word = "ok" if reading.value is not None else wording.quality(reading.quality)
        known = states.get(key)
        newer = known is None or reading.utc_ms > known[0]
        if newer or (known is not None and reading.utc_ms == known[0] and word == "ok"):
            states[key] = reading.utc_ms, word

    def _one(self, reading: Reading, value: float) -> Iterator[Observed]:
        target = self.target(reading)
        found = _fitting(target, value, reading.unit)
        if found is None:
            target = self._measurement(reading)
            found = value
        code = _code(target.attribute.unit or reading.unit)
        yield Observed(
            target.entity,
            target.attribute.name,
            reading.utc_ms,
            found,
            target.member,
            code,
            wording.quality(reading.quality),
        )
        if models.MODELS[target.entity.model].dated:
            iso = wording.iso(reading.utc_ms)
            yield Observed(target.entity, "dateObserved", reading.utc_ms, iso)
        yield from self._period(target, reading)

    def _period(self, target: Target, reading: Reading) -> Iterator[Observed]:
        """Yield within which time vehicles were counted: a stamp is that of its end."""
        channel = self._places.channel(reading.node, reading.channel)
        counted = target.attribute.name == "intensity" and reading.unit == "count"
        if counted and channel is not None and channel.period_ms:
            begin, end = reading.utc_ms - channel.period_ms, reading.utc_ms
            yield Observed(target.entity, "dateObservedFrom", end, wording.iso(begin))
            yield Observed(target.entity, "dateObservedTo", end, wording.iso(end))

    def target(self, reading: Reading) -> Target:
        """Return where the readings of a channel go; asked once a channel."""
        located = self._places.place(reading.node).located
        key = reading.node, reading.channel, reading.unit, located, self._origin(reading)
        if key not in self._targets:
            if len(self._targets) > MAX_TARGETS:
                self._targets.clear()
            found = self._targeted(reading, located=located)
            self._targets[key] = found or self._measurement(reading)
        return self._targets[key]

    def _origin(self, reading: Reading) -> Part:
        return self._places.origin(reading.node, reading.sensor, reading.utc_ms)

    def _targeted(self, reading: Reading, *, located: bool) -> Target | None:
        """Return the target in a model; None where none fits."""
        self._places.channel(reading.node, reading.channel)  # so that its siblings are known
        siblings = self._places.sensor(reading.node, reading.sensor)
        found = _mapped(reading.observed, reading.quantity, siblings)
        if found is None or models.MODELS[found[0]].located > located:
            return None
        model, attribute, member = found
        part = _part(reading.quantity)
        for other in siblings:  # what two channels would share belongs to the first of them
            quantity = other.name.rpartition("/")[2]
            same = _part(quantity) == part and _mapped(other.observed, quantity, siblings) == found
            if same and other.name != reading.channel:
                return None
            if other.name == reading.channel:
                break
        node, sensor = self._origin(reading)
        parts = (node.hex(), sensor, *((part,) if part else ()))
        entity = Entity(_urn(model, *parts), model, reading.node, reading.sensor, part)
        return Target(entity, attribute, member)

    def _measurement(self, reading: Reading) -> Target:
        node, sensor = self._origin(reading)
        name = _urn(models.MEASUREMENT, node.hex(), sensor, reading.quantity)
        entity = Entity(name, models.MEASUREMENT, reading.node, reading.sensor, reading.quantity)
        return Target(entity, Attribute("numValue"))

    def device(self, node: bytes, sensor: str) -> Entity | None:
        """Return the entity of a sensor itself; None where its schema has no word for it."""
        if not self._controlled(node, sensor):
            return None
        return Entity(_urn(models.DEVICE, node.hex(), sensor), models.DEVICE, node, sensor)

    def _controlled(self, node: bytes, sensor: str) -> list[str]:
        found = set()
        for channel in self._places.sensor(node, sensor):
            known = models.attribute_of(channel.observed)
            unit = UNITS.get(channel.unit)
            if known is not None:
                found.add(known[1].controlled)
            elif unit is not None:
                found.add(models.BY_DIMENSION.get(unit.dimension, ""))
        return sorted(found - {""})

    def fixed(self, entity: Entity) -> dict[str, Any]:
        """Return the attributes of an entity that are not observed, normalised."""
        place = self._places.place(entity.node)
        found: dict[str, Any] = {}
        if place.name:
            found["name"] = _property(place.name)
        if place.accountable:
            found["dataProvider"] = _property(place.accountable)
        if place.located:
            point = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
            found["location"] = {"type": "GeoProperty", "value": point}
        found |= self._of_model(entity)
        return found

    def _of_model(self, entity: Entity) -> dict[str, Any]:
        device = self.device(entity.node, entity.sensor)
        if entity.model == models.DEVICE:
            return {
                "deviceCategory": _property(["sensor"]),
                "controlledProperty": _property(self._controlled(entity.node, entity.sensor)),
            }
        found: dict[str, Any] = {}
        devices = models.MODELS[entity.model].devices
        if device is not None and devices:
            found["refDevice"] = {
                "type": "Relationship", "object": [device.id] if devices == "many" else device.id
            }  # fmt: skip
        if entity.model == models.AC:
            found["phaseType"] = _property("singlePhase")
        if entity.model == models.MEASUREMENT:
            found["controlledProperty"] = _property(entity.part)
            channel = self._places.channel(entity.node, f"{entity.sensor}/{entity.part}")
            code = _code(channel.unit) if channel else ""
            found |= {"unit": _property(code)} if code else {}
        elif entity.part:
            found["alternateName"] = _property(f"{entity.sensor} {entity.part}")
        return found


def _mapped(
    observed: str, quantity: str, siblings: list[Channel]
) -> tuple[str, Attribute, str] | None:
    """Return model, attribute and member of a channel, by its observed property and its name."""
    found = models.attribute_of(observed)
    if found is None:
        return None
    model, attribute = found
    if model == models.AC and any(one.name.endswith("_l2") for one in siblings):
        model = models.THREE_PHASE
    if not attribute.phases:
        return model, attribute, ""
    phase = PHASE.search(quantity)
    if phase is not None:
        return model, attribute, phase[1].upper()
    total = models.total_of(models.AC, attribute)
    return (model, attribute, "L1") if total is None else (model, total, "")


def _fitting(target: Target, value: float, unit: str) -> float | None:
    """Return a value as its model wants it; None where the model has no room for it."""
    attribute = target.attribute
    if attribute.unit and attribute.unit != unit:
        try:
            value = times(value, ratio(unit, attribute.unit))
        except UnknownUnit:
            return None
    low = models.LEAST.get((target.entity.model, attribute.name), attribute.low)
    if (low is not None and value < low) or (attribute.high is not None and value > attribute.high):
        return None
    return round(value) if attribute.whole else value


def _part(quantity: str) -> str:
    found = PART.search(quantity)
    return found[1] if found else ""


def _code(unit: str) -> str:
    known = UNITS.get(unit)
    return known.code if known else ""


def _urn(model: str, *parts: str) -> str:
    """Return an id; RFC 8141 leaves few characters unescaped that a name could hold."""
    return ":".join((f"urn:ngsi-ld:{model}", *(quote(part, safe="") for part in parts)))


def _property(value: Any) -> dict[str, Any]:
    return {"type": "Property", "value": value}


def value_of(observed: Observed, members: dict[str, float] | None = None) -> dict[str, Any]:
    """Return one observation as a normalised Property; `members` are those of a value of phases."""
    found = _property(members if observed.member else observed.value)
    if observed.attribute not in SAID or observed.attribute == "deviceState":
        found["observedAt"] = wording.iso(observed.utc_ms)
    if observed.code:
        found["unitCode"] = observed.code
    if observed.quality:
        found["quality"] = _property(observed.quality)
    return found
