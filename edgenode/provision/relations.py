"""What does not fit together in a document whose members are each right by themselves."""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
)
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from edgenode.config.check import Mistake
from edgenode.config.lines import Place
from edgenode.provision.certificates import certificates, names_of, node_key
from edgenode.provision.configuration import unfit_tables

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

DECIMALS: Final = 7  # of degrees: 1e-7 is 11 mm on the ground
REQUIRED: Final = frozenset({"issued", "node"})  # by one of the rules, without asking
SSID_BYTES: Final = 32  # IEEE 802.11-2020, 9.4.2.2
CABLE: Final[Place] = ("network", "ethernet")
# sshd(8), "AUTHORIZED_KEYS FILE FORMAT"; DSA is refused by OpenSSH since 7.0.
KINDS: Final = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
Rule = Callable[[Mapping[str, Any]], Iterator[Mistake]]


def unfit(whole: Mapping[str, Any], found: Sequence[Mistake]) -> Iterator[Mistake]:
    """Every mistake in how members relate; `found` is what is wrong within them.

    A rule is asked where the members that it looks at are right by themselves, and there.
    """
    bent = {mistake.place[0] if mistake.place else "" for mistake in found}
    bent |= REQUIRED - whole.keys()
    for members, rule in RULES:
        if not bent & {"", *members}:
            yield from rule(whole)
    yield from unfit_tables(whole)


