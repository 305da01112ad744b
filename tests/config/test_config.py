from pathlib import Path

import msgspec
import pytest

from edgenode.config import load, parse
from edgenode.errors import ConfigError
from tests.support.toml import WELL, changed, problems


def test_a_whole_file_becomes_frozen_values() -> None:
    config = parse(WELL)
    assert config.node.id == "0a1b2c3d"
    assert config.uplink.broker[0].tls
    assert config.uplink.custody == "city"
    assert config.spool.commit_interval_s == 5
    street = config.sensors[0]
    assert (street.every_ms, street.bus.path) == (1000, "/dev/i2c-1")
    assert street.driver.model == "BME280"
    with pytest.raises(AttributeError):
        config.node.id = "00000000"  # type: ignore[misc]


def test_a_misspelt_key_is_refused_with_its_line_and_the_likely_word() -> None:
    line = WELL.splitlines().index('prefix = "edgenode/v1"') + 1
    assert problems(changed("prefix = ", "prefx = ")) == [
        f"n.toml:{line}: uplink.prefx: unknown key; did you mean 'prefix'?"
    ]


def test_a_misspelt_driver_option_is_refused_like_any_other_key() -> None:
    assert problems(changed("address = 0x76", "adress = 0x76")) == [
        "n.toml:35: sensor[0].adress: unknown key; did you mean 'address'?"
    ]


def test_a_misspelt_table_is_refused() -> None:
    assert problems(changed("[site]", "[sites]")) == [
        "n.toml:7: sites: unknown key; did you mean 'site'?"
    ]


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = changed('id = "0a1b2c3d"', 'id = "XYZ"').replace("every_s = 1", "every_s = 0")
    text = text.replace('kind = "gpio"', 'kind = "gpoi"').replace(
        "latitude = 52.1", "latitude = 152"
    )
    found = problems(text)
    assert [problem.split(":")[1] for problem in found] == ["4", "9", "27", "34"]
    assert "4 to 16 bytes" in found[0]
    assert "degrees" in found[1]
    assert "0.001 to 86400" in found[3]


def test_a_missing_key_is_told_at_its_table() -> None:
    (problem,) = problems(changed('host = "broker.example"\n', ""))
    assert problem.startswith("n.toml:16: uplink.broker[0]: host is missing; a host name")


@pytest.mark.parametrize("uplink", ["", "[uplink]\n", "[uplink]\nbroker = []\n"])
def test_a_file_without_a_broker_is_taken_and_a_note_says_that_nothing_is_sent(uplink: str) -> None:
    text = WELL[: WELL.index("[uplink]")] + uplink + WELL[WELL.index("[[bus]]") :]
    config = parse(text, "n.toml")
    assert config.uplink.broker == ()
    (note,) = [warning for warning in config.warnings if "no broker is named" in warning]
    assert "nothing is sent" in note
    assert "provision this node" in note


def test_a_driver_that_is_not_installed_is_named_with_those_that_are() -> None:
    (problem,) = problems(changed('driver = "bme280"', 'driver = "bme180"'))
    assert problem.startswith("n.toml:32: sensor[0].driver: driver 'bme180' is not installed")
    assert "bme280" in problem


def test_a_sensor_on_no_bus_or_on_the_wrong_kind_is_refused() -> None:
    assert problems(changed('bus = "i2c1"', 'bus = "i2c9"')) == [
        "n.toml:33: sensor[0].bus: no [[bus]] has this name; did you mean 'i2c1'?"
    ]
    assert problems(changed('bus = "i2c1"', 'bus = "pins"')) == [
        "n.toml:33: sensor[0].bus: driver needs i2c, this bus is gpio"
    ]


def test_two_sensors_cannot_have_one_address_on_one_bus() -> None:
    twin = WELL[WELL.index("[[sensor]]") :].replace('"street"', '"twin"')
    assert problems(WELL + twin) == [
        "n.toml:42: sensor[1].address: is the same as that of sensor[0]"
    ]


