"""About: where the node is, what it senses and why, in plain words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from edgenode.errors import WireError
from edgenode.wire import fields
from edgenode.wire.limits import MAX_COMMISSION, MAX_DEPTH, VERSION
from edgenode.wire.model import About

SITE = 21
_TRANSPARENCY, _FIRMWARE, _HARDWARE, _COMMISSION = 22, 23, 24, 25
_INTEGERS = 1 << 64  # what CBOR holds without a tag


def write_about(about: About) -> dict[int, Any]:
    """Return the map of an about message; raises WireError for what CBOR here cannot hold."""
    optional = {
        _TRANSPARENCY: dict(about.transparency),
        _FIRMWARE: about.firmware,
        _HARDWARE: about.hardware,
        _COMMISSION: _record(about.commission),
    }
    site = _storable(dict(about.site), "about key 21 (site)", 2)
    return {0: VERSION, 1: about.node, SITE: site} | {k: v for k, v in optional.items() if v}


def read_about(message: Mapping[Any, Any]) -> About:
    """Return the about message in a decoded map."""
    where = "about key 22 (transparency)"
    transparency = fields.table(message.get(_TRANSPARENCY, {}), where)
    for key, value in transparency.items():
        fields.text(key, where)
        fields.text(value, where)
    site = fields.table(message[SITE], "about key 21 (site)")
    for key in site:
        fields.text(key, "about key 21 (site)")
    return About(
        node=fields.node(fields.required(message, 1, "about key 1 (node)"), "about key 1 (node)"),
        site=site,
        transparency=transparency,
        firmware=fields.text(message.get(_FIRMWARE, ""), "about key 23 (firmware)"),
        hardware=fields.text(message.get(_HARDWARE, ""), "about key 24 (hardware)"),
        commission=_record(message.get(_COMMISSION, "")),
    )


def _record(value: Any) -> str:
    """Accept the record of a commissioning: what it says is for who shows it."""
    where = "about key 25 (commission)"
    if len(fields.text(value, where).encode()) > MAX_COMMISSION:
        raise WireError(f"{where}: {len(value.encode())} bytes, where {MAX_COMMISSION} are allowed")
    return str(value)


def _storable(value: Any, where: str, depth: int) -> Any:
    """Return `value` as plain maps, arrays and scalars: no tag may come of a date or a set."""
    if depth > MAX_DEPTH + 1:
        raise WireError(f"{where}: nested deeper than {MAX_DEPTH}")
    if isinstance(value, Mapping):
        keys = [fields.text(key, where) for key in value]
        return {key: _storable(value[key], where, depth + 1) for key in keys}
    if isinstance(value, (list, tuple)):
        return [_storable(item, where, depth + 1) for item in value]
    if type(value) is int and -_INTEGERS <= value < _INTEGERS:
        return value
    if isinstance(value, float) and math.isfinite(value):
        return value
    if value is None or isinstance(value, (bool, str, bytes)):
        return value
    raise fields.refuse(where, value, "a map, an array, text, bytes, a number, a bool or null")
