"""A reload knows exactly what it must touch."""

import msgspec
import pytest

from edgenode.config import parse
from edgenode.config.changes import Changes, changes
from tests.support.toml import DUST, PULSE, WELL, changed

ALL = WELL + PULSE + DUST
RULED = (
    '[sensor.channel.temperature]\nhigh = 40\n[sensor.channel.temperature.calibration]\nid = "a"\n'
)
RULED += 'date = "2026-01-01"\npolynomial = [0, 1.5]\n'


def compared(new: str, old: str = ALL) -> Changes:
    return changes(parse(old), parse(new))


def test_the_same_file_read_twice_changes_nothing() -> None:
    text = WELL + RULED + PULSE
    again = compared(text, text)
    assert again.nothing
    assert again.untouched == ("i2c1", "pins")


def test_order_and_comments_change_nothing() -> None:
    head, sensor = WELL[: WELL.index("[[sensor]]")], WELL[WELL.index("[[sensor]]") :]
    assert compared(f"# other\n{head}{PULSE}{sensor}", WELL + PULSE).nothing


def test_a_default_that_is_written_out_changes_nothing() -> None:
    assert compared(ALL.replace("address = 0x76\n", "")).nothing
    assert compared(ALL.replace("[site]", "[recovery]\nreboot = true\n[site]")).nothing


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("every_s = 1\naddress", "every_s = 2\naddress"),
        ("0x76", "0x77"),
        ("air of the street", "heat"),
        ('path = "/dev/i2c-1"', 'path = "/dev/i2c-2"'),
        ('path = "/dev/i2c-1"', 'path = "/dev/i2c-1"\npower = { line = 4 }'),
        ('name = "street"', 'name = "road"'),
        (
            'purpose = "air of the street"\n',
            'purpose = "air of the street"\nderived = ["dew_point"]\n',
        ),
        ('purpose = "air of the street"\n', f'purpose = "air of the street"\n{RULED}'),
    ],
)
def test_what_a_bus_is_told_touches_that_bus_alone(old: str, new: str) -> None:
    found = compared(changed(old, new, ALL))
    assert found == Changes(untouched=("pins", "dust"), altered=("i2c1",))


def test_a_digit_of_a_calibration_alters_its_bus() -> None:
    assert compared(WELL + RULED.replace("1.5", "1.6"), WELL + RULED).altered == ("i2c1",)


def test_another_driver_with_equal_options_alters_its_bus() -> None:
    text = ALL.replace('"bme280"', '"sht4x"').replace("address = 0x76\n", "address = 0x44\n")
    assert compared(text).altered == ("i2c1",)


def test_a_bus_that_comes_or_goes_is_named() -> None:
    assert compared(WELL + PULSE) == Changes(untouched=("i2c1", "pins"), gone=("dust",))
    assert compared(ALL, WELL + PULSE) == Changes(untouched=("i2c1", "pins"), new=("dust",))


def test_a_sensor_that_comes_alters_its_bus() -> None:
    assert compared(WELL + PULSE, WELL).altered == ("pins",)


@pytest.mark.parametrize(
    ("told", "text"),
    [
        (Changes(site=True), changed("latitude = 52.1", "latitude = 52.2", ALL)),
        (Changes(uplink=True), changed('"broker.example"', '"other.example"', ALL)),
        (Changes(budget=True), ALL + "[budget]\nday_mb = 1\n"),
        (Changes(recovery=True), ALL + "[recovery]\nreboot = false\n"),
        (Changes(lamp=True), ALL + "[lamp]\nline = 4\n"),
    ],
)
def test_a_table_that_differs_is_told_alone(told: Changes, text: str) -> None:
    found = compared(text)
    assert found == msgspec.structs.replace(told, untouched=("i2c1", "pins", "dust"))
    assert not found.nothing


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("0a1b2c3d", "0a1b2c3e", "node.id"),
        ("/var/lib/edgenode", "/srv", "node.state"),
        ("[site]", "[spool]\ncap_mb = 8\n[site]", "spool.cap_mb"),
        ("[site]", "[clock]\nmanual_err_ms = 8\n[site]", "clock.manual_err_ms"),
        ('prefix = "edgenode/v1"', 'custody = "broker"', "uplink.custody"),
    ],
)
def test_what_only_a_restart_can_change_is_said_in_a_sentence(old: str, new: str, key: str) -> None:
    found = compared(changed(old, new, ALL))
    assert found.restart == (f"{key} needs a restart: systemctl restart edgenode",)
    assert not found.uplink
    assert not found.nothing
