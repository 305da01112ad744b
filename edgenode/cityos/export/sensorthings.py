"""OGC SensorThings API 1.1 (OGC 18-088): a Thing a node, a Datastream a channel, data arrays.

What is there is found by its name, what is not is made; so an exporter can start anywhere, and a
Thing that somebody described further stays as it is. Observations travel by CreateObservations (the
data array extension, section 14). At least once: after a crash the last page may be there twice.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, Final
from urllib.parse import quote

from edgenode.cityos import wording
from edgenode.cityos.export.models import MODELS, attribute_of
from edgenode.cityos.export.places import Place, Places
from edgenode.cityos.export.state import Refused, State
from edgenode.cityos.export.web import Answer, Client, Refusal, taken
from edgenode.cityos.outbox import Reading
from edgenode.errors import CityError
from edgenode.units import UNITS

MAX_OBSERVATIONS: Final = 1_000  # in one request
MEASURED: Final = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"
COMPONENTS: Final = ("phenomenonTime", "resultTime", "result", "parameters")
_LINK: Final = re.compile(r"\(('?)(.+?)\1\)/?$")  # Things(5) or Things('name')
Id = int | str


class SensorThings:
    """Sends readings to one SensorThings service."""

    def __init__(
        self, client: Client, places: Places, state: State, now_ms: Callable[[], int]
    ) -> None:
        self._client = client
        self._places = places
        self._state = state
        self._now_ms = now_ms
        self._things: dict[tuple[bytes, Place], Id] = {}
        self._streams: dict[tuple[bytes, str, str], Id] = {}

    def send(self, readings: Sequence[Reading]) -> None:
        """Hand readings over; those without a number have no place in this model."""
        told = [one for one in readings if one.value is not None]
        for at in range(0, len(told), MAX_OBSERVATIONS):
            self._observe(self._sorted(told[at : at + MAX_OBSERVATIONS]))

    def _sorted(self, readings: Sequence[Reading]) -> list[tuple[Id, list[Reading]]]:
        found: dict[Id, list[Reading]] = {}
        for reading in readings:
            try:
                stream = self._stream(reading)
            except Refusal as refusal:
                self._refused([reading], f"its Datastream: {refusal}")
                continue
            found.setdefault(stream, []).append(reading)
        return list(found.items())

    def _observe(self, groups: list[tuple[Id, list[Reading]]]) -> None:
        if not groups:
            return
        for sent, answer in taken(groups, self._asked, self._refused_group):
            told = answer.body if isinstance(answer.body, list) else []
            each = (one for _, readings in sent for one in readings)
            for reading, word in zip(each, told, strict=False):
                if word == "error":  # OGC 18-088, 14.2: in place of the link
                    self._refused([reading], "error, in the answer to CreateObservations")

    def _asked(self, groups: list[tuple[Id, list[Reading]]]) -> Answer:
        body = [_array(stream, readings) for stream, readings in groups]
        return self._client.ask("POST", "/CreateObservations", body, suspect=True)

    def _refused_group(self, group: tuple[Id, list[Reading]], reason: str) -> None:
        self._refused(group[1], reason)

    def _stream(self, reading: Reading) -> Id:
        """Return the Datastream of a channel, made where there is none."""
        key = reading.node, reading.channel, reading.unit
        if key not in self._streams:
            name = f"{reading.node.hex()}/{reading.channel} [{reading.unit}]"
            found = self._find("Datastreams", name)
            if found is None:
                thing = self._thing(reading)
                found = self._make("/Datastreams", self._described(reading, name, thing))
            self._streams[key] = found
        self._thing(reading)  # where its place changed, that is told too
        return self._streams[key]

    def _thing(self, reading: Reading) -> Id:
        """Return the Thing of a place; where it stands elsewhere than before, say so."""
        place = self._places.place(reading.node)
        node, _ = self._places.origin(reading.node, reading.sensor, reading.utc_ms)
        if (node, place) in self._things:
            return self._things[node, place]
        name = f"edgenode {node.hex()}"
        found = self._find("Things", name)
        if found is None:
            thing = {
                "name": name,
                "description": place.name or name,
                "properties": {"node": node.hex(), "accountable": place.accountable},
                "Locations": [_location(place)],
            }
            found = self._make("/Things", thing)
        elif not self._stands_at(found, place):
            self._make(f"/Things({_key(found)})/Locations", _location(place))
        self._things[node, place] = found
        return found

    def _stands_at(self, thing: Id, place: Place) -> bool:
        answer = self._client.ask("GET", f"/Things({_key(thing)})/Locations")
        wanted = _location(place)["location"]
        return any(one.get("location") == wanted for one in _values(answer))

    def _described(self, reading: Reading, name: str, thing: Id) -> dict[str, Any]:
        channel = self._places.channel(reading.node, reading.channel)
        unit = UNITS.get(reading.unit)
        sensor = f"{reading.node.hex()}/{reading.sensor}"
        return {
            "name": name,
            "description": f"{reading.quantity} of {sensor}",
            "observationType": MEASURED,
            "unitOfMeasurement": {
                "name": unit.name if unit else reading.unit,
                "symbol": reading.unit,
                "definition": f"ucum:{unit.ucum if unit else reading.unit}",
            },
            "Thing": {"@iot.id": thing},
            "ObservedProperty": {
                "name": reading.observed or reading.quantity,
                "description": reading.quantity,
                "definition": _definition(reading),
            },
            "Sensor": {
                "name": sensor,
                "description": (channel.model if channel else "") or sensor,
                "encodingType": "text/plain",
                "metadata": (channel.model if channel else "") or "not told",
            },
        }

    def _find(self, kind: str, name: str) -> Id | None:
        """Return the id of the entity with this name; None where there is none."""
        condition = quote(f"name eq '{name.replace(chr(39), chr(39) * 2)}'")
        answer = self._client.ask("GET", f"/{kind}?$filter={condition}&$top=1")
        found = _values(answer)
        return found[0].get("@iot.id") if found else None

    def _make(self, path: str, body: dict[str, Any]) -> Id:
        answer = self._client.ask("POST", path, body)
        if isinstance(answer.body, dict) and "@iot.id" in answer.body:
            return answer.body["@iot.id"]  # type: ignore[no-any-return]
        link = next((v for k, v in answer.headers.items() if k.lower() == "location"), "")
        found = _LINK.search(link)
        if found is None:
            raise CityError(f"{path}: the answer names no entity: Location is {link!r}")
        return found[2] if found[1] else int(found[2]) if found[2].isdecimal() else found[2]

    def _refused(self, readings: list[Reading], reason: str) -> None:
        first = readings[0]
        body = json.dumps([[wording.iso(one.utc_ms), one.value] for one in readings])
        what = f"{first.node.hex()}/{first.channel} #{first.ordinal}"
        self._state.aside(first.node, Refused(self._now_ms(), what, reason, body))


def _array(stream: Id, readings: list[Reading]) -> dict[str, Any]:
    """Return the observations of one Datastream as a data array."""
    rows = [
        [wording.iso(one.utc_ms), wording.iso(one.utc_ms), one.value,
         {"quality": wording.quality(one.quality), "err_ms": one.err_ms}]
        for one in readings
    ]  # fmt: skip
    return {
        "Datastream": {"@iot.id": stream},
        "components": list(COMPONENTS),
        "dataArray@iot.count": len(rows),
        "dataArray": rows,
    }


def _location(place: Place) -> dict[str, Any]:
    """Return a Location; where nobody told coordinates its Feature has none (RFC 7946, 3.2)."""
    point = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
    feature = {
        "type": "Feature",
        "geometry": point if place.located else None,
        "properties": {},
    }
    return {
        "name": place.name or "not told",
        "description": place.name or "not told",
        "encodingType": "application/geo+json",
        "location": feature,
    }


def _definition(reading: Reading) -> str:
    found = attribute_of(reading.observed)
    if found is None:
        return f"urn:x-edgenode:quantity:{quote(reading.quantity, safe='')}"
    model, attribute = found
    repository = MODELS[model].repository
    return f"https://smart-data-models.github.io/{repository}/{model}/schema.json#/{attribute.name}"


def _values(answer: Answer) -> list[dict[str, Any]]:
    found = answer.body.get("value") if isinstance(answer.body, dict) else None
    return [one for one in found or () if isinstance(one, dict)]


def _key(found: Id) -> str:
    return str(found) if isinstance(found, int) else quote("'" + found.replace("'", "''") + "'")
