"""What an NGSI-LD broker must not take: rules of ETSI GS CIM 009 V1.9.1, each with its clause.

Stricter than any broker is, on purpose. `Fault.clause` is where the standard says so.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

BAD = "https://uri.etsi.org/ngsi-ld/errors/BadRequestData"
INVALID = "https://uri.etsi.org/ngsi-ld/errors/InvalidRequest"
NULL = "urn:ngsi-ld:null"
# Terms of the core @context that are no reified attributes (4.5.1), beside what an entity may have.
RESERVED = {
    "createdAt", "modifiedAt", "deletedAt", "observedAt", "datasetId", "instanceId", "unitCode",
    "value", "object", "languageMap", "valueType", "objectType", "lang",
}  # fmt: skip
TIMES = ("observedAt", "createdAt", "modifiedAt", "deletedAt", "expiresAt")
PROHIBITED = (
    "object", "objectList", "languageMap", "json", "vocab", "valueList", "entity", "entityList",
)  # fmt: skip
KINDS = {
    "Property": "value", "GeoProperty": "value", "Relationship": "object",
    "LanguageProperty": "languageMap", "VocabProperty": "vocab", "JsonProperty": "json",
    "ListProperty": "valueList", "ListRelationship": "objectList",
}  # fmt: skip
GEOMETRIES = {
    "Point": 1, "MultiPoint": 2, "LineString": 2, "MultiLineString": 3, "Polygon": 3,
    "MultiPolygon": 4,
}  # fmt: skip
_NAME = re.compile(r"[^\W\d_]\w*(:[^\W\d_]\w*)?")  # letters and numbers of Unicode, and _
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")
_STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d{1,6})?Z")
_CODE = re.compile(r"[A-Z0-9]{2,3}")
_SCOPE = re.compile(r"/?[^\W\d_]\w*(/[^\W\d_]\w*)*")
STRUCTURAL = {"id", "type", "@context", "scope", "expiresAt"}
INNER = {*TIMES, "type", "datasetId", "instanceId", "unitCode", "valueType", "objectType"}


class Fault(Exception):
    """A request, or one entity of it, is refused."""

    def __init__(self, clause: str, detail: str, status: int = 400, kind: str = BAD) -> None:
        super().__init__(f"{detail} (ETSI GS CIM 009, {clause})")
        self.clause = clause
        self.status = status
        self.kind = kind


def is_uri(value: Any) -> bool:
    return isinstance(value, str) and _URI.fullmatch(value) is not None


def placed_context(found: Any, *, embedded: bool) -> None:
    """Check that @context is in the body exactly where the media type says so."""
    if isinstance(found, dict) and embedded != ("@context" in found):
        where = "application/ld+json without" if embedded else "application/json with"
        raise Fault("6.3.5", f"{where} @context in the body")


def wholesome(name: str, poison: set[str]) -> None:
    """Refuse what this broker has reasons of its own not to take."""
    if name in poison:
        raise Fault("5.6.8.4", f"not {name}")


def entity(found: Any, *, temporal: bool = False) -> None:
    """Check one entity; raises Fault."""
    if not isinstance(found, dict):
        raise Fault("4.5.1", "an entity is a JSON object")
    if not is_uri(found.get("id")):
        raise Fault("4.5.1", f"id {found.get('id')!r} is no URI")
    _types(found.get("type"))
    if "@context" in found:
        _context(found["@context"])
    if "scope" in found:
        scopes = found["scope"] if isinstance(found["scope"], list) else [found["scope"]]
        if not all(isinstance(one, str) and _SCOPE.fullmatch(one) for one in scopes):
            raise Fault("4.18", f"scope {found['scope']!r}")
    if "expiresAt" in found:
        _time("expiresAt", found["expiresAt"])
    for name, value in found.items():
        if name not in STRUCTURAL:
            _named(name)
            _attribute(name, value, temporal=temporal)


def _types(found: Any) -> None:
    names = found if isinstance(found, list) else [found]
    if not names or not all(isinstance(name, str) and name for name in names):
        raise Fault("4.5.1", f"type {found!r} is no name of a type")
    for name in names:
        if not _NAME.fullmatch(name) and not name.startswith(("http://", "https://")):
            raise Fault("4.6.2", f"type {name!r} holds characters that no name may")


def _context(found: Any) -> None:
    parts = found if isinstance(found, list) else [found]
    if not parts or not all(isinstance(one, dict) or is_uri(one) for one in parts):
        raise Fault("4.4", f"@context {found!r}")


def _named(name: str) -> None:
    if name in RESERVED:
        raise Fault("4.5.1", f"{name} is a term of the core context and no attribute")
    if not _NAME.fullmatch(name):
        raise Fault("4.6.2", f"attribute {name!r} holds characters that no name may")


def _attribute(name: str, value: Any, *, temporal: bool) -> None:
    if value == NULL:
        raise Fault("5.5.4", f"{name} is the NGSI-LD Null")
    if temporal and not isinstance(value, list):
        raise Fault("5.2.20", f"{name}: a temporal evolution is an array of instances")
    many = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
    if value == []:
        raise Fault("4.5.5", f"{name} has no instance")
    datasets = [one.get("datasetId") for one in many if isinstance(one, dict)]
    if not temporal and len(datasets) != len(set(datasets)):
        raise Fault("4.5.5", f"{name}: two instances of one datasetId")
    for one in many:
        _instance(name, one)


def _instance(name: str, found: Any) -> None:
    """Check one instance of an attribute; a bare value is the concise form (4.5.2.3)."""
    if found is None:
        raise Fault("4.5.0", f"{name} is null")
    if not isinstance(found, dict):
        return
    if "@context" in found:
        raise Fault("5.5.7", f"{name} has a @context of its own")
    kind = found.get("type") or next((k for k, v in KINDS.items() if v in found), None)
    if kind is None:
        raise Fault("4.5.2.3", f"{name}: without a type there must be a value or an object")
    if kind not in KINDS:
        raise Fault("4.5.2.2", f"{name}: there is no type {kind!r}")
    _meta(name, found)
    CHECKS.get(kind, _property)(name, found)
    for inner, value in found.items():
        if inner not in INNER | set(KINDS.values()) | set(PROHIBITED):
            _named(inner)
            _attribute(f"{name}.{inner}", value, temporal=False)


def _meta(name: str, found: Mapping[str, Any]) -> None:
    for key in TIMES:
        if key in found:
            _time(f"{name}.{key}", found[key])
    if "datasetId" in found and not is_uri(found["datasetId"]):
        raise Fault("4.5.5", f"{name}: datasetId {found['datasetId']!r} is no URI")


def _time(name: str, value: Any) -> None:
    if not isinstance(value, str):
        raise Fault("4.8", f"{name} is no string: {value!r}")
    stamp(name, value)


def stamp(name: str, value: str) -> None:
    """Check a DateTime; raises Fault."""
    if not _STAMP.fullmatch(value):
        raise Fault("4.6.3", f"{name}: {value!r} is not YYYY-MM-DDThh:mm:ss[.ffffff]Z")
    try:
        datetime.fromisoformat(value.replace(",", "."))
    except ValueError:
        raise Fault("4.6.3", f"{name}: {value!r} is no moment") from None


def _property(name: str, found: Mapping[str, Any]) -> None:
    member = KINDS.get(found.get("type", "Property"), "value")
    if member not in found:
        raise Fault("4.5.2.2", f"{name} has no {member}")
    if member == "value":
        for other in PROHIBITED:
            if other in found:
                raise Fault("4.5.2.2", f"{name}: a Property never has {other}")
    _value(name, found[member])
    if "unitCode" in found:
        code = found["unitCode"]
        if not isinstance(code, str):
            raise Fault("4.5.2.2", f"{name}: unitCode {code!r} is no string")
        if not _CODE.fullmatch(code):
            raise Fault("4.5.2.2", f"{name}: {code!r} is no code of UN/CEFACT")


def _value(name: str, value: Any) -> None:
    if value is None:
        raise Fault("4.5.0", f"{name}: null is no value")
    if value == NULL:
        raise Fault("5.5.4", f"{name}: the NGSI-LD Null is no value here")
    if isinstance(value, dict):
        if value.get("@type") == "DateTime":
            stamp(name, str(value.get("@value")))
        for key, inner in value.items():
            _value(f"{name}.{key}", inner)
    if isinstance(value, list):
        for inner in value:
            _value(name, inner)


def _relationship(name: str, found: Mapping[str, Any]) -> None:
    if "object" not in found:
        raise Fault("4.5.3.2", f"{name} has no object")
    many = found["object"] if isinstance(found["object"], list) else [found["object"]]
    if NULL in many:
        raise Fault("5.5.4", f"{name}: the NGSI-LD Null is no object here")
    if not many or not all(is_uri(one) for one in many):
        raise Fault("4.5.3.2", f"{name}: object {found['object']!r} is no URI")
    for other in ("value", "unitCode"):
        if other in found:
            raise Fault("4.5.3.2", f"{name}: a Relationship never has {other}")


def _geo(name: str, found: Mapping[str, Any]) -> None:
    value = found.get("value")
    if not isinstance(value, dict) or value.get("type") not in GEOMETRIES:
        raise Fault("4.7.1", f"{name}: {value!r} is no geometry that NGSI-LD has")
    _coordinates(name, value.get("coordinates"), GEOMETRIES[value["type"]])


def _coordinates(name: str, found: Any, depth: int) -> None:
    if not isinstance(found, list) or not found:
        raise Fault("4.7.1", f"{name}: coordinates {found!r}")
    if depth > 1:
        for one in found:
            _coordinates(name, one, depth - 1)
        return
    numbers = all(isinstance(x, int | float) and not isinstance(x, bool) for x in found)
    if not numbers or len(found) not in {2, 3}:
        raise Fault("4.7.1", f"{name}: a position is two or three numbers, not {found!r}")
    if abs(found[0]) > 180 or abs(found[1]) > 90:
        raise Fault("4.7.1", f"{name}: {found!r} is not longitude, latitude (RFC 7946, 3.1.1)")


CHECKS = {"Relationship": _relationship, "GeoProperty": _geo}


def in_order(entities: list[dict[str, Any]]) -> None:
    """Check that several instances of one entity come in chronological order."""
    newest: dict[str, str] = {}
    for one in entities:
        stamps = [
            v["observedAt"] for v in one.values() if isinstance(v, dict) and "observedAt" in v
        ]
        if stamps and min(stamps) < newest.get(one["id"], ""):
            raise Fault("4.6.6", f"{one['id']} comes twice, and the older one last")
        newest[one["id"]] = max([*stamps, newest.get(one["id"], "")])
