"""A configuration without mistakes, and what is told about it once it was changed."""

from __future__ import annotations

import pytest

from edgenode.config import parse
from edgenode.errors import ConfigError

WELL = """\
schema = 1

[node]
id = "0a1b2c3d"
state = "/var/lib/edgenode"

[site]
name = "Corner of Main and 3rd"
latitude = 52.1
longitude = 4.3
purpose = "air quality of the street"

[uplink]
prefix = "edgenode/v1"

[[uplink.broker]]
host = "broker.example"
ca = "/etc/edgenode/ca.pem"

[[bus]]
name = "i2c1"
kind = "i2c"
path = "/dev/i2c-1"

[[bus]]
name = "pins"
kind = "gpio"
path = "/dev/gpiochip0"

[[sensor]]
name = "street"
driver = "bme280"
bus = "i2c1"
every_s = 1
address = 0x76
purpose = "air of the street"
"""
PULSE = """\
[[sensor]]
name = "loop"
driver = "pulse"
bus = "pins"
every_s = 1
line = 17
purpose = "traffic"
"""
DUST = """\
[[bus]]
name = "dust"
kind = "serial"
path = "/dev/serial/by-id/dust"
[[sensor]]
name = "pm"
driver = "pms5003"
bus = "dust"
every_s = 60
purpose = "dust"
"""


def problems(text: str) -> list[str]:
    """What is wrong with a whole file."""
    with pytest.raises(ConfigError) as caught:
        parse(text, "n.toml")
    return caught.value.problems


def changed(old: str, new: str, text: str = WELL) -> str:
    """The text with its only `old` replaced."""
    assert text.count(old) == 1
    return text.replace(old, new)


def line(of: str, text: str, nth: int = 0) -> int:
    """The number of the nth line that reads so."""
    return [n for n, one in enumerate(text.splitlines(), 1) if one == of][nth]
