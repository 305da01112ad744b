"""The published JSON Schemas of Smart Data Models, and entities held against them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

FILES = Path(__file__).parents[1] / "data" / "smart-data-models"
_RAW = "https://raw.githubusercontent.com/smart-data-models/dataModel.Environment/master/"
_PUBLISHED = "https://smart-data-models.github.io/"
_SHARED = {
    f"{_PUBLISHED}data-models/common-schema.json": "common-schema.json",
    f"{_PUBLISHED}dataModel.Device/device-schema.json": "device-schema.json",
    f"{_PUBLISHED}dataModel.Weather/weather-schema.json": "weather-schema.json",
    f"{_PUBLISHED}dataModel.Environment/Environment-schema.json": "Environment-schema.json",
    f"{_RAW}Environment-schema.json": "Environment-schema.json",
}


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FILES / name).read_text(encoding="utf-8"))
    return found


@cache
def _registry() -> Registry[Any]:
    pairs = [(uri, Resource.from_contents(_read(name))) for uri, name in _SHARED.items()]
    return Registry().with_resources(pairs)


@cache
def validator(model: str) -> Draft202012Validator:
    return Draft202012Validator(_read(f"{model}.schema.json"), registry=_registry())


@cache
def attributes(model: str) -> frozenset[str]:
    """Return all that a model knows, with what it takes over from shared definitions."""
    found: set[str] = set()
    parts = [_read(f"{model}.schema.json")]
    while parts:
        part = parts.pop()
        parts += part.get("allOf", [])
        found |= part.get("properties", {}).keys()
        uri, hash_, pointer = part.get("$ref", "").partition("#")
        if hash_:
            shared = _read(_SHARED[uri])
            for step in pointer.strip("/").split("/"):
                shared = shared[step]
            parts.append(shared)
    return frozenset(found)


def simplified(entity: dict[str, Any]) -> dict[str, Any]:
    """Return the simplified representation (ETSI GS CIM 009, 4.5.4), which the schemas are of."""
    return {
        name: value.get("value", value.get("object")) if isinstance(value, dict) else value
        for name, value in entity.items()
        if name != "@context"
    }


def mistakes(entity: dict[str, Any]) -> list[str]:
    """Return what a schema finds wrong with a normalised entity."""
    plain = simplified(entity)
    model = plain["type"]
    found = [f"{e.json_path}: {e.message}" for e in validator(model).iter_errors(plain)]
    return found + [f"{name} is no attribute" for name in plain.keys() - attributes(model)]
