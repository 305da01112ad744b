"""The network of a document, as NetworkManager and apt themselves read what is made of it."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from edgenode.provision.network import APT, DIRECTORY, TIME, files
from edgenode.provision.settings import Setting
from edgenode.provision.tables import NetworkTable
from tests.support.libnm import read

PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


def made(network: dict[str, Any]) -> dict[str, Setting]:
    table = msgspec.convert(network, NetworkTable)
    return {Path(one.path).name: one for one in files(table)}


def connection(network: dict[str, Any], name: str) -> str:
    """Return what NetworkManager understands of one of the files."""
    one = made(network)[f"edgenode-{name}.nmconnection"]
    assert one.path.startswith(f"{DIRECTORY}/")
    assert one.mode == 0o600  # it ignores what others may read
    return read(one.text)


def quoted(text: str) -> str:
    """Return text as GVariant prints it: in the other quotes where it has single ones."""
    mark = '"' if "'" in text else "'"
    inside = text.replace("\\", "\\\\").replace(mark, f"\\{mark}")
    return f"{mark}{inside}{mark}"


def test_the_cable_asks_for_an_address_where_nothing_is_said() -> None:
    found = connection({}, "ethernet")
    assert found.count("'method': <'auto'>") == 2


def test_an_address_of_its_own_is_the_only_one_of_the_cable() -> None:
    row = {"address": "10.0.0.5/24", "gateway": "10.0.0.1", "dns": ["10.0.0.1", "9.9.9.9"]}
    found = connection({"ethernet": row}, "ethernet")
    assert "'address-data': <[{'address': <'10.0.0.5'>, 'prefix': <uint32 24>}]>" in found
    assert "'gateway': <'10.0.0.1'>, 'method': <'manual'>" in found
    assert "'dns-data': <['10.0.0.1', '9.9.9.9']>" in found
    assert "'method': <'disabled'>" in found  # IPv6


def test_an_address_of_ipv6_goes_where_it_belongs() -> None:
    row = {"address": "2001:db8::5/64", "gateway": "fe80::1", "dns": ["2001:db8::53"]}
    found = connection({"ethernet": row}, "ethernet")
    assert "'address': <'2001:db8::5'>, 'prefix': <uint32 64>" in found
    assert "'ipv4': {" in found
    assert found.index("'disabled'") < found.index("'manual'")


def test_name_servers_of_the_other_family_open_that_family() -> None:
    row = {"address": "10.0.0.5/24", "dns": ["2001:db8::53"]}
    found = connection({"ethernet": row}, "ethernet")
    assert "disabled" not in found
    assert "'dns-data': <['2001:db8::53']>" in found


def test_name_servers_may_be_given_beside_dhcp() -> None:
    found = connection({"ethernet": {"dhcp": True, "dns": ["9.9.9.9"]}}, "ethernet")
    assert "'dns-data': <['9.9.9.9']>" in found
    assert "manual" not in found


def test_networks_are_tried_in_their_order() -> None:
    rows = [{"ssid": f"net {number}", "psk": ""} for number in range(3)]
    found = [connection({"wifi": rows}, f"wifi-{number}") for number in (1, 2, 3)]
    ranks = [100, 99, 98]
    assert all(
        f"'autoconnect-priority': <{rank}>" in one for rank, one in zip(ranks, found, strict=True)
    )
    assert "security" not in found[0]


@pytest.mark.parametrize("seed", range(20))
def test_any_name_and_passphrase_arrive_as_they_were_given(seed: int) -> None:
    chance = random.Random(seed)
    letters = PRINTABLE + "도시무선망éß;#=[]\\ "
    for _ in range(10):
        ssid = "".join(chance.choices(letters, k=chance.randint(1, 10)))
        psk = "".join(chance.choices(PRINTABLE, k=chance.randint(8, 63)))
        found = connection({"wifi": [{"ssid": ssid, "psk": psk}]}, "wifi-1")
        numbers = [f"{byte:#04x}" for byte in ssid.encode()]
        assert f"'ssid': <[byte {', '.join(numbers)}]>" in found
        assert f"'psk': <{quoted(psk)}>" in found, psk


@pytest.mark.parametrize(
    "psk", [" leading", "trailing   ", "        ", "a\\sb\\tc\\\\", "#;=[x]yz"]
)
def test_spaces_and_backslashes_are_kept(psk: str) -> None:
    assert f"'psk': <{quoted(psk)}>" in connection({"wifi": [{"ssid": "s", "psk": psk}]}, "wifi-1")


def test_a_key_in_hexadecimal_is_taken_as_one() -> None:
    key = "0123456789abcdef" * 4
    assert f"'psk': <'{key}'>" in connection({"wifi": [{"ssid": "s", "psk": key}]}, "wifi-1")


def test_a_modem_has_its_access_point() -> None:
    row = {"name": "iot.example", "user": "city", "password": " p;w\\", "pin": "0042"}
    found = connection({"apn": row}, "mobile")
    assert "'type': <'gsm'>" in found
    for key, value in (("apn", "iot.example"), ("username", "city"), ("pin", "0042")):
        assert f"'{key}': <'{value}'>" in found
    assert "'password': <' p;w\\\\'>" in found


def test_the_same_document_makes_the_same_files_and_each_has_a_name_of_its_own() -> None:
    network = {"wifi": [{"ssid": "a", "psk": ""}, {"ssid": "b", "psk": ""}]}
    assert made(network) == made(network)
    lines = [line for one in made(network).values() for line in one.text.splitlines()]
    uuids = [line for line in lines if line.startswith("uuid=")]
    assert len(uuids) == len(set(uuids)) == 3


def test_time_servers_go_to_timesyncd() -> None:
    found = made({"ntp": ["ntp.city.example", "2001:db8::123"]})[Path(TIME).name]
    assert (found.path, found.text) == (TIME, "[Time]\nNTP=ntp.city.example 2001:db8::123\n")


@pytest.mark.parametrize("proxy", ["http://proxy.example:3128", 'http://u:p";Foo"@proxy:3128'])
def test_a_proxy_goes_to_apt_and_nothing_with_it(proxy: str, tmp_path: Path) -> None:
    one = made({"proxy": proxy})[Path(APT).name]
    assert one.mode == 0o600
    (tmp_path / "proxy").write_text(one.text)
    words = ["apt-config", "-c", str(tmp_path / "proxy"), "dump", "--format", "%F=%v%n"]
    found = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    wanted = proxy.replace('"', "%22")
    assert f"Acquire::https::Proxy={wanted.replace('%', '%25')}" in found or (
        f"Acquire::https::Proxy={wanted}" in found
    )
    assert not [line for line in found if line.startswith("Foo")]


def test_nothing_more_is_made_than_was_said() -> None:
    assert list(made({})) == ["edgenode-ethernet.nmconnection"]
