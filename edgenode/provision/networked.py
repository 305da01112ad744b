"""What does not fit together in the member `network` of a document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv6Address,
    IPv6Interface,
    ip_address,
    ip_interface,
)
from typing import Any, Final

from edgenode.config.check import Mistake
from edgenode.config.lines import Place

SSID_BYTES: Final = 32  # IEEE 802.11-2020, 9.4.2.2
CABLE: Final[Place] = ("network", "ethernet")


def unfit_network(whole: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every mistake in how the keys of `network` relate; each is right by itself."""
    network = whole.get("network", {})
    yield from _cable(network.get("ethernet", {"dhcp": True}))
    yield from _wifi(network.get("wifi", []))
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
