"""Issue the document of one node: what is common, what is its own, and a signature."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from edgenode.errors import ProvisionError
from edgenode.provision.canonical import Object, told
from edgenode.provision.document import Document, pretty, read, wrong
from edgenode.provision.keys import public_of
from edgenode.provision.signing import sign
from edgenode.provision.tables import VERSION, DocumentTable

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ID_BYTES: Final = 8


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
        raise ProvisionError(told(wrong(whole)) or exc.problems) from exc
    return data, read(data, [public_of(key.public_key(), "the key that signed")])
