"""Births kept beside the journal as files, so that its rows can be sealed without the store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from edgenode.errors import SpoolError, WireError
from edgenode.reading import Groups
from edgenode.spool.journal import sync_directory
from edgenode.spool.model import STREAMS
from edgenode.wire import Birth, decode, encode, schema_of

DIRECTORY = "births"


class Births(Mapping[bytes, bytes]):
    """Encoded births by schema; few, and all of them in memory."""

    def __init__(self, births: Mapping[bytes, bytes]) -> None:
        self._encoded = {
            schema: data for schema, data in births.items() if _decoded(schema, data) is not None
        }

    def __getitem__(self, schema: bytes) -> bytes:
        return self._encoded[schema]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._encoded)

    def __len__(self) -> int:
        return len(self._encoded)

    def add(self, schema: bytes, data: bytes) -> None:
        self._encoded[schema] = data

    def keep(self, schemas: Iterable[bytes]) -> None:
        """Forget all others."""
        wanted = set(schemas)
        self._encoded = {key: data for key, data in self._encoded.items() if key in wanted}

    def decoded(self, schema: bytes) -> Birth | None:
        data = self._encoded.get(schema)
        return _decoded(schema, data) if data is not None else None


def _decoded(schema: bytes, data: bytes) -> Birth | None:
    """Return the birth, None when the bytes are none of this schema."""
    try:
        birth = decode(data)
    except WireError:
        return None
    fits = isinstance(birth, Birth) and schema_of(birth.groups) == schema
    return birth if fits and isinstance(birth, Birth) else None


def describe(node: bytes, groups: Groups) -> tuple[bytes, bytes]:
    """Return the schema of groups and their encoded birth.

    Raises SpoolError for a stream that no spool keeps, WireError for what a birth cannot say.
    """
    for group in groups.values():
        if group.stream not in STREAMS:
            raise SpoolError(f"group {group.gid}: stream {group.stream} is none of {STREAMS}")
    channels = {gid: group.channels for gid, group in sorted(groups.items())}
    return schema_of(channels), encode(Birth(node, channels))


def read_births(spool: Path) -> dict[bytes, bytes]:
    """Return the births in the files of a spool; what is not readable is left out."""
    births = {}
    room = spool / DIRECTORY
    for path in sorted(room.glob("*.cbor")) if room.is_dir() else ():
        try:
            births[bytes.fromhex(path.stem)] = path.read_bytes()
        except (ValueError, OSError):
            continue
    return births


def write_births(spool: Path, births: Mapping[bytes, bytes]) -> None:
    """Make the files of a spool hold exactly these births, durably. Raises OSError."""
    room = spool / DIRECTORY
    room.mkdir(exist_ok=True)
    changed = False
    for schema, data in births.items():
        path = room / f"{schema.hex()}.cbor"
        if path.exists() and path.read_bytes() == data:
            continue
        fresh = path.with_suffix(".new")
        with fresh.open("wb") as file:
            file.write(data)
            file.flush()
            os.fdatasync(file.fileno())
        fresh.rename(path)
        changed = True
    for path in room.iterdir():
        if path.stem not in {schema.hex() for schema in births}:
            path.unlink()
            changed = True
    if changed:
        sync_directory(room)
        sync_directory(spool)
