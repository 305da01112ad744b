"""Issue the document of one node: a template, what is its own, and a signature."""

from __future__ import annotations

import secrets
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from edgenode.errors import ProvisionError
from edgenode.provision.canonical import MAX_BYTES, Object, parsed, pretty, sentences
from edgenode.provision.document import SIGNATURE, read, sign, wrong
from edgenode.provision.files import content
from edgenode.provision.keys import public_of
from edgenode.provision.tables import VERSION, Document, DocumentTable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ID_BYTES: Final = 8
OWN: Final = ("version", "issued", "serial", "node")  # never what a template says
RENAMED: Final = {"bus": "buses", "sensor": "sensors"}
FILES: Final = ("ca", "cert", "key", "password_file")  # of a broker: the node has its own


class Template:
    """A template that was read; `common` are its members without those of one node alone.

    `node` and `serial` are those of a document that was issued; "" and 0 for any other file.
    """

    def __init__(self, common: Object, node: str = "", serial: int = 0) -> None:
        self.common = common
        self.node = node
        self.serial = serial


def template(path: Path) -> Template:
    """Read a template: a node.json, whole or in part, the same in TOML, or an edgenode.toml.

    An issued document gives its node and serial too. Raises ProvisionError.
    """
    data = content(path, MAX_BYTES)
    try:
        whole = _toml(data) if path.suffix == ".toml" else parsed(data)
    except ProvisionError as exc:
        raise ProvisionError([f"{path}: {problem}" for problem in exc.problems]) from exc
    return _of_issued(whole) if SIGNATURE in whole else Template(_common(whole))


def _of_issued(whole: Object) -> Template:
    node, serial = whole.get("node"), whole.get("serial")
    name = node.get("id", "") if isinstance(node, dict) else ""
    return Template(_common(whole), str(name), serial if isinstance(serial, int) else 0)


def _common(whole: Object) -> Object:
    return {name: value for name, value in whole.items() if name not in {SIGNATURE, *OWN}}


def _toml(data: bytes) -> Object:
    try:
        whole = tomllib.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as exc:
        raise ProvisionError([f"not UTF-8 text: {exc.reason} at byte {exc.start}"]) from exc
    except (ValueError, RecursionError) as exc:  # TOMLDecodeError too
        raise ProvisionError([f"not valid TOML: {exc}"]) from exc
    return dict(_members(whole)) if "schema" in whole else whole


def _members(whole: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the tables of an edgenode.toml as members of a document; others stay as they are."""
    for name, value in whole.items():
        if name == "uplink" and isinstance(value, dict):
            rows = value.get("broker", [])
            yield "brokers", [_broker(row) for row in rows] if isinstance(rows, list) else rows
            rest = {key: inner for key, inner in value.items() if key != "broker"}
            if rest:
                yield "uplink", rest
        elif name != "schema":
            yield RENAMED.get(name, name), value


def _broker(row: Any) -> Any:
    if not isinstance(row, dict):
        return row
    return {key: value for key, value in row.items() if key not in FILES}


def random_id() -> str:
    """Return an id that no other node will have: 8 random bytes in hex."""
    return secrets.token_hex(ID_BYTES)


def moment(utc: datetime) -> str:
    """Return a time as the document has it: RFC 3339, UTC, whole seconds."""
    return utc.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def composed(
    node: str, serial: int, issued: str, common: Mapping[str, Any], own: Sequence[tuple[Any, Any]]
) -> Object:
    """Return the object of a document that is not signed yet.

    `own` are places, such as ("site", "name"), and what stands there for this node alone; an int
    in a place is a row of a list.
    """
    whole: Object = {"version": VERSION, "serial": serial, "issued": issued, "node": {"id": node}}
    whole |= common
    for place, value in own:
        whole = put(whole, place, value)
    fields = DocumentTable.__struct_fields__
    unknown = [name for name in whole if name not in fields]  # the checks name them
    return {name: whole[name] for name in (*fields, *unknown) if name in whole}


def put(whole: Any, place: Sequence[str | int], value: Any) -> Any:
    """Return a copy of `whole` with `value` at `place`; objects and first rows are made."""
    if not place:
        return value
    first, *rest = place
    if isinstance(first, int):
        rows = list(whole) if isinstance(whole, list) and whole else [None]
        return [put(row, rest, value) if n == first else row for n, row in enumerate(rows)]
    within = whole if isinstance(whole, dict) else {}
    return within | {first: put(within.get(first), rest, value)}


def issued(whole: Object, key: Ed25519PrivateKey) -> tuple[bytes, Document]:
    """Sign an object and return the file, and the document as the node will read it.

    Raises ProvisionError with every mistake.
    """
    try:
        data = pretty(sign(whole, key))
    except ProvisionError as exc:  # what TOML knows and JSON does not, such as dates
        raise ProvisionError(sentences(wrong(whole)) or exc.problems) from exc
    return data, read(data, [public_of(key.public_key(), "the key that signed")])
