"""The edgenode.toml of a document: what the loader reads is what was signed, and nothing else."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgenode.config import parse
from edgenode.errors import ConfigError
from edgenode.provision.configuration import configuration, render
from edgenode.provision.document import read, sign
from edgenode.provision.issue import composed, template
from edgenode.provision.tables import Document
from edgenode.provision.toml import Known, Writer
from tests.support.nodejson import CITY, TEMPLATE, changed, city, problems, text, whole

MOMENT = "2026-11-26T09:00:00Z"


def every_wire() -> dict[str, Any]:
    """A document with the tables of the configuration that has every kind of wire."""
    return composed("0a1b2c3d4e5f6071", 1, MOMENT, template(TEMPLATE).common, [])


def made(value: dict[str, Any]) -> Document:
    return read(text(sign(value, CITY)), [city()])


@pytest.mark.parametrize("value", [whole(), every_wire()], ids=["every member", "every wire"])
def test_the_loader_reads_what_was_signed(value: dict[str, Any]) -> None:
    document = made(value)
    found = tomllib.loads(render(document))
    expected = configuration(document.raw)
    assert found == {name: table for name, table in expected.items() if table != {}}
    assert parse(render(document)).node.id == document.node.id


def test_the_file_of_an_edgenode_toml_is_that_configuration_again() -> None:
    ours, theirs = parse(render(made(every_wire()))), parse(TEMPLATE.read_text(encoding="utf-8"))
    for name in ("site", "spool", "budget", "recovery", "lamp", "buses", "sensors"):
        assert getattr(ours, name) == getattr(theirs, name)


def test_brokers_get_the_files_that_the_node_makes() -> None:
    plain = whole() | {"brokers": [{"host": "a", "tls": False}, {"host": "b"}]}
    first, second = parse(render(made(plain))).uplink.broker
    assert (first.ca, first.cert, first.key) == (None, None, None)
    assert (second.ca, second.cert) == (None, Path("/etc/edgenode/tls/node.pem"))
    assert second.key == Path("/etc/edgenode/tls/node.key")


def test_the_same_document_is_the_same_text_whatever_the_order_of_its_members() -> None:
    backwards = dict(reversed(sign(whole(), CITY).items()))
    assert render(read(text(backwards), [city()])) == render(made(whole()))


def test_it_reads_as_a_person_would_have_written_it() -> None:
    lines = render(made(whole())).splitlines()
    assert lines[0].startswith("# Made from node.json, serial 7, issued 2026-11-26T09:00:00Z")
    assert lines[lines.index("schema = 1") + 2].startswith("[node]  ")
    assert any(line.startswith("address = 0x76 ") for line in lines)  # as i2cdetect shows it
    assert '"air of the street" = "거리의 공기"' in lines
    assert any(line.startswith("clear = { scl = 23, sda = 24 }  # ") for line in lines)
    assert "[sensor.channel.temperature]" in {line.split("  ")[0] for line in lines}
    remarks = [line.partition("  # ")[2] for line in lines if "  # " in line]
    assert sum("how often it is read" in remark for remark in remarks) == 1
    assert all(len(line) <= 100 for line in lines if "  # " in line)


def test_no_member_beside_the_configuration_is_in_it() -> None:
    rendered = render(made(whole()))
    for word in ("psk", "horse", "token", "est.city", "ssh-ed25519", "proxy.example", "iot"):
        assert word not in rendered


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("sensors", 0, "every_s"), 1e-3),
        (("sensors", 0, "adress"), 1),
        (("sensors", 0, "channel", "humidity"), {"purpos": "x"}),
        (("sensors", 1, "driver"), "sht4"),
        (("sensors", 0, "derived"), ["dew_pont"]),
        (("sensors", 0, "channel", "temperature", "twin"), "nobody/temperature"),
        (("buses", 0, "path"), "i2c-1"),
        (("buses", 0, "kind"), "spi"),
        (("spool", "cap_mb"), 1),
        (("site", "privacy"), "secret"),
        (("uplink", "prefix"), "a b"),
        (("budget", "month_mb"), 1),
        (("lamp", "line"), 23),
    ],
)
def test_provisioning_says_what_the_check_of_the_file_says(place: Any, value: Any) -> None:
    raw = configuration(changed(place, value))
    writer = Writer("schema = 1")
    for name in ("node", "site", "uplink", "spool", "budget", "lamp", "clock", "recovery"):
        writer.table((name,), raw[name], Known())
    for name in ("bus", "sensor"):
        for row in raw[name]:
            writer.table((name,), row, Known(), row=True)
    with pytest.raises(ConfigError) as caught:
        parse("\n".join(writer.lines))
    theirs = [problem.partition(": ")[2] for problem in caught.value.problems]
    ours = problems(text(changed(place, value)))
    assert sorted(ours) == sorted(
        one.replace("sensor[", "sensors[").replace("bus[", "buses[") for one in theirs
    )


values = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-(2**53) + 1, 2**53 - 1),
        st.floats(allow_nan=False, allow_infinity=False),
        st.text(max_size=60),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.text(max_size=12), inner, max_size=4)
    ),
    max_leaves=20,
)
tables = st.dictionaries(st.text(max_size=12), values, max_size=6)


@settings(max_examples=100, deadline=None)
@given(tables)
def test_any_table_is_read_back_as_it_was(table: dict[str, Any]) -> None:
    writer = Writer()
    writer.table(("t",), table, Known())
    assert tomllib.loads("\n".join(writer.lines)) == {"t": table}
