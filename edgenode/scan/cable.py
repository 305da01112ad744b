"""Several parts on one serial cable: each address is asked, as long as anybody answers there."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from edgenode.bus import SerialPort
from edgenode.driver import Found
from edgenode.errors import BadFrame, BusError, BusTimeout, DriverError, NodeError
from edgenode.scan.found import Seen

HIGHEST: Final = 250  # of M-Bus (EN 13757-2 §5.7.5); 247 of Modbus (its serial line guide, §2.2)
MODBUS_HIGHEST: Final = 247
UNKNOWN: Final = {
    "modbus": "a Modbus part that no driver here knows: describe its registers in a stanza with "
    'driver = "modbus"',
}
DAMAGED: Final = (
    "answers in damaged frames: two parts at one address, another speed, or a bad cable"
)


def numbers(text: str) -> tuple[int, ...]:
    """Return the addresses that somebody asks for, such as "1-16" or "1,5,7-9".

    Raises NodeError.
    """
    found: list[int] = []
    for piece in text.split(","):
        first, dash, last = piece.strip().partition("-")
        low, high = (int(n) if n.isdecimal() else -1 for n in (first, last if dash else first))
        if not 0 <= low <= high <= HIGHEST:
            raise NodeError(f"{piece}: write addresses from 0 to {HIGHEST}, as in 1-16 or 1,5,7-9")
        found += range(low, high + 1)
    return tuple(dict.fromkeys(found))


def on_cable(
    port: SerialPort,
    drivers: Mapping[str, Any],
    addresses: Sequence[int],
    stop: threading.Event,
) -> Iterator[Seen]:
    """Yield each part that shares this port; without `addresses` at those that are usual.

    Raises BusError where the port is gone.
    """
    for protocol in dict.fromkeys(driver.shares for driver in drivers.values() if driver.shares):
        sharing = {name: one for name, one in drivers.items() if one.shares == protocol}
        met: set[Any] = set()
        for address in addresses or _usual(sharing, port):
            if stop.is_set():
                return
            if protocol == "modbus" and not 1 <= address <= MODBUS_HIGHEST:
                continue
            seen = _at(port, sharing, protocol, address)
            if seen and seen.options["address"] not in met:  # one that is alone answers twice
                met.add(seen.options["address"])
                yield seen


def _usual(sharing: Mapping[str, Any], port: SerialPort) -> tuple[int, ...]:
    """Return where to look; a part that was never set has the factory's speed and address."""
    usual = tuple(dict.fromkeys(n for driver in sharing.values() for n in driver.addresses))
    return usual if any(driver.line == port.line for driver in sharing.values()) else usual[:1]


def _at(port: SerialPort, sharing: Mapping[str, Any], protocol: str, address: int) -> Seen | None:
    """Return who is at an address; None where nobody is; without a line where all is noise."""
    words, line = "", None
    for name, driver in sharing.items():
        try:
            found: Found | None = driver.identify_at(port, address)
        except BusTimeout:
            if not words:
                return None
            continue
        except BadFrame:
            words = words or DAMAGED
            continue
        except BusError:
            if port.fileno() < 0:
                raise
            continue
        except DriverError:  # something else answered
            found = None
        if found:
            at = found.options.get("address", address)
            options = {"address": at, **found.options}
            return Seen(f"{port.line}, address {at}", found.words, name, options, port.line)
        words, line = UNKNOWN.get(protocol, DAMAGED), port.line
    if not words or address > HIGHEST:  # several meters answer at once to what is for all
        return None
    place = f"{port.line}, address {address}"
    return Seen(place, words, options={"address": address}, line=line)
