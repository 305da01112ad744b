"""The broker of these tests refuses what ETSI GS CIM 009 V1.9.1 does not allow, one by one."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest

from tests.support.ngsild import TEMPORAL, UPSERT, Broker, strict_broker
from tests.support.ngsild_rules import NULL

Change = Callable[[dict[str, Any]], Any]


@pytest.fixture(scope="module")
def broker() -> Iterator[Broker]:
    with strict_broker() as broker:
        broker.whole = True
        yield broker


def good() -> dict[str, Any]:
    return {
        "id": "urn:ngsi-ld:AirQualityObserved:a1b2:air",
        "type": "AirQualityObserved",
        "@context": ["https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"],
        "pm25": {
            "type": "Property", "value": 12.5, "unitCode": "GQ",
            "observedAt": "2026-11-18T11:14:07.412Z",
            "quality": {"type": "Property", "value": "ok"},
        },
        "refDevice": {"type": "Relationship", "object": "urn:ngsi-ld:Device:a1b2:air"},
        "location": {
            "type": "GeoProperty", "value": {"type": "Point", "coordinates": [126.97, 37.57]},
        },
    }  # fmt: skip


def ask(
    broker: Broker,
    body: bytes | None,
    headers: dict[str, str] | None = None,
    *,
    path: str = f"{UPSERT}?options=update",
    method: str = "POST",
    length: bool = True,
    declared: int | None = None,
) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", broker.port, timeout=10)
    told = {"Content-Type": "application/ld+json"} if headers is None else headers
    connection.putrequest(method, path, skip_accept_encoding=True)
    for name, value in told.items():
        connection.putheader(name, value)
    if length:
        connection.putheader("Content-Length", str(declared or len(body or b"")))
    connection.endheaders(body if length else None)
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text) if text else None


def refused(broker: Broker, clause: str, status: int, answer: tuple[int, Any]) -> None:
    assert answer[0] == status
    assert broker.refusals[-1][0] == clause
    if answer[1] is not None:
        assert f"ETSI GS CIM 009, {clause})" in answer[1]["detail"]


def test_what_is_right_is_taken(broker: Broker) -> None:
    assert ask(broker, json.dumps([good()]).encode())[0] in {201, 204}
    plain = {key: value for key, value in good().items() if key != "@context"}
    link = '<https://example.org/c>; rel="http://www.w3.org/ns/json-ld#context"'
    headers = {"Content-Type": "application/json", "Link": link}
    assert ask(broker, json.dumps([plain]).encode(), headers)[0] == 204


class Http(NamedTuple):
    """A request that is wrong before anybody looks at an entity."""

    clause: str
    status: int
    asked: dict[str, Any]


def media(name: str) -> dict[str, str]:
    return {"Content-Type": name}


LD = media("application/ld+json")
BODY = json.dumps([good()]).encode()
BARE = json.dumps([{k: v for k, v in good().items() if k != "@context"}]).encode()
REQUESTS = {
    "another method": Http("6.3.2", 405, {"method": "GET", "body": None}),
    "no length": Http("6.3.4", 411, {"body": BODY, "length": False}),
    "no media type": Http("6.3.4", 415, {"body": BODY, "headers": {}}),
    "a foreign media type": Http("6.3.4", 415, {"body": BODY, "headers": media("text/plain")}),
    "an answer we have not": Http(
        "6.3.2", 406, {"body": BODY, "headers": LD | {"Accept": "text/html"}}
    ),
    "too large": Http("6.3.2", 413, {"body": None, "declared": 1 << 21}),
    "no such resource": Http("6.2", 404, {"body": BODY, "path": "/ngsi-ld/v1/upsert"}),
    "an unknown mode": Http("6.15.3.1", 400, {"body": BODY, "path": f"{UPSERT}?options=merge"}),
    "no such tenant": Http(
        "5.5.10", 404, {"body": BODY, "headers": LD | {"NGSILD-Tenant": "else"}}
    ),
    "a link beside ld+json": Http(
        "6.3.5", 400, {"body": BODY, "headers": LD | {"Link": "<urn:x:y>"}}
    ),
    "ld+json without context": Http("6.3.5", 400, {"body": BARE}),
    "json with context": Http("6.3.5", 400, {"body": BODY, "headers": media("application/json")}),
    "no UTF-8": Http("4.6.1", 400, {"body": b'[{"id": "\xff"}]'}),
    "no JSON": Http("5.5.4", 400, {"body": BODY[:-1]}),
    "not a number": Http("5.5.4", 400, {"body": BODY.replace(b"12.5", b"NaN")}),
    "no array": Http("5.6.8.3", 400, {"body": json.dumps(good()).encode()}),
    "an empty array": Http("5.6.8.4", 400, {"body": b"[]"}),
    "a null in the array": Http("5.6.8.4", 400, {"body": b"[null]"}),
    "no object in the array": Http("4.5.1", 400, {"body": b"[1]"}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_request_that_is_wrong_is_refused(broker: Broker, name: str) -> None:
    wrong = REQUESTS[name]
    refused(broker, wrong.clause, wrong.status, ask(broker, **wrong.asked))


def changed(attribute: str, **members: Any) -> Change:
    return lambda one: one[attribute].update(members)


def put(name: str, value: Any) -> Change:
    return lambda one: one.__setitem__(name, value)


def without(attribute: str, member: str) -> Change:
    return lambda one: one[attribute].pop(member)


def point(coordinates: list[float], kind: str = "Point") -> Change:
    return changed("location", value={"type": kind, "coordinates": coordinates})


def at(value: Any) -> Change:
    return changed("pm25", observedAt=value)


ONE = {"type": "Property", "value": 1}
TWICE = [ONE, ONE]
ENTITIES: dict[str, tuple[str, Change]] = {
    "no id": ("4.5.1", lambda one: one.pop("id")),
    "an id that is no URI": ("4.5.1", put("id", "air sensor 7")),
    "no type": ("4.5.1", lambda one: one.pop("type")),
    "no name in the type": ("4.5.1", put("type", [])),
    "a type with a hyphen": ("4.6.2", put("type", "Air-Quality")),
    "a context that is none": ("4.4", put("@context", 7)),
    "a scope with a space": ("4.18", put("scope", "/Seoul/City Hall")),
    "an end that is no time": ("4.6.3", put("expiresAt", "tomorrow")),
    "an attribute with a dot": ("4.6.2", put("pm2.5", ONE)),
    "an attribute that begins with a digit": ("4.6.2", put("5pm", ONE)),
    "an attribute with a term of the core": ("4.5.1", put("datasetId", ONE)),
    "an attribute that is null": ("4.5.0", put("pm10", None)),
    "an attribute that is the Null": ("5.5.4", put("pm10", NULL)),
    "an attribute without instances": ("4.5.5", put("pm10", [])),
    "two instances of no dataset": ("4.5.5", put("pm10", TWICE)),
    "an attribute with a context": ("5.5.7", changed("pm25", **{"@context": "https://x.example"})),
    "neither type nor value": ("4.5.2.3", put("pm10", {"unitCode": "GQ"})),
    "a type that there is not": ("4.5.2.2", changed("pm25", type="Measurement")),
    "a property without a value": ("4.5.2.2", without("pm25", "value")),
    "a value that is null": ("4.5.0", changed("pm25", value=None)),
    "a null within a value": ("4.5.0", changed("pm25", value={"L1": None})),
    "a value that is the Null": ("5.5.4", changed("pm25", value=NULL)),
    "the Null within a value": ("5.5.4", changed("pm25", value={"L1": NULL})),
    "a property with an object": ("4.5.2.2", changed("pm25", object="urn:x:y")),
    "a property with a language": ("4.5.2.2", changed("pm25", languageMap={"en": "x"})),
    "a property with a vocabulary": ("4.5.2.2", changed("pm25", vocab="x")),
    "a property with a list": ("4.5.2.2", changed("pm25", valueList=[1])),
    "a time that is reified": ("4.8", at({"type": "Property", "value": "x"})),
    "a time that is a number": ("4.8", at(1_795_000_000_000)),
    "a time without zone": ("4.6.3", at("2026-11-18T11:14:07")),
    "a time with an offset": ("4.6.3", at("2026-11-18T11:14:07+09:00")),
    "a time without seconds": ("4.6.3", at("2026-11-18T11:14Z")),
    "a time with nanoseconds": ("4.6.3", at("2026-11-18T11:14:07.123456789Z")),
    "a time that never was": ("4.6.3", at("2026-13-18T11:14:07Z")),
    "a typed time that is none": (
        "4.6.3",
        changed("pm25", value={"@type": "DateTime", "@value": "today"}),
    ),
    "a unit that is a number": ("4.5.2.2", changed("pm25", unitCode=7)),
    "a unit of another code": ("4.5.2.2", changed("pm25", unitCode="ug/m3")),
    "a dataset that is no URI": ("4.5.5", changed("pm25", datasetId="raw")),
    "a property of a property without a value": (
        "4.5.2.2",
        changed("pm25", quality={"type": "Property"}),
    ),
    "a property of a property with a bad name": ("4.6.2", changed("pm25", **{"err-ms": ONE})),
    "a relationship without an object": ("4.5.3.2", without("refDevice", "object")),
    "an object that is no URI": ("4.5.3.2", changed("refDevice", object="device 7")),
    "an object that is the Null": ("5.5.4", changed("refDevice", object=NULL)),
    "a relationship with a value": ("4.5.3.2", changed("refDevice", value="x")),
    "a place that is text": ("4.7.1", changed("location", value="37.57, 126.97")),
    "a collection of geometries": ("4.7.1", point([], "GeometryCollection")),
    "a place of one number": ("4.7.1", point([126.97])),
    "latitude before longitude": ("4.7.1", point([37.57, 126.97])),
    "a line that is a point": ("4.7.1", point([1, 2], "LineString")),
}


@pytest.mark.parametrize("name", ENTITIES)
def test_an_entity_that_is_wrong_is_refused(broker: Broker, name: str) -> None:
    clause, change = ENTITIES[name]
    one = good()
    change(one)
    refused(broker, clause, 400, ask(broker, json.dumps([one]).encode()))


def test_an_entity_that_comes_twice_comes_in_order(broker: Broker) -> None:
    older = good()
    older["pm25"]["observedAt"] = "2026-11-18T11:14:06Z"
    assert ask(broker, json.dumps([older, good()]).encode())[0] == 204
    refused(broker, "4.6.6", 400, ask(broker, json.dumps([good(), older]).encode()))


EVOLUTIONS = {
    "an array of documents": ("5.6.11.3", [good()]),
    "an attribute that is no array": ("5.2.20", good()),
    "no context": ("6.3.5", {"id": good()["id"], "type": "AirQualityObserved"}),
}


@pytest.mark.parametrize("name", EVOLUTIONS)
def test_an_evolution_that_is_wrong_is_refused(broker: Broker, name: str) -> None:
    clause, body = EVOLUTIONS[name]
    refused(broker, clause, 400, ask(broker, json.dumps(body).encode(), path=TEMPORAL))


def test_there_are_forty_refusals_and_more() -> None:
    clauses = {wrong.clause for wrong in REQUESTS.values()} | {c for c, _ in ENTITIES.values()}
    assert len(REQUESTS) + len(ENTITIES) + len(EVOLUTIONS) + 1 >= 40
    assert len(clauses) >= 18
