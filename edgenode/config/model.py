"""What an installer may write into the node's TOML file, table by table, as frozen values.

The `title` of a field says what its key is for. Check messages, the JSON Schema for editors and
docs/configuration.md are all made from these structs and from the options of the drivers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edgenode.config.channels import ChannelTable
from edgenode.config.types import (
    AbsolutePath,
    Allowed,
    Baud,
    Day,
    DayMegabytes,
    Degrees90,
    Degrees180,
    Device,
    Elements,
    Host,
    Lenders,
    Megabytes,
    Milliseconds,
    MonthMegabytes,
    Name,
    NodeId,
    Parity,
    Port,
    Quantity,
    Rate,
    Seconds,
    Secret,
    Serial,
    Serves,
    Topic,
    Translations,
    Url,
    UsbPort,
    User,
    Words,
)
from edgenode.driver import Line, Options, WireKind

SCHEMA = 1
MAX_SENSORS = 1000


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all tables."""


class NodeTable(Table, frozen=True):
    """[node]: who this node is and where it keeps what must survive."""

    id: Annotated[NodeId, Meta(title="given at provisioning, never a MAC; the MQTT user name too")]
    state: Annotated[AbsolutePath, Meta(title="directory of all that must survive a power cut")] = (
        Path("/var/lib/edgenode")
    )
    socket: Annotated[AbsolutePath, Meta(title="where the command line talks to the daemon")] = (
        Path("/run/edgenode/control.sock")
    )


class SiteTable(Table, frozen=True):
    """[site]: what passers-by may know; it is published as `about`."""

    name: Annotated[Words, Meta(title="the place in words")] = ""
    latitude: Annotated[Degrees90 | None, Meta(title="north positive, WGS84")] = None
    longitude: Annotated[Degrees180 | None, Meta(title="east positive, WGS84")] = None
    purpose: Annotated[Words, Meta(title="what the node as a whole is for")] = ""
    accountable: Annotated[Words, Meta(title="who answers for it")] = ""
    retention: Annotated[Words, Meta(title="how long readings are kept")] = ""
    access: Annotated[Words, Meta(title="who may have them")] = ""
    contact: Annotated[Words, Meta(title="whom to ask")] = ""
    url: Annotated[
        Url, Meta(title="where more is told; the code on the sign of the pole leads there")
    ] = ""
    privacy: Annotated[
        Allowed, Meta(title="the most private class of channels that may be measured here")
    ] = "internal"
    dtpr: Annotated[
        Elements, Meta(title="elements of the DTPR data chain that no channel tells of")
    ] = ()
    en: Annotated[
        Translations, Meta(title="texts of this file in English, where they are in Korean")
    ] = msgspec.field(default_factory=dict)
    ko: Annotated[
        Translations, Meta(title="texts of this file in Korean, where they are in English")
    ] = msgspec.field(default_factory=dict)


class ClockTable(Table, frozen=True):
    """[clock]: who vouches for the wall clock where no NTP does."""

    manual_err_ms: Annotated[
        Milliseconds | None,
        Meta(
            title="vouch for the clock by hand: how wrong it may be; without NTP or satellites, and"
            " not in a boot that found its clock behind and stepped it forward"
        ),
    ] = None


class SpoolTable(Table, frozen=True):
    """[spool]: how much is kept, and how often it is made durable."""

    cap_mb: Annotated[
        Megabytes, Meta(title="room on the disk, never more; the oldest telemetry goes first")
    ] = 256
    commit_interval_s: Annotated[
        Seconds, Meta(title="at most this much (and one flush) is lost by a power cut")
    ] = 5.0
    window_s: Annotated[Seconds, Meta(title="one batch in this time while connected")] = 60.0
    offline_window_s: Annotated[Seconds, Meta(title="one batch in this time while not")] = 600.0
    pregrow: Annotated[
        bool, Meta(title="take the room at once, so that a full disk cannot take it away")
    ] = True


class BrokerTable(Table, frozen=True):
    """[[uplink.broker]]: one broker; they are tried in the order of the file."""

    host: Annotated[Host, Meta(title="where the broker is")]
    port: Annotated[Port, Meta(title="its port; 0 is 8883 with TLS and 1883 without")] = 0
    tls: Annotated[bool, Meta(title="encrypt, and prove who the broker is")] = True
    ca: Annotated[
        Secret | None, Meta(title="whose certificates to trust; else those the system trusts")
    ] = None
    cert: Annotated[Secret | None, Meta(title="the node's own certificate; goes with key")] = None
    key: Annotated[Secret | None, Meta(title="the private key of cert")] = None
    username: Annotated[User, Meta(title="the MQTT user; empty is the node id")] = ""
    password_file: Annotated[
        Secret | None, Meta(title="file with the password, read anew for each connection")
    ] = None


class UplinkTerms(Table, frozen=True):
    """How batches go, which a node is told when it is provisioned too."""

    prefix: Annotated[Topic, Meta(title="what all topics begin with")] = "edgenode/v1"
    custody: Annotated[
        Literal["city", "broker"], Meta(title="whose acknowledgement lets a batch leave the node")
    ] = "city"
    backlog_per_s: Annotated[
        Rate, Meta(title="batches of backlog a second, so that no city is flooded")
    ] = 5.0


class UplinkTable(UplinkTerms, frozen=True):
    """[uplink]: where batches go, and whose word ends our custody of them."""

    broker: Annotated[tuple[BrokerTable, ...], Meta(max_length=16)] = ()  # none: nothing is sent


