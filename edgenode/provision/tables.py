"""The members of node.json, version 1, as frozen values; tables of edgenode.toml are those of it.

The `title` of a field says what it is for, its `description` what may be written.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edgenode.config.model import (
    MAX_SENSORS,
    BudgetTable,
    BusTable,
    ClockTable,
    PinTable,
    RecoveryTable,
    SiteTable,
    SpoolTable,
    Table,
    UplinkTerms,
)
from edgenode.config.types import Host, NodeId, Port, User

VERSION = 1
HIDDEN = {"secret": True}  # its value is never shown

Serial = Annotated[int, Meta(ge=1, le=(1 << 53) - 1, description="a whole number from 1")]
Moment = Annotated[
    str,
    Meta(
        pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
        description="a moment in UTC such as 2026-11-26T09:00:00Z",
    ),
]
Interface = Annotated[
    str,
    Meta(
        pattern=r"^([0-9.]{7,15}/[0-9]{1,2}|[0-9A-Fa-f:.]{2,45}/[0-9]{1,3})?$",
        description="an address with the length of its prefix, such as 10.0.0.5/24",
    ),
]
Address = Annotated[
    str,
    Meta(pattern=r"^([0-9.]{7,15}|[0-9A-Fa-f:.]{2,45})?$", description="an IPv4 or IPv6 address"),
]
# IEEE 802.11-2020, 9.4.2.2: 0 to 32 octets; a network without a name cannot be told from others.
Ssid = Annotated[
    str, Meta(min_length=1, max_length=32, description="the name of the network, 1 to 32 bytes")
]
# IEEE 802.11-2020, annex J.4: 8 to 63 printable ASCII characters, or the key itself in hex.
Psk = Annotated[
    str,
    Meta(
        pattern=r"^([ -~]{8,63}|[0-9A-Fa-f]{64})?$",
        description="8 to 63 letters, digits and signs of ASCII, or 64 hexadecimal digits",
        extra=HIDDEN,
    ),
]
# 3GPP TS 23.003, 9.1: labels of letters, digits and hyphens, at most 100 octets in all.
Apn = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z0-9]([-A-Za-z0-9.]{0,98}[A-Za-z0-9])?$",
        description="an access point name, up to 100 letters, digits, hyphens and points",
    ),
]
Text = Annotated[
    str, Meta(pattern=r"^[ -~]{0,255}$", description="up to 255 characters of ASCII", extra=HIDDEN)
]
# 3GPP TS 31.101, 9.5.1: a PIN has 4 to 8 digits.
Pin = Annotated[
    str, Meta(pattern=r"^([0-9]{4,8})?$", description="4 to 8 digits in quotes", extra=HIDDEN)
]
Proxy = Annotated[
    str,
    Meta(
        pattern=r"^(http://([^\s/@?#]{1,512}@)?[^\s/@?#]{1,253}/?)?$",
        description="http://HOST:PORT, with USER:PASSWORD@ before the host where it asks for them",
        extra=HIDDEN,
    ),
]
Est = Annotated[
    str,
    Meta(
        pattern=r"^(https://[^\s/@?#]{1,253}(/[!-~]{0,200})?)?$",
        description="https://HOST:PORT of an EST server, without user and password",
    ),
]
Token = Annotated[
    str, Meta(pattern=r"^[!-~]{0,256}$", description="up to 256 signs of ASCII", extra=HIDDEN)
]
Pem = Annotated[
    str,
    Meta(
        pattern=r"^(-----BEGIN CERTIFICATE-----\n[\s\S]*-----END CERTIFICATE-----\n*)?$",
        max_length=65_536,
        description="certificates in PEM, one after another, lines ended by \\n, up to 64 KiB",
    ),
]
PrivatePem = Annotated[
    str,
    Meta(
        pattern=r"^(-----BEGIN (EC )?PRIVATE KEY-----\n[\s\S]*PRIVATE KEY-----\n*)?$",
        max_length=8_192,
        description="a private key in PEM without a passphrase",
        extra=HIDDEN,
    ),
]
SshKey = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9@.-]{1,64} [A-Za-z0-9+/=]{16,8192}( [ -~]{0,255})?\Z",
        description="one line of a .pub file, such as ssh-ed25519 AAAA… name",
    ),
]


class IdentityTable(Table, frozen=True):
    """node: who the node is."""

    id: Annotated[NodeId, Meta(title="never a MAC; the name in its certificate too")]


class EthernetTable(Table, frozen=True):
    """network.ethernet: the cable; by DHCP, or with an address of its own."""

    dhcp: Annotated[bool, Meta(title="the network gives the address")] = False
    address: Annotated[Interface, Meta(title="the address of the node")] = ""
    gateway: Annotated[Address, Meta(title="the way out")] = ""
    dns: Annotated[
        tuple[Address, ...],
        Meta(max_length=4, title="name servers", description="up to 4 addresses"),
    ] = ()


class WifiTable(Table, frozen=True):
    """network.wifi: one network; they are tried in their order."""

    ssid: Annotated[Ssid, Meta(title="which network")]
    psk: Annotated[Psk, Meta(title="its passphrase (WPA2, WPA3); empty for an open network")] = ""


class ApnTable(Table, frozen=True):
    """network.apn: the mobile network."""

    name: Annotated[Apn, Meta(title="the access point")]
    user: Annotated[Text, Meta(title="where the access point asks for one")] = ""
    password: Annotated[Text, Meta(title="goes with user")] = ""
    pin: Annotated[Pin, Meta(title="of the SIM card")] = ""


class NetworkTable(Table, frozen=True):
    """network: how the node reaches the city; the cable by DHCP where nothing is said."""

    ethernet: EthernetTable = EthernetTable(dhcp=True)
    wifi: Annotated[tuple[WifiTable, ...], Meta(max_length=16)] = ()
    apn: ApnTable | None = None
    proxy: Annotated[Proxy, Meta(title="for HTTP: enrolment and updates, not for MQTT")] = ""
    ntp: Annotated[
        tuple[Host, ...], Meta(max_length=8, title="time servers", description="up to 8 host names")
    ] = ()


class BrokerRow(Table, frozen=True):
    """brokers: one broker, as [[uplink.broker]]; the node knows itself where its files lie."""

    host: Annotated[Host, Meta(title="where the broker is")]
    port: Annotated[Port, Meta(title="its port; 0 is 8883 with TLS and 1883 without")] = 0
    tls: Annotated[bool, Meta(title="encrypt, and prove who the broker is")] = True
    username: Annotated[User, Meta(title="the MQTT user; empty is the node id")] = ""


class UplinkRow(UplinkTerms, frozen=True):
    """uplink: where batches go, as [uplink]."""


class EnrolTable(Table, frozen=True):
    """enrol: how the node gets its certificate: by EST with a token, or ready with its key."""

    est: Annotated[Est, Meta(title="server of RFC 7030; the node makes its own key")] = ""
    token: Annotated[Token, Meta(title="proves once that the node may ask")] = ""
    trust: Annotated[Pem, Meta(title="whose certificate the EST server must have")] = ""
    certificate: Annotated[Pem, Meta(title="ready: that of the node first, then its chain")] = ""
    key: Annotated[PrivatePem, Meta(title="ready: the private key of certificate")] = ""


class SignatureTable(Table, frozen=True):
    """signature: who vouches for everything else in the document."""

    algorithm: Literal["Ed25519"]
    key: Annotated[
        str,
        Meta(
            pattern="^[0-9a-f]{16}$",
            description="16 hexadecimal digits, of SHA-256 of the public key",
        ),
    ]
    value: Annotated[
        str, Meta(pattern="^[A-Za-z0-9_-]{86}$", description="64 bytes in base64url, unpadded")
    ]


class DocumentTable(Table, frozen=True, kw_only=True):
    """The whole document."""

    version: Annotated[Literal[1], Meta(title="the version of this format")]
    serial: Annotated[Serial, Meta(title="only rises; a lower one than accepted is refused")]
    issued: Annotated[Moment, Meta(title="when it was made")]
    node: IdentityTable
    site: SiteTable = SiteTable()
    network: NetworkTable = NetworkTable()
    brokers: Annotated[tuple[BrokerRow, ...], Meta(max_length=16)] = ()
    uplink: UplinkRow = UplinkRow()
    trust: Annotated[Pem, Meta(title="whose certificates brokers must have")] = ""
    enrol: EnrolTable | None = None
    buses: Annotated[tuple[BusTable, ...], Meta(max_length=64)] = ()
    sensors: Annotated[
        tuple[dict[str, Any], ...],
        Meta(max_length=MAX_SENSORS, description=f"up to {MAX_SENSORS} objects"),
    ] = ()
    clock: ClockTable = ClockTable()
    spool: SpoolTable = SpoolTable()
    budget: BudgetTable = BudgetTable()
    recovery: RecoveryTable = RecoveryTable()
    lamp: PinTable | None = None
    ssh_keys: Annotated[
        tuple[SshKey, ...],
        Meta(
            max_length=32,
            title="who may log in as maintainer",
            description="up to 32 lines of .pub files",
        ),
    ] = ()
    signature: SignatureTable | None = None


class Document(DocumentTable, frozen=True, kw_only=True):
    """A document that was read; `raw` is the object as it was written, `signature` and all."""

    raw: dict[str, Any] = msgspec.field(default_factory=dict)
