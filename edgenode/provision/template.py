"""What many documents have in common: a file in TOML or JSON, as members of node.json."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from edgenode.errors import ProvisionError
from edgenode.provision.canonical import Object, parsed
from edgenode.provision.keys import content
from edgenode.provision.signing import MEMBER

MAX_BYTES: Final = 256 << 10
OWN: Final = ("version", "issued", "serial", "node")  # never what a template says
RENAMED: Final = {"bus": "buses", "sensor": "sensors"}
FILES: Final = ("ca", "cert", "key", "password_file")  # of a broker: the node has its own
ELSEWHERE: Final = ("state", "socket")  # of [node]: where the image has them


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
    return _issued(whole) if MEMBER in whole else Template(_common(whole))


def _issued(whole: Object) -> Template:
    node, serial = whole.get("node"), whole.get("serial")
    name = node.get("id", "") if isinstance(node, dict) else ""
    return Template(_common(whole), str(name), serial if isinstance(serial, int) else 0)


def _common(whole: Object) -> Object:
    return {name: value for name, value in whole.items() if name not in {MEMBER, *OWN}}


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
