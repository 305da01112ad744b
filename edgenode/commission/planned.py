"""What should stand here, by the document that the node was provisioned with."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from edgenode.commission.evidence import Plan, Planned
from edgenode.config import Config
from edgenode.driver import find_all
from edgenode.provision.canonical import MAX_BYTES

SENSORS_MOST: Final = 1_000


def configured(config: Config) -> tuple[Planned, ...]:
    """Return the sensors of the configuration."""
    return tuple(
        Planned(sensor.name, sensor.driver.model, sensor.bus.name) for sensor in config.sensors
    )


def planned(path: Path, node: str) -> Plan | None:
    """Return the plan of a node in a document; None where there is none.

    Whether its signature is good was decided when it was accepted.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            return Plan(str(path), problem=f"is larger than {MAX_BYTES} bytes")
        document = json.loads(data)
    except FileNotFoundError:
        return None
    except OSError as exc:
        return Plan(str(path), problem=f"cannot be read: {exc.strerror}")
    except (ValueError, RecursionError):
        return Plan(str(path), problem="is no JSON")
    whose = _whose(document)
    if whose not in {"", node}:
        return Plan(str(path), problem=f"is the document of node {whose}, and this is node {node}")
    return _plan(str(path), document)


def _whose(document: Any) -> str:
    """Return the id of the node that a document is for; "" where it names none."""
    node = document.get("node") if isinstance(document, dict) else None
    named = node.get("id") if isinstance(node, dict) else None
    return named.lower() if isinstance(named, str) else ""


def _plan(source: str, document: Any) -> Plan:
    rows = document.get("sensors", []) if isinstance(document, dict) else None
    if not isinstance(rows, list) or len(rows) > SENSORS_MOST or not all(map(_names, rows)):
        return Plan(source, problem="has no list of sensors that each have a name and a driver")
    models = _models({row["driver"] for row in rows})
    serial = document.get("serial")
    return Plan(
        source,
        serial if type(serial) is int else None,
        tuple(Planned(row["name"], models[row["driver"]], str(row.get("bus", ""))) for row in rows),
    )


def _names(row: Any) -> bool:
    return isinstance(row, dict) and all(
        isinstance(row.get(key), str) for key in ("name", "driver")
    )


def _models(names: set[str]) -> dict[str, str]:
    """Return the part that each driver is of; a driver that is not here stands for itself."""
    return {name: getattr(found, "model", name) for name, found in find_all(names).items()}
