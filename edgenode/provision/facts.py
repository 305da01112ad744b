"""A document in plain words, without its secrets, and what one should think of before using it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from edgenode.config import parse
from edgenode.provision.certificates import certificates, names_of
from edgenode.provision.configuration import in_json, render
from edgenode.provision.tables import BrokerRow, Document, NetworkTable, WifiTable

SOON: Final = timedelta(days=30)  # a certificate that ends within it is told
LINE: Final = re.compile(r"^edgenode\.toml:\d+: ")

Fact = tuple[str, str]  # what it is about, and what is said


def facts(document: Document) -> Iterator[Fact]:
    """Yield what the node will be, a fact a line; passphrases, PINs, tokens and keys are hidden.

    A document that nobody has checked is told as well as it can be.
    """
    yield "node", document.node.id
    yield "document", f"serial {document.serial}, issued {document.issued}"
    signed = document.signature
    yield "signature", f"by key {signed.key}" if signed else "none"
    yield from _site(document)
    yield from _network(document.network)
    for broker in document.brokers:
        yield "broker", _broker(broker)
    uplink = document.uplink
    yield "uplink", f"topics below {uplink.prefix}, custody ends with the {uplink.custody}"
    if document.trust:
        yield "trust", f"brokers by {_whose(document.trust)}"
    yield "identity", _enrolment(document)
    yield from _wires(document)
    for line in document.ssh_keys:
        kind, _, rest = line.partition(" ")
        yield "login", f"maintainer by {kind} {rest.partition(' ')[2] or '(unnamed)'}"


def notes(document: Document, today: datetime) -> Iterator[str]:
    """Yield what is no mistake and should make one think, each with its JSON path."""
    if not document.brokers or not all(broker.tls for broker in document.brokers):
        yield "brokers: without TLS anybody on the way reads and writes what is sent"
    if not document.trust and any(broker.tls for broker in document.brokers):
        yield "trust: is empty, so any certificate authority of the system vouches for a broker"
    if document.enrol is None:
        yield "enrol: is missing; that suits a node that has its certificate already"
    if not document.ssh_keys:
        yield "ssh_keys: is empty, so nobody can log in from afar"
    if document.site.latitude is None:
        yield "site: has no latitude and longitude, so nobody finds the node on a map"
    for index, wifi in enumerate(document.network.wifi):
        if not wifi.psk:
            yield f"network.wifi[{index}]: is open; anybody near it can listen and interfere"
    yield from _ends(document, today)
    for warning in parse(render(document)).warnings:
        yield in_json(LINE.sub("", warning))


def _site(document: Document) -> Iterator[Fact]:
    site = document.site
    at = "" if site.latitude is None else f"{site.latitude}, {site.longitude} (WGS84)"
    for name, text in (
        ("place", ", ".join(filter(None, (site.name, at)))),
        ("purpose", site.purpose),
        ("accountable", ", ".join(filter(None, (site.accountable, site.contact)))),
    ):
        if text:
            yield name, text


def _network(network: NetworkTable) -> Iterator[Fact]:
    cable = network.ethernet
    gateway = f" by {cable.gateway}" if cable.gateway else ", no way out"
    servers = f", names by {', '.join(cable.dns)}" if cable.dns else ""
    fixed = f"{cable.address}{gateway}{servers}"
    yield "cable", "address by DHCP" + servers if cable.dhcp else fixed
    for wifi in network.wifi:
        yield "Wi-Fi", _wifi(wifi)
    if network.apn:
        given = [key for key in ("user", "password", "pin") if getattr(network.apn, key)]
        yield "mobile", network.apn.name + (f", with {', '.join(given)}" if given else "")
    if network.proxy:
        parts = urlsplit(network.proxy)
        yield (
            "proxy",
            parts.netloc.rpartition("@")[2] + (", with user" if "@" in parts.netloc else ""),
        )
    if network.ntp:
        yield "time", ", ".join(network.ntp)


def _wifi(wifi: WifiTable) -> str:
    return f"{wifi.ssid}, {'with a passphrase' if wifi.psk else 'open'}"


def _broker(row: BrokerRow) -> str:
    port = row.port or (8883 if row.tls else 1883)
    return (
        f"{row.host}:{port}, {'TLS' if row.tls else 'no TLS'}, as {row.username or 'the node id'}"
    )


def _enrolment(document: Document) -> str:
    enrol = document.enrol
    if enrol is None or not (enrol.est or enrol.certificate):
        return "none given"
    if enrol.est:
        by = f" (trusted by {_whose(enrol.trust)})" if enrol.trust else ""
        return f"its own key, certificate by EST from {enrol.est}{by}, with a token"
    return f"a ready key, and the certificate of {_whose(enrol.certificate)}"


def _wires(document: Document) -> Iterator[Fact]:
    for bus in document.buses:
        yield "bus", f"{bus.name}: {bus.kind} at {bus.path}"
    for row in document.sensors:
        address = row.get("address")
        at = f" at {address} (0x{address:02x})" if isinstance(address, int) else ""
        why = f": {row['purpose']}" if row.get("purpose") else ""
        name, driver, bus_name, every = map(row.get, ("name", "driver", "bus", "every_s"))
        yield "sensor", f"{name}: {driver} on {bus_name}{at}, each {every} s{why}"


def _whose(pem: str) -> str:
    try:
        found = certificates(pem)
    except ValueError:
        return "something that is no certificate"
    return " and ".join(", ".join(names_of(one)) or "(unnamed)" for one in found)


def _ends(document: Document, today: datetime) -> Iterator[str]:
    enrol = document.enrol
    texts = {"trust": document.trust}
    if enrol:
        texts |= {"enrol.trust": enrol.trust, "enrol.certificate": enrol.certificate}
    for place, pem in texts.items():
        for one in certificates(pem) if pem else []:
            end = one.not_valid_after_utc
            whose = ", ".join(names_of(one)) or "(unnamed)"
            if end - today.astimezone(UTC) < SOON:
                yield f"{place}: the certificate of {whose} ends {end:%Y-%m-%d}"
            elif one.not_valid_before_utc > today:
                begin = one.not_valid_before_utc
                yield f"{place}: the certificate of {whose} begins only {begin:%Y-%m-%d}"