def _issued(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    try:
        datetime.fromisoformat(whole["issued"])
    except ValueError:
        yield Mistake(("issued",), "there is no such day or time of day")


def _position(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    site = whole.get("site", {})
    for name in ("latitude", "longitude"):
        value = site.get(name, 0)
        if round(value, DECIMALS) != value:
            words = f"at most {DECIMALS} decimals, which is a centimetre; found {value!r}"
            yield Mistake(("site", name), words)
    if ("latitude" in site) != ("longitude" in site):
        yield Mistake(("site",), "give latitude and longitude together or not at all")


def _brokers(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    rows = whole.get("brokers", [])
    if not rows:
        yield Mistake(("brokers",), "write at least one broker, [{…}]; readings go there")
    seen: dict[tuple[str, int], int] = {}
    for index, row in enumerate(rows):
        first = seen.setdefault((row["host"].lower(), row.get("port", 0)), index)
        if first != index:
            yield Mistake(("brokers", index), f"is the same as brokers[{first}]")


def _network(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake in how the keys of `network` relate; each is right by itself."""
    network = whole.get("network", {})
    yield from _cable(network.get("ethernet", {"dhcp": True}))
    yield from _wifi(network.get("wifi", []))
    yield from _url(network.get("proxy", ""), ("network", "proxy"))
    apn = network.get("apn", {})
    if bool(apn.get("user")) != bool(apn.get("password")):
        yield Mistake(("network", "apn"), "give user and password together or not at all")
    for index, host in enumerate(network.get("ntp", [])):
        if any(ch.isspace() for ch in host):
            yield Mistake(("network", "ntp", index), "a host name has no space or line end")


def _cable(row: Mapping[str, Any]) -> Iterator[Mistake]:
    servers = row.get("dns", [])
    for index, server in enumerate(servers):
        if _address(server) is None:
            yield Mistake((*CABLE, "dns", index), f"no IPv4 or IPv6 address: {server!r}")
    fixed = [key for key in ("address", "gateway") if row.get(key)]
    if row.get("dhcp") and fixed:
        words = f"the network gives the address; take {' and '.join(fixed)} out, or dhcp"
        yield Mistake((*CABLE, "dhcp"), words)
    elif not row.get("dhcp") and not row.get("address"):
        yield Mistake(CABLE, 'write "dhcp": true, or an address such as "10.0.0.5/24"')
    if row.get("address"):
        yield from _fixed(row["address"], row.get("gateway", ""))


def _fixed(address: str, gateway: str) -> Iterator[Mistake]:
    own = _interface(address)
    if own is None:
        yield Mistake((*CABLE, "address"), f"no address with a prefix: {address!r}")
        return
    network = own.network
    # RFC 3021: the two addresses of a /31 are both hosts; so is the one of a /32.
    whole = network.num_addresses > 2 and own.version == 4
    if whole and own.ip in {network.network_address, network.broadcast_address}:
        yield Mistake((*CABLE, "address"), f"{own.ip} is that of the whole network {network}")
    if gateway:
        yield from _gateway(own, gateway)


def _gateway(own: IPv4Interface | IPv6Interface, gateway: str) -> Iterator[Mistake]:
    place = (*CABLE, "gateway")
    way = _address(gateway)
    if way is None:
        yield Mistake(place, f"no IPv4 or IPv6 address: {gateway!r}")
    elif way == own.ip:
        yield Mistake(place, "is the address of the node itself")
    elif way not in own.network and not way.is_link_local:
        yield Mistake(place, f"{way} is not within {own.network}, so the node cannot reach it")


def _wifi(rows: list[Any]) -> Iterator[Mistake]:
    seen: dict[str, int] = {}
    for index, row in enumerate(rows):
        place: Place = ("network", "wifi", index)
        if len(row["ssid"].encode()) > SSID_BYTES:
            yield Mistake((*place, "ssid"), f"longer than {SSID_BYTES} bytes of UTF-8")
        if "psk" not in row:
            yield Mistake(place, 'psk is missing; write "psk": "" where the network is open')
        first = seen.setdefault(row["ssid"], index)
        if first != index:
            yield Mistake((*place, "ssid"), f"is the same as that of network.wifi[{first}]")


def _url(text: str, place: Place) -> Iterator[Mistake]:
    try:
        parts = urlsplit(text)
        sound = bool(parts.hostname) and parts.port != 0
    except ValueError:
        sound = False
    if text and not sound:
        yield Mistake(place, "has no host, or a port that there is not")


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _interface(text: str) -> IPv4Interface | IPv6Interface | None:
    try:
        return ip_interface(text)
    except ValueError:
        return None


def _trust(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Say where `trust` holds something else than certificates."""
    yield from _certificates(whole.get("trust", ""), ("trust",))


def _enrolment(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake in `enrol`: by EST or ready, and then of this node with the key beside it.

    Whether a certificate is valid today is not asked: the clock of a node may be wrong.
    """
    enrol = whole.get("enrol")
    if enrol is None:
        return
    given = {key for key, value in enrol.items() if value}
    yield from _ways(given)
    yield from _url(enrol.get("est", ""), ("enrol", "est"))
    yield from _certificates(enrol.get("trust", ""), ("enrol", "trust"))
    chain = enrol.get("certificate", "")
    found = list(_certificates(chain, ("enrol", "certificate")))
    yield from found
    if {"certificate", "key"} <= given and not found:
        yield from _pair(certificates(chain)[0], enrol["key"], whole["node"]["id"])


def _ways(given: set[str]) -> Iterator[Mistake]:
    by_est, ready = given & {"est", "token", "trust"}, given & {"certificate", "key"}
    if by_est and ready:
        words = f"either by EST or ready: take out {' and '.join(sorted(by_est))}"
        yield Mistake(("enrol",), f"{words}, or {' and '.join(sorted(ready))}")
    elif by_est and not {"est", "token"} <= given:
        yield Mistake(("enrol",), "EST needs est and token; trust too where its CA is your own")
    elif ready and len(ready) < 2:
        yield Mistake(("enrol",), "a ready certificate needs certificate and key")
    elif not by_est and not ready:
        yield Mistake(("enrol",), "give est and token, or certificate and key, or no enrol at all")


def _certificates(pem: str, place: Place) -> Iterator[Mistake]:
    if not pem:
        return
    if "PRIVATE KEY" in pem:  # it would be where everybody looks for certificates
        yield Mistake(place, "holds a private key too; leave the certificates alone")
        return
    try:
        certificates(pem)
    except ValueError:
        yield Mistake(place, "holds something that is no certificate; copy the whole PEM file")


def _pair(leaf: Certificate, pem: str, node: str) -> Iterator[Mistake]:
    place = ("enrol", "key")
    try:
        own = node_key(pem).public_key() == leaf.public_key()
    except ValueError as exc:
        yield Mistake(place, str(exc))
        return
    if not own:
        yield Mistake(place, "does not belong to enrol.certificate")
    if node not in names_of(leaf):
        words = f"is of {', '.join(names_of(leaf)) or 'nobody'}, not of node {node}"
        yield Mistake(("enrol", "certificate"), words)


def _ssh_keys(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every line of `ssh_keys` that is no key, or stands there twice."""
    seen: dict[str, int] = {}
    for index, line in enumerate(whole.get("ssh_keys", [])):
        kind, blob, *_ = line.split(" ")
        if kind not in KINDS:
            yield Mistake(("ssh_keys", index), f"no kind of key that sshd takes: {kind!r}")
        elif _kind_in(blob) != kind:
            words = f"damaged: what follows {kind} is no such key; copy the whole .pub file"
            yield Mistake(("ssh_keys", index), words)
        first = seen.setdefault(blob, index)
        if first != index:
            yield Mistake(("ssh_keys", index), f"is the same as ssh_keys[{first}]")


def _kind_in(blob: str) -> str:
    """Return the name within the key (RFC 4253, 6.6), after which all its fields must be whole."""
    try:
        data = b64decode(blob, validate=True)
    except binascii.Error:
        return ""
    fields = []
    while data:
        length = int.from_bytes(data[:4], "big")
        field, data = data[4 : 4 + length], data[4 + length :]
        if len(field) < length or not length:
            return ""
        fields.append(field)
    return fields[0].decode("ascii", "replace") if len(fields) > 1 else ""


RULES: Final[tuple[tuple[tuple[str, ...], Rule], ...]] = (
    (("issued",), _issued),
    (("site",), _position),
    (("brokers",), _brokers),
    (("network",), _network),
    (("trust",), _trust),
    (("enrol", "node"), _enrolment),
    (("ssh_keys",), _ssh_keys),
)
