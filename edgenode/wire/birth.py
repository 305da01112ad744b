"""The birth: the dictionary of a schema."""

from __future__ import annotations

from collections.abc import Mapping

from edgenode.reading import Channel


def schema_of(groups: Mapping[int, tuple[Channel, ...]]) -> bytes:
    """Return key 5: the first 8 bytes of SHA-256 over the encoded value of key 20."""
    raise NotImplementedError
