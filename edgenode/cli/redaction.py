"""Taking secrets out of what is shown to others: by name, by shape, and by what they are.

What is not known to be harmless is taken out: a bundle travels by e-mail.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

GONE = "[redacted]"
READ_BYTES = 64 << 10  # of a file with a secret; longer ones are no passwords and no keys
SHORTEST = 4  # characters of a secret that is looked for; shorter ones are in every text
DEEPEST = 8  # tables within tables

SECRET_KEY = re.compile(
    r"pass|secret|token|psk|credential|auth|private|username|user|login|cert|key|\bca\b|pin$",
    re.IGNORECASE,
)
# Keys whose text tells how a node is built; any other text of the file is taken out.
HARMLESS_KEYS = frozenset(
    {
        "bias", "bus", "chip", "custody", "date", "derived", "driver", "edge", "host", "id", "kind",
        "name", "parity", "path", "prefix", "quantity", "socket", "sources", "state", "twin",
        "usb_port",
    }
)  # fmt: skip
HARMLESS_TEXT = re.compile(r"[\w./:+\[\]-]{0,128}")  # no @, no spaces: nothing is hidden in it

SHAPES = (
    re.compile(r"-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|\Z)", re.DOTALL),
    re.compile(r"(?<=://)[^/\s@]+@"),
    re.compile(
        r"(?i)\b[\w-]*(?:password|passwd|passphrase|secret|token|psk|api[_-]?key|username)"
        r"[\"']?\s*[=:]\s*(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;]+)"
    ),
    re.compile(r"(?i)\b(?:bearer|basic)\s+[\w.~+/=-]{8,}"),
)


def scrubbed(text: str, secrets: Iterable[str] = ()) -> str:
    """Return the text without `secrets` and without what has the shape of one."""
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, GONE)
    for shape in SHAPES:
        text = shape.sub(GONE, text)
    return text


def cleaned(value: Any, secrets: Iterable[str] = ()) -> Any:
    """Return a document with every text in it scrubbed."""
    if isinstance(value, Mapping):
        return {scrubbed(str(key), secrets): cleaned(held, secrets) for key, held in value.items()}
    if isinstance(value, list | tuple):
        return [cleaned(held, secrets) for held in value]
    return scrubbed(value, secrets) if isinstance(value, str) else value


def configuration(text: str) -> dict[str, Any]:
    """Return the file without comments, secrets and free text; keys and numbers stay.

    A file that cannot be read as TOML is not shown at all: nobody knows what is in it.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as exc:
        where = re.search(r"line \d+", str(exc))
        return {"problem": f"not TOML{', ' + where[0] if where else ''}; its text is left out"}
    shown = _table(tables, 0)
    return shown if isinstance(shown, dict) else {}


def _table(value: Any, depth: int, key: str = "") -> Any:
    if depth > DEEPEST or SECRET_KEY.search(key):
        return GONE
    if isinstance(value, Mapping):
        return {
            _name(name): _table(inner, depth + 1, _meaning(key, name))
            for name, inner in value.items()
        }
    if isinstance(value, list):
        return [_table(inner, depth + 1, key) for inner in value]
    if isinstance(value, bool | int | float):
        return value
    text = str(value)
    return text if key in HARMLESS_KEYS and HARMLESS_TEXT.fullmatch(text) else GONE


def _meaning(table: str, name: str) -> str:
    """Return the key that says what a value is; in `sources` it is the table, not the quantity."""
    return table if table == "sources" and not SECRET_KEY.search(name) else name


def _name(key: str) -> str:
    return key if HARMLESS_TEXT.fullmatch(key) and len(key) <= 64 else GONE


def node_of(text: str) -> str:
    """Return the node's id of the file; empty where there is none that can be one."""
    node = configuration(text).get("node")
    found = node.get("id") if isinstance(node, dict) else None
    return found if isinstance(found, str) and re.fullmatch("[0-9a-f]{8,32}", found) else ""


def secrets_of(text: str, node: str = "") -> set[str]:
    """Return what must not be shown: the values of secret keys, and the files they name.

    User names that are the node's id are no secret: every topic has it.
    """
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return set()
    found = set(_values(tables, 0))
    return {secret for secret in found if len(secret) >= SHORTEST and secret != node}


def _values(value: Any, depth: int, key: str = "") -> Iterable[str]:
    if depth > DEEPEST:
        return
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _values(inner, depth + 1, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _values(inner, depth + 1, key)
    elif isinstance(value, str) and SECRET_KEY.search(key):
        if value.startswith("/"):
            yield from _lines(Path(value))
        else:
            yield value


def _lines(path: Path) -> Iterable[str]:
    try:
        with path.open("rb") as file:
            text = file.read(READ_BYTES).decode("utf-8", "replace")
    except OSError:  # not ours to read: then it is not in what we gather either
        return
    yield from (line.strip() for line in text.splitlines() if not line.startswith("-----"))
