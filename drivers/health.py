"""The node itself: heat, supply, memory, processor, disk, clock, card, radio and certificate.

Datasheet: none; the files of Linux are the part.
- Temperature: Documentation/driver-api/thermal/sysfs-api.rst, `temp` in 1/1000 °C.
- Throttling: `get_throttled` of Raspberry Pi's kernel (drivers/firmware/raspberrypi.c), in
  hexadecimal; its bits are those of `vcgencmd get_throttled` in Raspberry Pi's documentation.
  Other kernels have the supply's alarm alone: drivers/hwmon/raspberrypi-hwmon.c.
- Memory, processor, uptime: proc_meminfo(5), proc_stat(5), proc_uptime(5).
- Card: drivers/health_card.py. Certificate: drivers/health_certificate.py.
- Radio: net/wireless/wext-proc.c; a level below zero is in dBm, others have no unit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Annotated, ClassVar, Final, NamedTuple

from msgspec import Meta

from drivers.health_card import Number, card_life_used, card_written, disk_of
from drivers.health_certificate import certificate_left
from edgenode.bus import Tree
from edgenode.driver import Driver, Found, Grade, Options, WireKind
from edgenode.errors import BusError
from edgenode.reading import Channel, Event, EventCode, Kind, Quality, Sample, Stream

PROCESSOR_ZONES: Final = ("cpu", "soc", "pkg")  # in the `type` of a thermal zone, in this order
PLATFORM: Final = "sys/devices/platform"
UNDER_VOLTAGE: Final = 0x1  # bit 0; 1 frequency capped, 2 throttled, 3 soft temperature limit
FOUR_BITS: Final = 0xF
SINCE_BOOT: Final = 16  # from this bit the same four, latched since boot
IDLE: Final = (3, 4)  # columns of /proc/stat that are not work: idle, waiting for a disk
SHARE_TICKS: Final = 50  # half a second of one core; a share of less is that of a moment
CPU_COLUMNS: Final = 8  # those behind them, of guests, are in the first two already
LEVEL: Final = 3  # column of /proc/net/wireless
NO_LEVEL: Final = -256  # what a radio that hears nothing reports

ITSELF: Final = "this machine itself: its heat, supply, memory, disk, card and clock"
SUPPLY_LOW: Final = 1  # the index of its channel
KERNEL: Final = 11  # so many channels are of files of the kernel


class HealthOptions(Options, frozen=True):
    """What an installer may choose."""

    state: Annotated[
        str,
        Meta(
            pattern="^/.*$",
            title="whose disk is looked at: node.state",
            description="a directory, as an absolute path",
        ),
    ] = "/var/lib/edgenode"
    card: Annotated[
        str,
        Meta(
            pattern="^[a-z0-9]*$",
            title="whose writes are counted; else the disk of state",
            description="a disk such as mmcblk0, without /dev/",
        ),
    ] = ""
    certificate: Annotated[
        str,
        Meta(
            pattern="^(/.*)?$",
            title="whose end is told, so that somebody notices in time; the node's own",
            description="a file in PEM, as an absolute path",
        ),
    ] = "/etc/edgenode/tls/node.pem"


def temperature(tree: Tree, zone: str) -> Number:
    """Return the °C of a thermal zone."""
    text = tree.text(f"sys/class/thermal/{zone}/temp") if zone else None
    return None if text is None else int(text) / 1000


def thermal_zone(tree: Tree) -> str:
    """Return the name of the zone of the processor, else of the first zone, else ""."""
    zones = [name for name in tree.names("sys/class/thermal") if name.startswith("thermal_zone")]
    kinds = {zone: (tree.text(f"sys/class/thermal/{zone}/type") or "").lower() for zone in zones}
    for word in PROCESSOR_ZONES:
        for zone in zones:
            if word in kinds[zone]:
                return zone
    return zones[0] if zones else ""


def throttle_file(tree: Tree) -> str:
    """Return where the firmware tells of throttling, "" on other boards."""
    for soc in tree.names(PLATFORM):
        for device in tree.names(f"{PLATFORM}/{soc}") if soc.startswith("soc") else ():
            if device.endswith(":firmware"):
                return f"{PLATFORM}/{soc}/{device}/get_throttled"
    return ""


def throttling(tree: Tree, path: str) -> int | None:
    """Return the firmware's 20 bits."""
    text = tree.text(path) if path else None
    return None if text is None else int(text, 16)


def supply_alarm(tree: Tree) -> int | None:
    """Return whether the supply was too low just before, where the kernel only knows that."""
    for monitor in tree.names("sys/class/hwmon"):
        if tree.text(f"sys/class/hwmon/{monitor}/name") == "rpi_volt":
            text = tree.text(f"sys/class/hwmon/{monitor}/in0_lcrit_alarm")
            return None if text is None else int(text)
    return None


def memory_available(tree: Tree) -> Number:
    """Return how many bytes a program could still have."""
    for line in (tree.text("proc/meminfo") or "").splitlines():
        name, _, rest = line.partition(":")
        if name == "MemAvailable":
            return int(rest.split()[0]) * 1024
    return None


def processor_time(tree: Tree) -> tuple[int, int] | None:
    """Return the ticks since boot of all cores: at work, and in all."""
    for line in (tree.text("proc/stat") or "").splitlines():
        if line.startswith("cpu "):
            ticks = [int(word) for word in line.split()[1 : 1 + CPU_COLUMNS]]
            return sum(ticks) - sum(ticks[column] for column in IDLE), sum(ticks)
    return None


def uptime(tree: Tree) -> Number:
    """Return the seconds since boot."""
    text = tree.text("proc/uptime")
    return None if text is None else float(text.split()[0])


