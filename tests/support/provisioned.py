"""A machine that is about to be provisioned, below a directory, and documents for it."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from edgenode.provision.canonical import pretty
from edgenode.provision.document import sign
from edgenode.provision.places import Places
from tests.support.pki import DAY, Ca, named

NODE = "0a1b2c3d4e5f6071"
TOKEN = "only-once"  # noqa: S105 - of tests
NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
CITY_KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
BOOT = "boot/firmware"
DOCUMENT: dict[str, Any] = {
    "version": 1,
    "serial": 7,
    "issued": "2026-11-26T09:00:00Z",
    "node": {"id": NODE},
    "site": {"name": "광장", "latitude": 37.5692, "longitude": 126.9779},
    "network": {
        "ethernet": {"address": "10.0.0.5/24", "gateway": "10.0.0.1", "dns": ["10.0.0.1"]},
        "wifi": [{"ssid": "도시", "psk": "correct horse"}, {"ssid": "open", "psk": ""}],
        "apn": {"name": "iot.example", "pin": "1234"},
        "proxy": "http://user:secret@proxy.example:3128",
        "ntp": ["ntp.city.example"],
    },
    "brokers": [{"host": "mqtt.city.example"}],
    "enrol": {"est": "https://est.city.example:8443", "token": TOKEN},
    "buses": [{"name": "self", "kind": "sysfs", "path": "/"}],
    "sensors": [{"name": "node", "driver": "health", "bus": "self", "every_s": 60}],
    "ssh_keys": ["ssh-ed25519 " + "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 42 + "E maintainer"],
}
SECRETS = (TOKEN, "correct horse", "1234", "user:secret")


def document(**changes: Any) -> dict[str, Any]:
    """Return the document with other members; None takes one out."""
    made = copy.deepcopy(DOCUMENT) | changes
    return {name: value for name, value in made.items() if value is not None}


def machine(root: Path) -> Places:
    """Make a machine with the users of the image and an empty boot partition."""
    (root / BOOT).mkdir(parents=True)
    (root / "etc").mkdir()
    (root / "home/maintainer").mkdir(parents=True)
    people = f"{_number()}:{_number()}"
    (root / "etc/passwd").write_text(
        f"root:x:{people}:root:/root:/bin/sh\nmaintainer:x:{people}::/home/maintainer:/bin/sh\n"
    )
    (root / "etc/group").write_text("edgenode:x:990:\n")
    return places(root)


def _number() -> int:
    import os  # noqa: PLC0415 - the tests may be those of any user

    return os.getuid()


def places(root: Path) -> Places:
    """Return the places of that machine; whose files are is not what these tests are about."""
    return Places(root, root / BOOT)


def public_key(key: Ed25519PrivateKey = CITY_KEY) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def insert(where: Places, made: dict[str, Any], key: Ed25519PrivateKey = CITY_KEY) -> bytes:
    """Copy a document and the key that signed it to the boot partition, as an installer does."""
    data = pretty(sign(made, key))
    (where.boot / "node.json").write_bytes(data)
    (where.boot / "city.pub").write_bytes(public_key(key))
    return data


def ready(ca: Ca, *, node: str = NODE, days: int = 90, **more: Any) -> dict[str, str]:
    """Return the member `enrol` with a ready certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    made = ca.issue(key.public_key(), named(node), NOW - 100 * DAY, NOW + days * DAY, **more)
    chain = [made, ca.certificate]
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return {
        "certificate": b"".join(one.public_bytes(Encoding.PEM) for one in chain).decode(),
        "key": pem.decode(),
    }


def status(where: Places) -> str:
    """Return what the boot partition tells any laptop."""
    return (where.boot / "status.txt").read_bytes().decode()


def lamp(where: Places) -> Path:
    """Give the board its lamp, which shows the card at work."""
    made = where.root / "sys/class/leds/ACT"
    made.mkdir(parents=True)
    (made / "trigger").write_text("none [mmc0] timer heartbeat")
    return made