class PinTable(Table, frozen=True):
    """A line of a GPIO chip that the node drives, such as the power of a bus."""

    line: Annotated[Line, Meta(title="the line to drive")]
    chip: Annotated[Device, Meta(title="its chip")] = "/dev/gpiochip0"
    active_low: Annotated[bool, Meta(title="low is on")] = False


class ClearTable(Table, frozen=True):
    """[bus.clear]: two GPIO lines wired to SCL and SDA, to clock a held I2C bus free."""

    scl: Annotated[Line, Meta(title="the line wired to SCL")]
    sda: Annotated[Line, Meta(title="the line wired to SDA")]
    chip: Annotated[Device, Meta(title="their chip")] = "/dev/gpiochip0"


class BusTable(Table, frozen=True):
    """[[bus]]: one shared wire."""

    name: Annotated[Name, Meta(title="what sensors call it")]
    kind: Annotated[WireKind, Meta(title="what sort of wire it is")]
    path: Annotated[
        Device,
        Meta(
            title="/dev/i2c-N, /dev/serial/by-id/…, /dev/gpiochipN; for sysfs /, the kernel's files"
        ),
    ]
    baud: Annotated[Baud | None, Meta(title="serial: speed; else what the part asks for")] = None
    parity: Annotated[Parity | None, Meta(title="serial: parity; else what the part asks for")] = (
        None
    )
    stop_bits: Annotated[
        Literal[1, 2] | None, Meta(title="serial: stop bits; else what the part asks for")
    ] = None
    clear: ClearTable | None = None
    power: Annotated[
        PinTable | None, Meta(title="switches the supply of everything on this bus")
    ] = None
    usb_port: Annotated[
        UsbPort, Meta(title="the adapter's port, re-authorised where nothing else helps")
    ] = ""


class BudgetTable(Table, frozen=True):
    """[budget]: how much may be sent, where somebody pays for it."""

    day_mb: Annotated[DayMegabytes | None, Meta(title="at most this much a day")] = None
    month_mb: Annotated[MonthMegabytes | None, Meta(title="at most this much a month")] = None


class RecoveryTable(Table, frozen=True):
    """[recovery]: how far the node may go to get a bus back by itself."""

    restart: Annotated[bool, Meta(title="the daemon may restart, at most three times a day")] = True
    reboot: Annotated[bool, Meta(title="the machine may reboot, at most three times a day")] = True


class SensorTable(Table, frozen=True):
    """[[sensor]]: a configured instance of a driver; keys beyond these are the driver's options."""

    name: Annotated[Name, Meta(title="begins the names of its channels, NAME/QUANTITY")]
    driver: Annotated[str, Meta(title="the part; docs/drivers.md lists them")]
    bus: Annotated[str, Meta(title="the name of a [[bus]]")]
    every_s: Annotated[Seconds, Meta(title="how often it is read")]
    stamp_ms: Annotated[
        Milliseconds,
        Meta(title="a stamp is the slot of the schedule when the read was this near to it"),
    ] = 50
    serial: Annotated[Serial, Meta(title="the serial number on the part")] = ""
    installed: Annotated[
        Day, Meta(title="when the part was put in, so that the end of its life is told")
    ] = ""
    purpose: Annotated[
        Words, Meta(title="why this is measured: no channel without a purpose, its own or this")
    ] = ""
    serves: Annotated[
        Serves,
        Meta(
            title="whose consumption it shows; of a household at most each 15 minutes; "
            "a meter that does not say so serves a household"
        ),
    ] = ""
    derived: Annotated[
        tuple[Quantity, ...], Meta(title="quantities to compute from this sensor's own")
    ] = ()
    sources: Annotated[
        Lenders, Meta(title="what they are made from instead of this sensor's own")
    ] = msgspec.field(default_factory=dict)
    channel: dict[str, ChannelTable] = msgspec.field(default_factory=dict)


class FileTable(Table, frozen=True):
    """The whole file."""

    schema: Annotated[Literal[1], Meta(title="the version of this file's format")]
    node: NodeTable
    uplink: UplinkTable = UplinkTable()
    site: SiteTable = SiteTable()
    clock: ClockTable = ClockTable()
    spool: SpoolTable = SpoolTable()
    budget: BudgetTable = BudgetTable()
    recovery: RecoveryTable = RecoveryTable()
    lamp: Annotated[PinTable | None, Meta(title="shows whether the node is well")] = None
    bus: Annotated[tuple[BusTable, ...], Meta(max_length=64)] = ()
    sensor: Annotated[tuple[SensorTable, ...], Meta(max_length=MAX_SENSORS)] = ()


class Sensor(msgspec.Struct, frozen=True):
    """A sensor with its driver found and its options checked."""

    name: str
    driver: Any  # a class that satisfies edgenode.driver.Driver
    options: Options
    bus: BusTable
    every_ms: int
    stamp_ms: int
    serial: str
    installed: str = ""
    purpose: str = ""
    household: bool = False  # what it tells is about the people of one household
    derived: tuple[str, ...] = ()
    sources: dict[str, str] = msgspec.field(default_factory=dict)
    channel: dict[str, ChannelTable] = msgspec.field(default_factory=dict)


class Config(msgspec.Struct, frozen=True):
    """The whole file, checked: nothing in it can surprise a room any more."""

    node: NodeTable
    site: SiteTable
    clock: ClockTable
    spool: SpoolTable
    uplink: UplinkTable
    buses: tuple[BusTable, ...]
    sensors: tuple[Sensor, ...]
    budget: BudgetTable = BudgetTable()
    recovery: RecoveryTable = RecoveryTable()
    lamp: PinTable | None = None
    warnings: tuple[str, ...] = ()  # sentences, each with file and line
