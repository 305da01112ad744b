"""The member `network` of a document as files of NetworkManager, timesyncd and apt.

Formats: nm-settings-keyfile(5) and nm-settings(5) of NetworkManager, timesyncd.conf(5),
apt.conf(5). Why NetworkManager: docs/decisions/network-manager.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_address, ip_interface
from typing import Final
from uuid import UUID, uuid5

from edgenode.provision.settings import Setting
from edgenode.provision.tables import ApnTable, EthernetTable, NetworkTable, WifiTable

DIRECTORY: Final = "etc/NetworkManager/system-connections"
SECRET: Final = 0o600  # NetworkManager ignores what others than root may read
TIME: Final = "etc/systemd/timesyncd.conf.d/50-edgenode.conf"
APT: Final = "etc/apt/apt.conf.d/50edgenode-proxy"
NAMESPACE: Final = UUID("5a2f8d0e-6c1b-5e0a-9d43-0c6b7f1e2a94")  # ours alone, drawn once
PRIORITY: Final = 100  # autoconnect-priority of the first Wi-Fi; the next have one less each

Sections = Mapping[str, Mapping[str, str]]
AUTO: Final[Sections] = {"ipv4": {"method": "auto"}, "ipv6": {"method": "auto"}}


def files(network: NetworkTable) -> Iterator[Setting]:
    """Yield what the machine needs to reach the network as the document says."""
    yield _keyfile("ethernet", _ethernet(network.ethernet))
    for index, row in enumerate(network.wifi):
        yield _keyfile(f"wifi-{index + 1}", _wifi(row, PRIORITY - index))
    if network.apn is not None:
        yield _keyfile("mobile", _mobile(network.apn))
    if network.ntp:
        yield Setting(TIME, f"[Time]\nNTP={' '.join(network.ntp)}\n")
    if network.proxy:
        proxy = network.proxy.replace('"', "%22")
        text = "".join(f'Acquire::{kind}::Proxy "{proxy}";\n' for kind in ("http", "https"))
        yield Setting(APT, text, SECRET)


def _ethernet(row: EthernetTable) -> Sections:
    """Return a cable by DHCP and router advertisements, or with one address of its own."""
    servers = [ip_address(server) for server in row.dns]
    made = {name: dict(table) for name, table in AUTO.items()}
    if row.address:
        own = ip_interface(row.address)
        mine, other = (f"ipv{own.version}", f"ipv{10 - own.version}")
        gateway = f",{row.gateway}" if row.gateway else ""
        made[mine] = {"method": "manual", "address1": f"{own}{gateway}"}
        # Nothing but the address that was given: a router's word opens no other way in.
        if all(server.version == own.version for server in servers):
            made[other] = {"method": "disabled"}
    for version in (4, 6):
        found = "".join(f"{server};" for server in servers if server.version == version)
        if found:
            made[f"ipv{version}"] |= {"dns": found}
    return {"connection": {"type": "ethernet"}, "ethernet": {}, **made}


def _wifi(row: WifiTable, priority: int) -> Sections:
    """Return a network of WPA2 or WPA3 by passphrase, or an open one.

    The name goes as a list of bytes, which no name can be mistaken in.
    """
    made: dict[str, Mapping[str, str]] = {
        "connection": {"type": "wifi", "autoconnect-priority": str(priority)},
        "wifi": {"mode": "infrastructure", "ssid": "".join(f"{b};" for b in row.ssid.encode())},
    }
    if row.psk:
        made["wifi-security"] = {"key-mgmt": "wpa-psk", "psk": escaped(row.psk)}
    return {**made, **AUTO}


def _mobile(row: ApnTable) -> Sections:
    """Return a modem's connection; ModemManager knows the modem."""
    said = {"apn": row.name, "username": row.user, "password": row.password, "pin": row.pin}
    modem = {key: escaped(value) for key, value in said.items() if value}
    return {"connection": {"type": "gsm"}, "gsm": modem, **AUTO}


def escaped(text: str) -> str:
    """Return text as a value of GLib's key files: spaces at its ends and backslashes kept."""
    made = text.replace("\\", "\\\\")
    inside = made.strip(" ")
    lead = len(made) - len(made.lstrip(" "))
    return "\\s" * lead + inside + "\\s" * (len(made) - lead - len(inside))


def _keyfile(name: str, sections: Sections) -> Setting:
    head = {"id": f"edgenode-{name}", "uuid": str(uuid5(NAMESPACE, name))}
    lines = ["# Made by edgenode firstboot from node.json; another node.json makes it anew."]
    for section, table in sections.items():
        rows = {**head, **table} if section == "connection" else table
        lines += ["", f"[{section}]", *(f"{key}={value}" for key, value in rows.items())]
    path = f"{DIRECTORY}/edgenode-{name}.nmconnection"
    return Setting(path, "\n".join(lines) + "\n", SECRET)