def test_a_default_address_counts_as_one() -> None:
    twin = WELL[WELL.index("[[sensor]]") :].replace('"street"', '"twin"')
    text = WELL + twin.replace("address = 0x76\n", "")
    assert problems(text) == ["n.toml:37: sensor[1].address: is the same as that of sensor[0]"]


def test_two_sensors_cannot_have_one_name() -> None:
    twin = WELL[WELL.index("[[sensor]]") :].replace("0x76", "0x77")
    assert problems(WELL + twin) == ["n.toml:38: sensor[1].name: is the same as that of sensor[0]"]


def test_more_counters_than_a_commit_carries_are_refused() -> None:
    pulse = (
        '[[sensor]]\nname = "p{n}"\ndriver = "pulse"\npurpose = "p"\n'
        'bus = "pins"\nevery_s = 1\nline = {n}\n'
    )
    assert parse(WELL + "".join(pulse.format(n=n) for n in range(64))).sensors
    (problem,) = problems(WELL + "".join(pulse.format(n=n) for n in range(65)))
    assert "more than 64 counters" in problem


def test_both_energies_of_a_meter_are_counters() -> None:
    port = '[[bus]]\nname = "rs485"\nkind = "serial"\npath = "/dev/serial/by-id/usb-a"\n'
    meter = (
        '[[sensor]]\nname = "m{n}"\ndriver = "sdm120"\npurpose = "p"\n'
        'bus = "rs485"\nevery_s = 900\naddress = {n}\n'
    )
    assert parse(WELL + port + "".join(meter.format(n=n) for n in range(1, 33))).sensors
    (problem,) = problems(WELL + port + "".join(meter.format(n=n) for n in range(1, 34)))
    assert "sensor[33]" in problem
    assert "more than 64 counters, both energies of a meter included" in problem


def test_another_schema_is_refused() -> None:
    assert problems(changed("schema = 1", "schema = 2")) == [
        "n.toml:1: schema: write `schema = 1`; this edgenode reads no other"
    ]


def test_what_is_no_toml_is_told_with_line_and_column() -> None:
    (problem,) = problems(changed('kind = "gpio"', 'kind = "gpio'))
    assert problem.startswith("n.toml:27:13: not valid TOML: ")


@pytest.mark.parametrize("text", ["node = 3", "sensor = 3", "uplink = []", "bus = [1, 2]", ""])
def test_a_table_of_the_wrong_shape_is_a_mistake_and_no_crash(text: str) -> None:
    assert problems(text)


def test_a_certificate_without_its_key_is_refused() -> None:
    (problem,) = problems(changed('[[bus]]\nname = "i2c1"', 'cert = "/c"\n[[bus]]\nname = "i2c1"'))
    assert "cert and key" in problem


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        load(tmp_path / "none.toml")


def test_a_secret_cannot_be_written_into_the_file() -> None:
    (problem,) = problems(changed('ca = "/etc', 'password = "x"\nca = "/etc'))
    assert "did you mean 'password_file'?" in problem


def test_the_values_of_the_shipped_example_are_accepted() -> None:
    config = load(Path(__file__).parents[2] / "deploy" / "edgenode.toml")
    assert config.sensors
    assert msgspec.structs.asdict(config.clock) == {"manual_err_ms": None}


@pytest.mark.parametrize(
    ("old", "new", "slip"),
    [
        ("every_s = 1", "every_s = 0,5", "numbers have a point, not a comma"),
        ('driver = "bme280"', "driver = bme280", "text stands in quotes"),
        ('driver = "bme280"', 'driver = "bme280', "lacks its closing quote"),
        ('driver = "bme280"', 'driver "bme280"', "write key = value"),
        ('driver = "bme280"', 'driver = "bme280"\ndriver = "sht4x"', "it is there already"),
        (
            "[[sensor]]",
            "[sensor]\nname = 1\n[[sensor]]",
            "several of one kind are written [[name]]",
        ),
        ("[site]", "[site]\n[site]", "it is there already"),
    ],
)
def test_an_installers_slip_is_named_where_the_file_is_no_toml(
    old: str, new: str, slip: str
) -> None:
    (problem,) = problems(changed(old, new))
    assert "not valid TOML: " in problem
    assert slip in problem
