"""The birth: the dictionary of a schema, channel by channel."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from edgenode.errors import WireError
from edgenode.reading import Channel, Kind, Privacy
from edgenode.wire import cbor, fields
from edgenode.wire.limits import MAX_CHANNELS, MAX_GID, MAX_VALUE, VERSION
from edgenode.wire.model import Birth
from edgenode.wire.scale import scaled, unscaled

SCHEMA, GROUPS = 5, 20  # keys of a birth
_NAME = re.compile(r"[A-Za-z0-9][-.:_A-Za-z0-9]*/[-.:/_A-Za-z0-9]+")
_SCALES = 18


def schema_of(groups: Mapping[int, tuple[Channel, ...]]) -> bytes:
    """Return key 5: the first 8 bytes of SHA-256 over the encoded value of key 20."""
    return _digest(cbor.dumps(_groups(groups)))


def schema_in(birth: Birth) -> bytes:
    """Return the schema of a birth, as it was received or else as it follows from its groups."""
    return birth.schema or schema_of(birth.groups)


def write_birth(birth: Birth) -> dict[int, Any]:
    """Return the map of a birth, to be encoded.

    Raises WireError for a received birth with keys unknown here: written again it would lose them.
    """
    groups = _groups(birth.groups)
    schema = _digest(cbor.dumps(groups))
    if birth.schema not in {b"", schema}:
        raise WireError("birth: it has keys unknown here; pass on its bytes as they were received")
    return {0: VERSION, 1: birth.node, SCHEMA: schema, GROUPS: groups}


def read_birth(message: Mapping[Any, Any], encoded_groups: bytes) -> Birth:
    """Return the birth in a decoded map; `encoded_groups` is the value of key 20 as received."""
    node = fields.node(fields.required(message, 1, "birth key 1 (node)"), "birth key 1 (node)")
    where = "birth key 5 (schema)"
    schema = fields.identity(fields.required(message, SCHEMA, where), where)
    if schema != _digest(encoded_groups):
        raise WireError(f"{where}: {schema.hex()} is not the hash of key 20")
    table = fields.table(message[GROUPS], "birth key 20")
    if not table:
        raise WireError("birth key 20: a birth without a group describes nothing")
    groups = {
        fields.uint(gid, "birth key 20: gid", MAX_GID): _read_group(gid, channels)
        for gid, channels in table.items()
    }
    names = [channel.name for channels in groups.values() for channel in channels]
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise WireError(f"birth key 20: the channel name {twice!r} is there twice")
    return Birth(node, groups, schema)


def _digest(encoded: bytes) -> bytes:
    return hashlib.sha256(encoded).digest()[: fields.ID_SIZE]


def _groups(groups: Mapping[int, tuple[Channel, ...]]) -> dict[int, list[dict[int, Any]]]:
    return {gid: [_write_channel(channel) for channel in groups[gid]] for gid in sorted(groups)}


def _read_group(gid: int, channels: Any) -> tuple[Channel, ...]:
    where = f"birth gid {gid}"
    items = fields.array(channels, where, 1, MAX_CHANNELS)
    return tuple(_read_channel(item, f"{where} channel {at}") for at, item in enumerate(items))


def _write_channel(channel: Channel) -> dict[int, Any]:
    optional = {
        4: channel.observed or None,
        5: _write_range(channel),
        6: channel.period_ms,
        7: channel.model or None,
        8: channel.serial or None,
        9: channel.calibration and list(channel.calibration),
        10: channel.uncertainty,
        11: int(channel.privacy) or None,
        12: channel.modulus,
        13: channel.stamp_ms,
    }
    required = {0: channel.name, 1: channel.unit, 2: channel.scale, 3: int(channel.kind)}
    return required | {key: value for key, value in optional.items() if value is not None}


def _write_range(channel: Channel) -> list[int] | None:
    if channel.low is None and channel.high is None:
        return None
    if channel.low is None or channel.high is None:
        raise WireError(f"channel {channel.name!r}: low and high are given both or neither")
    return [scaled(channel.low, channel.scale), scaled(channel.high, channel.scale)]


def _read_channel(item: Any, where: str) -> Channel:
    entry = fields.table(item, where)

    def need(key: int) -> Any:
        return fields.required(entry, key, f"{where} key {key}")

    def optional_uint(key: int, least: int = 0) -> int | None:
        if key not in entry:
            return None
        return fields.uint(entry[key], f"{where} key {key}", least=least)

    def optional_text(key: int) -> str:
        return fields.text(entry.get(key, ""), f"{where} key {key}")

    scale = fields.sint(need(2), f"{where} key 2 (scale)", _SCALES)
    kind = _kind(need(3), scale, f"{where} key 3 (kind)")
    low, high = _read_range(entry, scale, f"{where} key 5 (range)")
    return Channel(
        name=_name(need(0), f"{where} key 0 (name)"),
        unit=fields.text(need(1), f"{where} key 1 (unit)"),
        scale=scale,
        kind=kind,
        observed=optional_text(4),
        low=low,
        high=high,
        period_ms=optional_uint(6),
        model=optional_text(7),
        serial=optional_text(8),
        calibration=_read_calibration(entry, f"{where} key 9 (calibration)"),
        uncertainty=optional_uint(10),
        privacy=_read_privacy(entry, f"{where} key 11 (privacy)"),
        modulus=optional_uint(12, least=1),
        stamp_ms=optional_uint(13),
    )


def _name(value: Any, where: str) -> str:
    name = fields.text(value, where)
    if not _NAME.fullmatch(name):
        raise fields.refuse(where, name, "<sensor>/<quantity> of letters, digits and -.:/_")
    return name


def _kind(value: Any, scale: int, where: str) -> Kind:
    kind = fields.uint(value, where, max(Kind))
    if kind not in list(Kind):
        raise fields.refuse(where, kind, "gauge 0, counter 1, state 2 or float 4")
    if kind == Kind.FLOAT and scale:
        raise WireError(f"{where}: a float channel has scale 0, not {scale}")
    return Kind(kind)


def _read_range(entry: Mapping[Any, Any], scale: int, where: str) -> tuple[float | None, ...]:
    if 5 not in entry:
        return None, None
    low, high = (fields.sint(v, where, MAX_VALUE) for v in fields.array(entry[5], where, 2)[:2])
    if low > high:
        raise WireError(f"{where}: the minimum {low} is above the maximum {high}")
    return unscaled(low, scale), unscaled(high, scale)


def _read_calibration(entry: Mapping[Any, Any], where: str) -> tuple[str, str] | None:
    if 9 not in entry:
        return None
    date, reference = fields.array(entry[9], where, 2)[:2]
    return fields.text(date, where), fields.text(reference, where)


def _read_privacy(entry: Mapping[Any, Any], where: str) -> Privacy:
    if 11 not in entry:
        return Privacy.OPEN
    code = fields.not_default(fields.uint(entry[11], where), Privacy.OPEN, where)
    return Privacy(fields.known(code, Privacy.AGGREGATE, Privacy.AGGREGATE))
