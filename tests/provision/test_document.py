"""A document is taken as it was signed, or every mistake in it is named by its place."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from edgenode.errors import NodeError, ProvisionError
from edgenode.provision.canonical import MAX_TOLD, pretty
from edgenode.provision.document import digest, read, sign, stored, verify, without_secrets
from edgenode.provision.keys import public_of
from tests.support.certificates import Authority, Pair
from tests.support.nodejson import (
    CITY,
    SECRETS,
    SSH_KEY,
    STRANGER,
    Place,
    changed,
    city,
    problems,
    text,
    whole,
    without,
)
from tests.support.pki import Ca
from tests.support.provisioned import document, ready

MISTAKES: list[tuple[Place, Any, str]] = [
    (("version",), 2, "version: expected 1, found 2"),
    (("serial",), 0, "serial: expected a whole number from 1, found 0"),
    (("issued",), "2026-02-30T09:00:00Z", "issued: there is no such day or time of day"),
    (("nod",), {}, "nod: unknown key; did you mean 'node'?"),
    (("raw",), {}, "raw: unknown key; known here: version, serial"),
    (("node", "id"), "0A1B", "node.id: expected 4 to 16 bytes as lower-case"),
    (("node",), [], "node: expected an object, { … }, found a list"),
    (("site", "latitude"), 91, "site.latitude: expected degrees, -90 to 90, found 91"),
    (("site", "latitude"), 37.56920001, "site.latitude: at most 7 decimals"),
    (("site", "dtpr"), ["a b"], "site.dtpr[0]: expected "),
    (("site", "ko", "x"), "y", "site.ko.x: nothing else says 'x'"),
    (("network", "ethernet", "dhcp"), True, "network.ethernet.dhcp: the network gives the"),
    (("network", "ethernet"), {}, 'network.ethernet: write "dhcp": true, or an address'),
    (("network", "ethernet", "address"), "10.0.0.300/24", "network.ethernet.address: no address"),
    (("network", "ethernet", "address"), "10.0.0.0/24", "network.ethernet.address: 10.0.0.0 is"),
    (("network", "ethernet", "gateway"), "10.0.1.1", "network.ethernet.gateway: 10.0.1.1 is not"),
    (("network", "ethernet", "gateway"), "10.0.0.5", "network.ethernet.gateway: is the address"),
    (("network", "ethernet", "dns"), ["ns"], "network.ethernet.dns[0]: expected"),
    (("network", "ethernet", "dns"), ["1.2.3.4.5"], "network.ethernet.dns[0]: no IPv4 or IPv6"),
    (("network", "wifi"), {}, "network.wifi: expected a list, [ … ], found an object"),
    (("network", "wifi", 0), {"ssid": "a"}, "network.wifi[0]: psk is missing; write"),
    (("network", "wifi", 0, "psk"), "short", "network.wifi[0].psk: expected 8 to 63"),
    (("network", "wifi", 0, "ssid"), "시" * 11, "network.wifi[0].ssid: longer than 32 bytes"),
    (("network", "wifi"), [{"ssid": "a", "psk": ""}] * 2, "network.wifi[1].ssid: is the same"),
    (("network", "apn", "user"), "", "network.apn: give user and password together"),
    (("network", "apn", "pin"), "12", "network.apn.pin: expected 4 to 8 digits"),
    (("network", "proxy"), "socks://x", "network.proxy: expected http://HOST:PORT"),
    (("network", "proxy"), "http://[x", "network.proxy: has no host, or a port that there is not"),
    (("network", "proxy"), "http://u:p@:80", "network.proxy: has no host"),
    (("enrol", "est"), "https://est.example:99999", "enrol.est: has no host, or a port"),
    (("network", "ntp"), ["a b"], "network.ntp[0]: expected a host name"),
    (("network", "ntp"), ["ntp.example\n"], "network.ntp[0]: a host name has no space"),
    (("brokers",), [], "brokers: write at least one broker"),
    (("brokers", 0, "ca"), "/etc/ca.pem", "brokers[0].ca: unknown key; known here: host, port"),
    (("brokers", 1), {"host": "MQTT.city.example"}, "brokers[1]: is the same as brokers[0]"),
    (("brokers", 0), 5, "brokers[0]: expected an object, { … }, found 5"),
    (("uplink", "custody"), "nobody", 'uplink.custody: expected "city" or "broker"'),
    (("trust",), "PEM", "trust: expected certificates in PEM"),
    (
        ("trust",),
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "trust: holds something that is no certificate",
    ),
    (("enrol", "est"), "http://est.example", "enrol.est: expected https://HOST:PORT"),
    (("enrol", "token"), "", "enrol: EST needs est and token"),
    (("enrol",), {}, "enrol: give est and token, or certificate and key"),
    (("enrol", "key"), "PEM", "enrol.key: expected a private key in PEM"),
    (("buses", 0, "clear"), 5, "buses[0].clear: expected an object, { … }, found 5"),
    (("buses", 0, "baud"), 9600, "buses[0].baud: is for serial buses only, this one is i2c"),
    (("sensors", 0, "adress"), 1, "sensors[0].adress: unknown key; did you mean 'address'?"),
    (("sensors", 0, "driver"), "bme281", "sensors[0].driver: driver 'bme281' is not installed"),
    (("sensors", 1, "bus"), "i2c2", "sensors[1].bus: no row of buses has this name; did you mean"),
    (("sensors", 1, "name"), "square", "sensors[1].name: is the same as that of sensors[0]"),
    (("sensors", 0, "channel"), {"temperature": 1}, "sensors[0].channel.temperature: expected an"),
    (("sensors", 0, "every_s"), 1e-3, "sensors[0].every_s: BME280 can be read every"),
    (("sensors", 0), "square", "sensors[0]: expected an object, { … }, found text"),
    (("budget", "month_mb"), 5, "budget.day_mb: more than month_mb, 5, found 20"),
    (("ssh_keys",), ["ssh-dss AAAAB3NzaC1kc3MAAACB x"], "ssh_keys[0]: no kind of key that sshd"),
    (("ssh_keys",), [SSH_KEY.replace("IOMq", "IO")], "ssh_keys[0]: damaged"),
    (("ssh_keys",), [f"{SSH_KEY}\n"], "ssh_keys[0]: expected one line of a .pub file"),
    (("ssh_keys",), [SSH_KEY, SSH_KEY], "ssh_keys[1]: is the same as ssh_keys[0]"),
    (("signature",), {"algorithm": "RS256"}, 'signature.algorithm: expected "Ed25519"'),
]


def test_a_signed_document_becomes_frozen_values() -> None:
    document = read(text(sign(whole(), CITY)), [city()])
    assert document.node.id == "0a1b2c3d4e5f6071"
    assert document.network.ethernet.gateway == "10.0.0.1"
    assert document.site.ko["Sejong-daero"] == "세종대로"
    assert document.sensors[0]["address"] == 0x76
    assert document.signature is not None
    assert document.signature.key == city().id


def test_the_least_document_has_a_node_a_broker_and_the_cable_by_dhcp() -> None:
    members = ("version", "serial", "issued", "node", "brokers")
    document = read(text({name: whole()[name] for name in members}), None)
    assert document.network.ethernet.dhcp
    assert document.enrol is None


@pytest.mark.parametrize(("place", "value", "sentence"), MISTAKES)
def test_a_mistake_is_named_by_its_path_and_alone(place: Place, value: Any, sentence: str) -> None:
    found = [one for one in problems(text(changed(place, value))) if one.startswith(sentence)]
    assert len(found) == 1, problems(text(changed(place, value)))


@pytest.mark.parametrize("member", ["version", "serial", "issued"])
def test_a_member_that_is_missing_is_named(member: str) -> None:
    assert problems(text(without((member,))))[0].startswith(f"{member} is missing; ")


def test_all_mistakes_are_told_at_once() -> None:
    both = changed(("serial",), 0) | {"lamp": {"line": -1}, "brokers": []}
    found = " ".join(problems(text(both)))
    assert all(place in found for place in ("serial: ", "lamp.line: ", "brokers: "))


def test_no_more_mistakes_than_anybody_reads_are_told() -> None:
    found = problems(text(whole() | {f"k{n}": 0 for n in range(500)}))
    assert len(found) == MAX_TOLD + 1
    assert found[-1] == "and more"


def test_no_secret_is_shown_where_it_is_wrong() -> None:
    made = changed(("network", "wifi", 0, "psk"), "hush\n")
    made["enrol"] |= {"token": "hush token", "key": "hush"}
    made["network"]["apn"]["pin"] = "hush"
    made["network"]["proxy"] = "hush"
    found = problems(text(made))
    assert len(found) == 5
    assert "hush" not in " ".join(found)


@pytest.mark.parametrize("place", [("enrol",), ("network", "wifi", 0), ("network", "apn")])
def test_no_text_is_shown_that_stands_where_an_object_with_secrets_should(place: Place) -> None:
    (found,) = problems(text(changed(place, "hush")))
    assert found.endswith(": expected an object, { … }, found text")


@pytest.mark.parametrize("place", [("trust",), ("enrol", "trust")])
def test_a_private_key_among_certificates_is_refused(authority: Authority, place: Place) -> None:
    pair = authority.issue("feedfeed")
    certificate = authority.certificate.read_text()
    made = text(changed(place, certificate + pair.key.read_text() + certificate))
    where = ".".join(map(str, place))
    assert problems(made) == [f"{where}: holds a private key too; leave the certificates alone"]


def test_a_byte_order_mark_and_other_line_ends_change_nothing() -> None:
    data = pretty(sign(whole(), CITY))
    windows = b"\xef\xbb\xbf" + data.replace(b"\n", b"\r\n")
    assert read(windows, [city()]) == read(data, [city()])


def test_numbers_are_read_as_they_were_signed() -> None:
    data = text(sign(whole(), CITY)).replace(b'"every_s": 10,', b'"every_s": 10.0e0,')
    assert b"10.0e0" in data
    assert repr(read(data, [city()]).sensors[0]["every_s"]) == "10"


def test_the_order_of_members_and_white_space_are_not_signed() -> None:
    signed = sign(whole(), CITY)
    backwards = dict(reversed(signed.items()))
    assert verify(backwards, [city()]) == city()
    assert digest(read(pretty(backwards), [city()])) == digest(read(text(signed), [city()]))


def _leaves(value: Any, place: Place = ()) -> Iterator[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for name, one in inner:
        yield (*place, name)
        if isinstance(one, dict | list):
            yield from _leaves(one, (*place, name))


@pytest.mark.parametrize("place", list(_leaves(whole())), ids=str)
def test_a_change_of_any_member_breaks_the_signature(place: Place) -> None:
    signed = sign(whole(), CITY)
    made = without(place) | {"signature": signed["signature"]}
    assert problems(text(made), city())[0].startswith("signature: not of this document")


def test_an_added_member_breaks_the_signature() -> None:
    made = sign(whole(), CITY) | {"extra": 1}
    assert problems(text(made), city())[0].startswith("signature: not of this document")


def test_a_document_of_nobody_or_a_stranger_is_refused_with_who_is_trusted() -> None:
    assert problems(text(whole()), city())[0].startswith("signature: nobody vouches")
    found = problems(text(sign(whole(), STRANGER)), city())
    stranger = public_of(STRANGER.public_key(), "").id
    trusted = f"{city().id} (city.pub)"
    assert found == [f"signature: made by key {stranger}; trusted here: {trusted}"]
    with pytest.raises(ProvisionError, match="no key is trusted here"):
        read(text(sign(whole(), CITY)), [])


def test_nothing_else_is_looked_at_where_nobody_vouches() -> None:
    found = problems(text(sign(changed(("serial",), 0), STRANGER)), city())
    assert len(found) == 1


def test_a_name_of_the_citys_key_does_not_make_a_strangers_signature_good() -> None:
    forged = sign(whole(), STRANGER)
    forged["signature"]["key"] = city().id
    assert problems(text(forged), city())[0].startswith("signature: not of this document")


def test_only_one_spelling_of_a_signature_is_good() -> None:
    signed = sign(whole(), CITY)
    value = signed["signature"]["value"]
    raw = urlsafe_b64decode(value + "==")
    spellings = [value[:-1] + chr(ord(value[-1]) + 1), value + "==", value[:-1], raw.hex()]
    assert urlsafe_b64encode(raw).decode().rstrip("=") == value
    for spelling in spellings:
        signed["signature"]["value"] = spelling
        assert problems(text(signed), city())[0].startswith("signature")
    assert urlsafe_b64decode(spellings[0] + "==") == raw  # the first differs in unused bits alone


def test_a_document_may_be_signed_by_any_of_several_trusted_keys() -> None:
    keys = [city(), public_of(STRANGER.public_key(), "old.pub")]
    assert verify(sign(whole(), STRANGER), keys).name == "old.pub"
    assert verify(sign(sign(whole(), STRANGER), CITY), keys).name == "city.pub"


def test_an_accepted_document_is_kept_without_its_secrets() -> None:
    document = read(text(sign(whole(), CITY)), [city()])
    kept = pretty(without_secrets(document)).decode()
    assert not any(secret in kept for secret in SECRETS)
    again = stored(kept.encode())
    assert again.serial == 7
    assert again.sensors == document.sensors
    assert again.network.wifi[0].ssid == "시청"
    assert again.signature == document.signature
    assert whole()["enrol"]["token"] in document.raw["enrol"]["token"]  # the original keeps it


def test_a_damaged_file_of_a_node_is_refused() -> None:
    with pytest.raises(NodeError, match="serial is missing"):
        stored(text(without(("serial",))))


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


def _ready(pair: Pair, key: Pair) -> dict[str, Any]:
    return whole() | {
        "enrol": {"certificate": pair.certificate.read_text(), "key": key.key.read_text()}
    }


def test_a_key_that_is_none_for_a_node_is_refused_by_the_office() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    pem = other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    enrol = ready(Ca())
    for key, words in (
        (pem, "is not on the curve P-256"),
        (pem[:40] + "\n-----END PRIVATE KEY-----\n", "is no private key in PEM"),
    ):
        (found,) = problems(text(document(enrol=enrol | {"key": key})))
        assert found.startswith(f"enrol.key: {words}")


def test_a_ready_certificate_must_be_of_the_node_with_its_key(authority: Authority) -> None:
    own = authority.issue(whole()["node"]["id"])
    other = authority.issue("feedfeedfeedfeed")
    trust = {"trust": authority.certificate.read_text()}
    assert read(text(_ready(own, own) | trust), None).enrol is not None
    assert problems(text(_ready(own, other))) == ["enrol.key: does not belong to enrol.certificate"]
    assert problems(text(_ready(other, other))) == [
        f"enrol.certificate: is of feedfeedfeedfeed, not of node {whole()['node']['id']}"
    ]
    both = _ready(own, own)
    both["enrol"] |= whole()["enrol"]
    assert problems(text(both))[0].startswith("enrol: either by EST or ready: take out")
    alone = _ready(own, own)
    del alone["enrol"]["key"]
    assert problems(text(alone)) == ["enrol: a ready certificate needs certificate and key"]
