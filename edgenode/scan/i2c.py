"""Which I2C addresses answer, and who is there by an identity of its own.

An address is first asked for nothing but its acknowledge. Only drivers whose part can stand there
then ask for its identity, none of which writes anything that lasts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, Final

from edgenode.bus import i2c_answers, open_i2c
from edgenode.driver import Found, loadable
from edgenode.errors import BusError, BusStuck, BusTimeout
from edgenode.scan.found import Seen
from edgenode.scan.places import kernel_driver

ADDRESSES: Final = range(0x08, 0x78)  # the others are reserved (UM10204 §3.1.12, by NXP)
# Never touched. 0x50 to 0x57 are EEPROMs, such as the identity of a Raspberry Pi's HAT, and an
# empty write corrupts one kind of them; 0x30 to 0x37 write-protect memory modules for good
# (i2cdetect(8) of i2c-tools warns of both).
IIO_OR_HWMON: Final = "read it with iio or hwmon"
HUNG_MOST: Final = 3  # parts, each of which costs a second or so
# A TCA9548A may stand there: one byte is a mask of its branches to it, not a register.
MULTIPLEXERS: Final = range(0x70, 0x78)
DANGEROUS: Final = frozenset((*range(0x30, 0x38), *range(0x50, 0x58)))


def survey_i2c(path: str, stop: threading.Event) -> Iterator[Seen]:
    """Yield whatever answers on a bus. Raises BusError where the bus itself is at fault."""
    drivers = {n: d for n, d in loadable().items() if d.wire == "i2c" and d.addresses}
    hung = 0
    for address in ADDRESSES:
        if stop.is_set():
            return
        if address in DANGEROUS:
            continue
        try:
            yield from _there(path, address, drivers)
        except BusTimeout as exc:  # one part that hangs must not hide those behind it
            hung += 1
            if hung > HUNG_MOST:
                raise
            words = "holds the bus until the kernel gives up: check its supply and wires"
            yield Seen(f"0x{address:02x}", f"{words} ({exc})")


def _there(path: str, address: int, drivers: dict[str, Any]) -> Iterator[Seen]:
    """Yield who stands at an address. Raises BusError where the bus is at fault."""
    place = f"0x{address:02x}"
    holder = kernel_driver(path, address)
    if holder:
        how = "hwclock sets it and is set by it" if holder.startswith("rtc") else IIO_OR_HWMON
        words = f"held by the kernel's driver {holder}: {how}"
        yield Seen(place, words)
    elif i2c_answers(path, address):
        yield from _named(path, address, place, drivers)


def _named(path: str, address: int, place: str, drivers: dict[str, Any]) -> Iterator[Seen]:
    """Yield who says that it is there, or that nobody known does."""
    held = _held(path, address) if address in MULTIPLEXERS else b""
    if held not in {b"", b"\0"} and _told(path, address, held) == held:
        yield Seen(place, "answers like a multiplexer, whose branches are left as they are")
        return
    known = False
    for name, driver in drivers.items():
        if address not in driver.addresses:
            continue
        found = _asked(path, address, driver)
        if found:
            known = True
            yield Seen(place, found.words, name, {"address": address, **found.options})
    if known:
        return
    if held:
        _told(path, address, held)  # should it be a multiplexer without branches, it is so again
    could = [n for n, driver in drivers.items() if address in driver.addresses]
    hint = f"; by its address it could be {', '.join(could)}" if could else ""
    yield Seen(place, f"answers, and no driver here knows it{hint}")


def _held(path: str, address: int) -> bytes:
    """Return the byte that a part gives unasked; empty where it has none, as command sensors do."""
    wire = open_i2c(path, address)
    try:
        return wire.transfer(b"", 1)
    except (BusTimeout, BusStuck):
        raise
    except BusError:
        return b""
    finally:
        wire.close()


def _told(path: str, address: int, held: bytes) -> bytes:
    """Tell a part the byte that it gave, and return what it gives then.

    A multiplexer keeps its branches and gives the same. Anything else takes the byte for the
    number of a register, and gives what that holds.
    """
    wire = open_i2c(path, address)
    try:
        return wire.transfer(held, 1)
    finally:
        wire.close()


def _asked(path: str, address: int, driver: Any) -> Found | None:
    wire = open_i2c(path, address)
    try:
        found: Found | None = driver.identify(wire)
    except (BusTimeout, BusStuck):
        raise
    except BusError:  # it does not acknowledge what it does not know
        return None
    finally:
        wire.close()
    return found
