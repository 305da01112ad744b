"""Whether lines of a document are public keys that sshd would take."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, Final

from edgenode.config.check import Mistake

# sshd(8), "AUTHORIZED_KEYS FILE FORMAT"; DSA is refused by OpenSSH since 7.0.
KINDS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)


def unfit_ssh_keys(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every line of `ssh_keys` that is no key, or stands there twice."""
    seen: dict[str, int] = {}
    for index, line in enumerate(whole.get("ssh_keys", [])):
        kind, blob, *_ = line.split(" ")
        if kind not in KINDS:
            yield Mistake(("ssh_keys", index), f"no kind of key that sshd takes: {kind!r}")
        elif _kind_in(blob) != kind:
            words = f"damaged: what follows {kind} is no such key; copy the whole .pub file"
            yield Mistake(("ssh_keys", index), words)
        first = seen.setdefault(blob, index)
        if first != index:
            yield Mistake(("ssh_keys", index), f"is the same as ssh_keys[{first}]")


def _kind_in(blob: str) -> str:
    """Return the name within the key (RFC 4253, 6.6), after which all its fields must be whole."""
    try:
        data = b64decode(blob, validate=True)
    except binascii.Error:
        return ""
    fields = []
    while data:
        length = int.from_bytes(data[:4], "big")
        field, data = data[4 : 4 + length], data[4 + length :]
        if len(field) < length or not length:
            return ""
        fields.append(field)
    return fields[0].decode("ascii", "replace") if len(fields) > 1 else ""
