from dataclasses import fields
from pathlib import Path

import pytest

from edgenode.config import parse
from edgenode.errors import NodeError
from edgenode.node import parts, sensors
from edgenode.reading import Event, Group, Sample, Total
from edgenode.sensing import Wires
from edgenode.wire import decode, encode, schema_of

HEAD = """\
schema = 1
[node]
id = "0a1b2c3d"
state = "/s"
[site]
name = "Square"
latitude = 52.0
purpose = "air"
[spool]
cap_mb = 8
commit_interval_s = 1
window_s = 2
[uplink]
custody = "broker"
[[uplink.broker]]
host = "one"
[[uplink.broker]]
host = "two"
tls = false
[[bus]]
name = "wire"
kind = "i2c"
path = "/dev/i2c-1"
[[bus]]
name = "pins"
kind = "gpio"
path = "/dev/gpiochip0"
"""
AIR = """\
[[sensor]]
name = "air"
driver = "bme280"
purpose = "air"
bus = "wire"
every_s = 2
serial = "s-1"
stamp_ms = 7
"""
RAIN = """\
[[sensor]]
name = "rain"
driver = "pulse"
purpose = "rain"
bus = "pins"
every_s = 10
line = 4
observed = "Rain/volume"
"""


class Nowhere:
    """A sink that nothing is sampled into."""

    epoch = 1

    def append(self, gid: int, t_ms: int, sample: Sample) -> None: ...
    def event(self, t_ms: int, gid: int | None, event: Event) -> None: ...
    def set_total(self, channel: str, value: int, t_ms: int) -> None: ...
    def total(self, channel: str) -> Total | None:
        return None


def test_channels_are_named_by_sensor_and_quantity() -> None:
    group = sensors.groups(parse(HEAD + AIR + RAIN))[0]
    assert [channel.name for channel in group.channels] == [
        "air/temperature",
        "air/humidity",
        "air/pressure",
    ]
    first = group.channels[0]
    assert (first.period_ms, first.model, first.serial, first.stamp_ms) == (
        2000,
        "BME280",
        "s-1",
        7,
    )


def test_what_only_the_configuration_knows_is_in_the_birth() -> None:
    assert sensors.groups(parse(HEAD + AIR + RAIN))[1].channels[0].observed == "Rain/volume"


def schema(groups: dict[int, Group]) -> bytes:
    return schema_of({gid: group.channels for gid, group in groups.items()})


def test_the_order_of_the_file_changes_no_schema() -> None:
    one, other = sensors.groups(parse(HEAD + AIR + RAIN)), sensors.groups(parse(HEAD + RAIN + AIR))
    assert one == other
    assert schema(one) == schema(other)
    assert schema(sensors.groups(parse(HEAD + AIR))) != schema(one)


def test_seconds_and_megabytes_become_what_the_spool_counts_in() -> None:
    options = parts.spool_options(parse(HEAD))
    assert options.directory == Path("/s/spool")
    assert (options.cap_bytes, options.commit_interval_ms) == (8 << 20, 1000)
    assert (options.window_ms, options.offline_window_ms) == (2000, 600_000)
    assert options.custody == "broker"


def test_ports_follow_from_tls() -> None:
    options = parts.uplink_options(parse(HEAD))
    assert [(broker.host, broker.port, broker.tls) for broker in options.brokers] == [
        ("one", 8883, True),
        ("two", 1883, False),
    ]
    assert options.node == bytes.fromhex("0a1b2c3d")
    assert options.farewell_ms < 2000


def test_about_says_what_was_written_and_nothing_else() -> None:
    about = parts.about(parse(HEAD), "a board")
    assert decode(encode(about)) == about
    assert about.site == {"name": "Square", "latitude": 52.0}
    assert about.transparency["purpose"] == "air"
    assert {"accountable", "retention", "access", "contact", "url"}.isdisjoint(about.transparency)
    assert {field.name for field in fields(about)} >= {"firmware", "hardware"}


def test_about_says_what_is_measured_and_what_for_in_two_languages() -> None:
    about = parts.about(parse(HEAD + AIR + RAIN), "a board")
    assert decode(encode(about)) == about
    texts = about.transparency
    assert "temperature; humidity of the air; air pressure \N{EM DASH} air" in texts["senses_en"]
    assert "기압" in texts["senses_ko"]
    assert "No pictures" in texts["never_en"]
    assert "weather_station" in texts["dtpr"].split()
    assert texts["privacy"] == "internal"


def test_a_wire_that_this_node_cannot_speak_is_refused_at_the_start() -> None:
    config = parse(HEAD + AIR)
    sensor = config.sensors[0]
    spi = type("Spi", (), {"wire": "spi", "model": "x"})
    with pytest.raises(NodeError, match="spi"):
        Wires("/dev/spidev0").opener(spi, sensor.options)
