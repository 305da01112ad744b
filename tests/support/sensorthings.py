"""A SensorThings service on the loopback, as strict as OGC 18-088 lets it be."""

from __future__ import annotations

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.ngsild import serving
from tests.support.ngsild_rules import stamp

NEEDS = {  # the mandatory properties of an entity, OGC 18-088, 8.2
    "Things": ("name", "description"),
    "Locations": ("name", "description", "encodingType", "location"),
    "Datastreams": (
        "name", "description", "observationType", "unitOfMeasurement", "Thing", "Sensor",
        "ObservedProperty",
    ),
    "Sensor": ("name", "description", "encodingType", "metadata"),
    "ObservedProperty": ("name", "definition", "description"),
    "unitOfMeasurement": ("name", "symbol", "definition"),
}  # fmt: skip
_FILTER = re.compile(r"name eq '((?:[^']|'')*)'")


class Service:
    """What the service holds, by set and id."""

    def __init__(self) -> None:
        self.sets: dict[str, dict[int, dict[str, Any]]] = {
            "Things": {}, "Locations": {}, "Datastreams": {}, "Observations": {},
        }  # fmt: skip
        self.ills: deque[int] = deque()
        self.errors: set[float] = set()  # results that it makes an "error" of
        self.bodies = False  # answer with the entity that was made
        self.port = 0
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1.1"

    def observed(self, stream: str) -> list[tuple[str, Any]]:
        """Return (phenomenonTime, result) of a Datastream, by its name."""
        (number,) = [n for n, one in self.sets["Datastreams"].items() if one["name"] == stream]
        rows = self.sets["Observations"].values()
        return [(x["phenomenonTime"], x["result"]) for x in rows if x["Datastream"] == number]

    def make(self, kind: str, entity: dict[str, Any]) -> int:
        check(kind, entity)
        number = len(self.sets[kind]) + 1
        self.sets[kind][number] = entity
        return number

    def thing(self, entity: dict[str, Any]) -> int:
        locations = entity.pop("Locations", [])
        number = self.make("Things", entity)
        entity["Locations"] = [self.make("Locations", one) for one in locations]
        return number

    def stream(self, entity: dict[str, Any]) -> int:
        number = self.make("Datastreams", entity)
        for part in ("Sensor", "ObservedProperty", "unitOfMeasurement"):
            check(part, entity[part])
        if entity["Thing"]["@iot.id"] not in self.sets["Things"]:
            raise ValueError("a Datastream of no Thing")
        return number

    def observe(self, arrays: list[dict[str, Any]]) -> list[str]:
        told = []
        for array in arrays:
            stream = array["Datastream"]["@iot.id"]
            if stream not in self.sets["Datastreams"]:
                raise ValueError(f"there is no Datastream {stream!r}")
            if array["dataArray@iot.count"] != len(array["dataArray"]):
                raise ValueError("dataArray@iot.count is not the number of rows")
            for row in array["dataArray"]:
                cells = dict(zip(array["components"], row, strict=True))
                stamp("phenomenonTime", cells["phenomenonTime"])
                if cells["result"] is None or cells["result"] in self.errors:
                    told.append("error")
                    continue
                number = self.make("Observations", {**cells, "Datastream": stream})
                told.append(f"{self.url}/Observations({number})")
        return told


def check(kind: str, entity: dict[str, Any]) -> None:
    missing = [name for name in NEEDS.get(kind, ()) if entity.get(name) in (None, "")]
    if missing:
        raise ValueError(f"{kind} without {', '.join(missing)}")


class Handler(BaseHTTPRequestHandler):
    """The few requests that an exporter makes."""

    protocol_version = "HTTP/1.1"
    service: Service

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        self.service.requests.append(f"GET {where.path}")
        nested = re.fullmatch(r"/v1\.1/Things\((\d+)\)/Locations", where.path)
        if nested:
            thing = self.service.sets["Things"][int(nested[1])]
            found = [self.service.sets["Locations"][n] for n in thing["Locations"]]
        else:
            kind = where.path.removeprefix("/v1.1/")
            asked = _FILTER.fullmatch(parse_qs(where.query)["$filter"][0])
            assert asked, where.query
            name = asked[1].replace("''", "'")
            held = self.service.sets[kind].items()
            found = [{**one, "@iot.id": n} for n, one in held if one["name"] == name]
        self._answer(200, {"value": found})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.service.requests.append(f"POST {self.path}")
        if self.service.ills:
            self._answer(self.service.ills.popleft(), {"message": "ill"})
            return
        try:
            self._make(self.path.removeprefix("/v1.1/"), body)
        except (ValueError, KeyError) as exc:
            self._answer(400, {"code": 400, "type": "error", "message": str(exc)})

    def _make(self, path: str, body: Any) -> None:
        service = self.service
        if path == "CreateObservations":
            self._answer(201, service.observe(body))
            return
        nested = re.fullmatch(r"Things\((\d+)\)/Locations", path)
        if nested:
            number = service.make("Locations", body)
            service.sets["Things"][int(nested[1])]["Locations"] = [number]
            path = "Locations"
        else:
            number = service.thing(body) if path == "Things" else service.stream(body)
        link = f"{service.url}/{path}({number})"
        self._answer(201, {"@iot.id": number} if service.bodies else None, link)

    def _answer(self, status: int, body: Any, link: str = "") -> None:
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if link:
            self.send_header("Location", link)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def sensorthings() -> Iterator[Service]:
    """Serve an empty service."""
    service = Service()
    with serving(type("Bound", (Handler,), {"service": service})) as port:
        service.port = port
        yield service
