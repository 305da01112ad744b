"""The JSON Schema, judged by a validator that is not ours."""

import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from edgenode.config import parse
from edgenode.config.schema import schema
from edgenode.driver import loadable
from tests.support.toml import DUST, PULSE, WELL, changed

EXAMPLE = Path(__file__).parents[2] / "deploy" / "edgenode.toml"
ALL = WELL + PULSE + DUST


@pytest.fixture(scope="module")
def judge() -> jsonschema.Draft202012Validator:
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def objections(judge: jsonschema.Draft202012Validator, text: str) -> list[str]:
    found = judge.iter_errors(tomllib.loads(text))
    return [".".join(map(str, error.absolute_path)) for error in found]


def test_the_shipped_example_is_valid(judge: jsonschema.Draft202012Validator) -> None:
    assert objections(judge, EXAMPLE.read_text(encoding="utf-8")) == []


def test_tables_of_two_drivers_that_are_called_alike_stay_apart() -> None:
    made = schema()["$defs"]
    tables = [
        made[f"sensor.{name}"]["properties"]["registers"]["items"]["$ref"].rpartition("/")[2]
        for name in ("modbus", "iec62056")
    ]
    assert tables == ["modbus.Register", "iec62056.Register"]
    assert made[tables[0]]["properties"].keys() != made[tables[1]]["properties"].keys()


def test_what_the_daemon_accepts_is_valid(judge: jsonschema.Draft202012Validator) -> None:
    text = (
        ALL + '[sensor.channel.pm25]\ncalibration = { id = "K", date = "2026-01-01", gain = 2 }\n'
    )
    assert parse(text)
    assert objections(judge, text) == []


@pytest.mark.parametrize(
    ("old", "new", "where"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ('id = "0a1b2c3d"\n', "", "node"),
        ("[site]", "[sites]", ""),
        ("latitude = 52.1", "latitude = 152", "site.latitude"),
        ('kind = "gpio"', 'kind = "gpoi"', "bus.1.kind"),
        ("address = 0x76", "adress = 0x76", "sensor.0"),
        ("address = 0x76", "address = 0x75", "sensor.0.address"),
        ("line = 17", "line = -1", "sensor.1.line"),
        ("line = 17\n", "", "sensor.1"),
        ('driver = "pulse"', 'driver = "plus"', "sensor.1.driver"),
        ("every_s = 60", "every_s = 0.5", "sensor.2.every_s"),
        ('ca = "/etc/edgenode/ca.pem"', 'ca = "ca.pem"', "uplink.broker.0.ca"),
        ('purpose = "dust"\n', "channel.pm26 = { low = 1 }\n", "sensor.2.channel"),
        ('purpose = "dust"\n', "channel.pm25 = { lo = 1 }\n", "sensor.2.channel.pm25"),
    ],
)
def test_what_the_daemon_refuses_in_a_table_is_not_valid(
    judge: jsonschema.Draft202012Validator, old: str, new: str, where: str
) -> None:
    assert objections(judge, changed(old, new, ALL)) == [where]


def walk(node: Any, path: str = "") -> list[tuple[str, dict[str, Any]]]:
    """Every property of every table."""
    found = []
    if isinstance(node, dict):
        for name, field in node.get("properties", {}).items():
            found.append((f"{path}.{name}", field))
        for key, inner in node.items():
            found += walk(inner, f"{path}.{key}")
    return found


def test_every_plain_key_is_explained_to_the_editor() -> None:
    plain = [(path, field) for path, field in walk(schema()) if "type" in field]
    assert len(plain) > 100
    assert [path for path, field in plain if not field.get("description")] == []


def test_every_driver_has_its_options_with_their_defaults() -> None:
    tables = schema()["$defs"]
    assert {name.removeprefix("sensor.") for name in tables if name.startswith("sensor.")} == set(
        loadable()
    )
    assert tables["sensor.bme280"]["properties"]["address"]["default"] == 0x76
    assert tables["sensor.pulse"]["properties"]["edge"]["enum"] == ["both", "falling", "rising"]
