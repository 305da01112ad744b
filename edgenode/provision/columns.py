"""What is said of one node in text: options of the command line, and columns of a CSV."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any, Final, NamedTuple, get_args, get_origin

import msgspec
from msgspec.structs import FieldInfo

from edgenode.config.check import convert, fields_of
from edgenode.config.describe import bare, shape
from edgenode.config.draft import OWN, drivers_of
from edgenode.config.lines import Place
from edgenode.errors import ProvisionError, nearest
from edgenode.provision.canonical import Object
from edgenode.provision.relations import DECIMALS
from edgenode.provision.tables import DocumentTable

NODE: Final = "id"
CABLE: Final = ("network", "ethernet")
# Short names, for what differs from node to node; any other member is named by its path.
SHORT: Final[Mapping[str, tuple[str | int, ...]]] = {
    "name": ("site", "name"),
    "latitude": ("site", "latitude"),
    "longitude": ("site", "longitude"),
    "purpose": ("site", "purpose"),
    "url": ("site", "url"),
    "address": (*CABLE, "address"),
    "gateway": (*CABLE, "gateway"),
    "dns": (*CABLE, "dns"),
    "ssid": ("network", "wifi", 0, "ssid"),
    "psk": ("network", "wifi", 0, "psk"),
    "apn": ("network", "apn", "name"),
    "pin": ("network", "apn", "pin"),
    "token": ("enrol", "token"),
}
NAMED: Final = ("sensors", "buses")  # lists whose rows are called by name: sensors.square.serial


class Column(NamedTuple):
    """Where the texts of a column stand in a document, and of what type they are there."""

    place: Place
    kind: Any


class Columns:
    """The columns that there may be beside what is common to all nodes."""

    def __init__(self, common: Object) -> None:
        self._common = common
        rows = common.get("sensors", [])
        sound = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        self._drivers = drivers_of({"sensor": sound})

    def own(self, texts: Mapping[str, str]) -> list[tuple[Place, Any]]:
        """Return places and values of what is said of one node; an empty text says nothing.

        Raises ProvisionError for columns that there are not, and for half a position.
        """
        made: list[tuple[Place, Any]] = []
        if bool(texts.get("latitude")) != bool(texts.get("longitude")):
            raise ProvisionError(["latitude and longitude: give both or none"])
        if texts.get("address"):
            made.append((CABLE, {}))  # in place of DHCP, or of another address
        for name, text in texts.items():
            if text and name != NODE:
                column = self.column(name)
                made.append((column.place, value(text, column)))
        return made

    def column(self, name: str) -> Column:
        """Return the column of a name, short or a path; raises ProvisionError."""
        place = SHORT.get(name) or self._place(name)
        kind = self._kind(place)
        if kind is None:
            known = [NODE, *SHORT]
            close = nearest(name, known)
            hint = f"did you mean {close!r}?" if close else f"there are {', '.join(known)}"
            words = f"{name}: nothing in a document is called so; {hint} and paths such as"
            raise ProvisionError([f"{words} site.contact or sensors.NAME.serial"])
        return Column(place, kind)

    def _place(self, name: str) -> Place:
        parts = name.split(".")
        if parts[0] not in NAMED or len(parts) < 3:
            return tuple(parts)
        rows = self._common.get(parts[0], [])
        for index, row in enumerate(rows if isinstance(rows, list) else []):
            if isinstance(row, dict) and row.get("name") == parts[1]:
                return (parts[0], index, *parts[2:])
        raise ProvisionError([f"{name}: the template has no {parts[1]!r} in {parts[0]}"])

    def _kind(self, place: Place) -> Any:
        """Return the type of what stands at a place; None where nothing may, or whole tables."""
        fields = fields_of(DocumentTable)
        kind: Any = None
        for part in place:
            if isinstance(part, str) and part not in fields:
                return None
            kind = kind if isinstance(part, int) else fields[part].type
            if part == "sensors" or (place[0] == "sensors" and isinstance(part, int)):
                fields = self._sensor(place)
                continue
            _, struct = shape(kind)
            fields = fields_of(struct) if struct else {}
        fixed = place[0] in {"version", "serial", "issued", "node", "signature"}
        return None if fixed or shape(kind).struct or place == ("sensors",) else kind

    def _sensor(self, place: Place) -> dict[str, FieldInfo]:
        rows = self._common.get("sensors", [])
        if len(place) < 2 or not isinstance(place[1], int):
            return {}
        found = self._drivers.get(str(rows[place[1]].get("driver")))
        options = fields_of(found.driver.options) if found and found.driver else {}
        return {**options, **OWN}


def value(text: str, column: Column) -> Any:
    """Return a text as what its column wants: a number, truth or list where that fits.

    Where nothing fits, the checks say what was expected. Degrees are rounded to 7 decimals.
    """
    candidates = list(_readings(text, column.kind))
    for candidate in candidates:
        try:
            convert(candidate, column.kind)
        except (msgspec.ValidationError, OverflowError):
            continue
        return round(candidate, DECIMALS) if _degrees(column, candidate) else candidate
    return text if bare(column.kind) is str else candidates[-1]


def _readings(text: str, kind: Any) -> Iterator[Any]:
    yield text
    if get_origin(bare(kind)) is tuple:
        inner = get_args(bare(kind))[0]
        yield [value(part, Column((), inner)) for part in text.split()]
    if text in {"true", "false"}:
        yield text == "true"
    for number in (_whole, float):
        with suppress(ValueError):
            yield number(text)
            return


def _whole(text: str) -> int:
    return int(text, 0)  # 118 and 0x76 are one address


def _degrees(column: Column, candidate: Any) -> bool:
    return column.place[-1:] in {("latitude",), ("longitude",)} and isinstance(candidate, float)
