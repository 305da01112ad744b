"""The document that `edgenode disclose` and the message `about` tell a node's senses from."""

from __future__ import annotations

from typing import Any, Final

from edgenode.config import Config, Sensor
from edgenode.node.documents import FORMAT, Document
from edgenode.node.sensors import groups
from edgenode.reading import Channel, Group, Kind, Privacy
from edgenode.sensing.channels import RAW, REGISTER

DAEMON: Final = "daemon"
TOLD: Final = (
    "name", "latitude", "longitude", "purpose", "accountable", "retention", "access", "contact",
    "url", "privacy",
)  # fmt: skip


def disclosed(config: Config, source: str = DAEMON, utc_ms: int | None = None) -> Document:
    """Return what this configuration senses and what [site] says of it; docs/cli.md has the fields.

    `source` is the file it was read from, or "daemon" where it runs.
    """
    brokers = config.uplink.broker
    by_name = {group.channels[0].name.partition("/")[0]: group for group in groups(config).values()}
    return {
        "format": FORMAT,
        "source": source,
        "utc_ms": utc_ms,
        "node": config.node.id,
        "site": {key: getattr(config.site, key) for key in TOLD},
        "translations": {"en": dict(config.site.en), "ko": dict(config.site.ko)},
        "dtpr": list(config.site.dtpr),
        "encrypted": bool(brokers) and all(broker.tls for broker in brokers),
        "sensors": [_sensor(sensor, by_name[sensor.name]) for sensor in config.sensors],
    }


def purpose_of(sensor: Sensor, quantity: str) -> str:
    """Return why a channel is measured: its own purpose, else its sensor's, else its part's."""
    quantity = quantity.removesuffix(RAW).removesuffix(REGISTER)
    own = sensor.channel.get(quantity)
    purpose: str = (own.purpose if own else "") or sensor.purpose or sensor.driver.purpose
    return purpose


def _sensor(sensor: Sensor, group: Group) -> dict[str, Any]:
    return {
        "sensor": sensor.name,
        "model": sensor.driver.model,
        "every_ms": sensor.every_ms,
        "household": sensor.household,
        "channels": [_channel(sensor, channel) for channel in group.channels],
    }


def _channel(sensor: Sensor, channel: Channel) -> dict[str, Any]:
    quantity = channel.name.partition("/")[2]
    return {
        "quantity": quantity,
        "unit": channel.unit,
        "kind": Kind(channel.kind).name.lower(),
        "observed": channel.observed,
        "privacy": Privacy(channel.privacy).name.lower(),
        "purpose": purpose_of(sensor, quantity),
        "derived": quantity in sensor.derived,
    }