def wifi_signal(tree: Tree) -> Number:
    """Return the dBm at which the first radio hears its access point."""
    for line in (tree.text("proc/net/wireless") or "").splitlines()[2:]:
        level = int(line.split()[LEVEL].rstrip("."))
        if NO_LEVEL < level < 0:
            return level
    return None


class Told(NamedTuple):
    """What one question came to."""

    value: Number
    quality: Quality


def _tried(ask: Callable[[], Number]) -> Told:
    """Ask; a file that does not say what Linux documents is a fault, one that is not there none."""
    try:
        value = ask()
    except (ValueError, IndexError):
        return Told(None, Quality.FAULT)
    return Told(value, Quality.MISSING if value is None else Quality.OK)


def _ticks(tree: Tree) -> tuple[int, int] | None:
    """Return the processors' time where the file makes sense; that it does not is told by reads."""
    try:
        return processor_time(tree)
    except (ValueError, IndexError):
        return None


def _bits(found: Told, shift: int, mask: int) -> Told:
    """Return some of the bits that were found, if any were."""
    if found.value is None:
        return found
    return Told(int(found.value) >> shift & mask, found.quality)


class Health(Driver):
    """The machine that the daemon runs on. What a board does not have is missing, no failure."""

    wire: ClassVar[WireKind] = "sysfs"
    model: ClassVar[str] = "node"
    options: ClassVar[type[Options]] = HealthOptions
    stream: ClassVar[Stream] = Stream.HEALTH
    purpose: ClassVar[str] = "keeps this node working"
    channels: ClassVar[tuple[Channel, ...]] = (
        Channel("temperature", "Cel", -1, low=-40, high=125),
        Channel("supply_low", "1", kind=Kind.STATE, low=0, high=1),
        Channel("throttled", "1", kind=Kind.STATE, low=0, high=15),
        Channel("throttled_since_boot", "1", kind=Kind.STATE, low=0, high=15),
        Channel("memory_available", "B", 5),
        Channel("cpu_busy", "%", 0, low=0, high=100),
        Channel("disk_free", "B", 6),
        Channel("card_written", "B", 3, kind=Kind.COUNTER),
        Channel("card_life_used", "%", 1, low=0, high=110),
        Channel("wifi_signal", "dBm", 0, low=-120, high=0),
        Channel("uptime", "s"),
        Channel("clock_error", "ms"),
        Channel("certificate_left", "s", 2),
    )
    budget_s: ClassVar[float] = 0.5  # a few ms as a rule; a board under memory pressure is slower
    fastest_s: ClassVar[float] = 1.0  # the shares of a shorter time mean nothing
    since_boot: ClassVar[frozenset[str]] = frozenset({"card_written"})
    grade: ClassVar[Grade] = "oracle"

    def __init__(self, wire: Tree, options: HealthOptions) -> None:
        self._tree, self._state = wire, options.state
        self._zone = thermal_zone(wire)
        self._throttle_file = throttle_file(wire)
        self._card = options.card or disk_of(wire, options.state)
        self._certificate = options.certificate
        self._ticks = _ticks(wire)
        self._low = False
        self._latched: int | None = None  # not known before the first read

    @classmethod
    def identify(cls, wire: Tree, sleep: Callable[[float], None] = time.sleep) -> Found | None:
        """Return the machine itself, wherever the kernel says for how long it is up."""
        del sleep
        return None if _tried(lambda: uptime(wire)).value is None else Found(ITSELF)

    def read(self, now_ms: int) -> Sample:
        """Return what the kernel says. Raises BusError where it says nothing at all."""
        del now_ms  # its files are about now by themselves, and a certificate about UTC
        tree, card = self._tree, self._card
        bits = _tried(lambda: throttling(tree, self._throttle_file))
        low = _bits(bits, 0, UNDER_VOLTAGE)
        if bits.value is None:
            low = _tried(lambda: supply_alarm(tree))
        found = (
            _tried(lambda: temperature(tree, self._zone)),
            low,
            _bits(bits, 0, FOUR_BITS),
            _bits(bits, SINCE_BOOT, FOUR_BITS),
            _tried(lambda: memory_available(tree)),
            _tried(self._busy),
            _tried(lambda: tree.free_bytes(self._state)),
            _tried(lambda: card_written(tree, card)),
            _tried(lambda: card_life_used(tree, card)),
            _tried(lambda: wifi_signal(tree)),
            _tried(lambda: uptime(tree)),
            _tried(tree.clock_error_ms),
            _tried(lambda: certificate_left(tree, self._certificate, time.time())),
        )
        if all(one.quality is Quality.MISSING for one in found[:KERNEL]):
            raise BusError("health: none of the kernel's files is there; is the bus's path /?")
        values, quality = (tuple(column) for column in zip(*found, strict=True))
        return Sample(values, quality, self._supply_events(low.value, bits.value))

    def close(self) -> None:
        """Give the tree back."""
        self._tree.close()

    def _busy(self) -> Number:
        """Return the % of the processors' time since the last read that was work."""
        before, found = self._ticks, processor_time(self._tree)
        if before is None or found is None or found[1] - before[1] < SHARE_TICKS:
            self._ticks = before or found
            return None
        self._ticks = found
        return 100 * (found[0] - before[0]) / (found[1] - before[1])

    def _supply_events(self, low: Number, bits: Number) -> tuple[Event, ...]:
        """Tell of an under-voltage that began, or that came and went since the last read."""
        latched = None if bits is None else int(bits) >> SINCE_BOOT & UNDER_VOLTAGE
        began = bool(low) and not self._low
        passed = bool(latched) and self._latched == 0 and not low
        self._low, self._latched = bool(low), latched
        return (Event(EventCode.SUPPLY_LOW, SUPPLY_LOW),) if began or passed else ()
