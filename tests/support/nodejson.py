"""A node.json without mistakes, a key of the city, and what is told of one that was changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edgenode.errors import ProvisionError
from edgenode.provision.document import read
from edgenode.provision.issue import put
from edgenode.provision.keys import PublicKey, public_of

Object = dict[str, Any]
Place = tuple[str | int, ...]

CITY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
STRANGER: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))
SECRETS: Final = ("right horse battery", "s3cret-user-password", "4321", "one-time-token", "w:ord")
SSH_KEY: Final = (
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl maintainer"
)
TEMPLATE: Final = Path(__file__).parents[2] / "deploy" / "edgenode.toml"  # every kind of wire


def city() -> PublicKey:
    """The key that nodes of these tests trust."""
    return public_of(CITY.public_key(), "city.pub")


def whole() -> Object:
    """A document with every member, not signed yet."""
    return {
        "version": 1,
        "serial": 7,
        "issued": "2026-11-26T09:00:00Z",
        "node": {"id": "0a1b2c3d4e5f6071"},
        "site": {
            "name": "Sejong-daero",
            "latitude": 37.5692,
            "longitude": 126.9779123,
            "purpose": "air of the street",
            "ko": {"air of the street": "거리의 공기", "Sejong-daero": "세종대로"},
        },
        "network": {
            "ethernet": {"address": "10.0.0.5/24", "gateway": "10.0.0.1", "dns": ["10.0.0.1"]},
            "wifi": [{"ssid": "시청", "psk": SECRETS[0]}],
            "apn": {"name": "iot.example", "user": "u", "password": SECRETS[1], "pin": SECRETS[2]},
            "proxy": f"http://proxy:{SECRETS[4]}@proxy.example:3128",
            "ntp": ["ntp.city.example"],
        },
        "brokers": [{"host": "mqtt.city.example"}, {"host": "10.0.0.9", "port": 8884}],
        "uplink": {"prefix": "edgenode/v1", "custody": "city"},
        "enrol": {"est": "https://est.city.example:8443", "token": SECRETS[3]},
        "buses": [
            {"name": "i2c1", "kind": "i2c", "path": "/dev/i2c-1", "clear": {"scl": 23, "sda": 24}}
        ],
        "sensors": [
            {
                "name": "square",
                "driver": "bme280",
                "bus": "i2c1",
                "every_s": 10,
                "address": 0x76,
                "purpose": "air of the street",
                "channel": {"temperature": {"high": 60.5}},
            },
            {"name": "shade", "driver": "sht4x", "bus": "i2c1", "every_s": 2.5, "purpose": "shade"},
        ],
        "clock": {"manual_err_ms": 60_000},
        "spool": {"cap_mb": 128},
        "budget": {"day_mb": 20},
        "recovery": {"reboot": False},
        "lamp": {"line": 21},
        "ssh_keys": [SSH_KEY],
    }


def changed(place: Place, value: Any) -> Object:
    """The document with another value at a place."""
    made: Object = put(whole(), place, value)
    return made


def without(place: Place) -> Object:
    """The document without the member at a place."""
    *around, last = place
    made = whole()
    inner: Any = made
    for part in around:
        inner = inner[part]
    del inner[last]
    return made


def text(value: Mapping[str, Any]) -> bytes:
    """An object as a file."""
    return json.dumps(value, ensure_ascii=False).encode()


def problems(data: bytes, *keys: PublicKey) -> list[str]:
    """What is wrong with a file; of a signature only where keys are given."""
    with pytest.raises(ProvisionError) as caught:
        read(data, keys or None)
    return caught.value.problems
