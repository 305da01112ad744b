"""What an installer may write into the node's TOML file, table by table, as frozen values.

A type's `description` is the sentence an installer reads when a value does not fit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from edgenode.driver import Options, WireKind

SCHEMA = 1

NodeId = Annotated[
    str,
    Meta(
        pattern="^([0-9a-f]{2}){4,16}$",
        description="4 to 16 bytes as lower-case hexadecimal digits",
    ),
]
Name = Annotated[
    str,
    Meta(pattern="^[A-Za-z0-9][-._A-Za-z0-9]{0,63}$", description="a short name without spaces"),
]
Text = Annotated[str, Meta(min_length=1, max_length=4096, description="text in quotes, not empty")]
Seconds = Annotated[float, Meta(gt=0, le=86_400, description="seconds, above 0, up to a day")]
Megabytes = Annotated[int, Meta(ge=4, le=1 << 20, description="whole megabytes, 4 or more")]
Degrees90 = Annotated[float, Meta(ge=-90, le=90, description="degrees, -90 to 90")]
Degrees180 = Annotated[float, Meta(ge=-180, le=180, description="degrees, -180 to 180")]
Port = Annotated[int, Meta(ge=0, le=65_535, description="a port, 1 to 65535")]
Milliseconds = Annotated[
    int, Meta(ge=0, le=86_400_000, description="whole milliseconds, up to a day")
]
Rate = Annotated[float, Meta(gt=0, le=10_000, description="a number above 0, up to 10000")]


class Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all tables."""


class NodeTable(Table, frozen=True):
    """[node]: who this node is and where it keeps what must survive."""

    id: NodeId
    state: Path = Path("/var/lib/edgenode")
    socket: Path = Path("/run/edgenode/control.sock")


class SiteTable(Table, frozen=True):
    """[site]: what passers-by may know; it is published as `about`."""

    name: str = ""
    latitude: Degrees90 | None = None  # WGS84
    longitude: Degrees180 | None = None
    purpose: str = ""
    accountable: str = ""
    retention: str = ""
    access: str = ""
    contact: str = ""


class ClockTable(Table, frozen=True):
    """[clock]: who vouches for the wall clock where no NTP does."""

    manual_err_ms: Milliseconds | None = None


class SpoolTable(Table, frozen=True):
    """[spool]: how much is kept, and how often it is made durable."""

    cap_mb: Megabytes = 256
    commit_interval_s: Seconds = 5.0
    window_s: Seconds = 60.0
    offline_window_s: Seconds = 600.0
    pregrow: bool = True


class BrokerTable(Table, frozen=True):
    """[[uplink.broker]]: one broker; they are tried in the order of the file."""

    host: Text
    port: Port = 0  # 0: 8883 with TLS, 1883 without
    tls: bool = True
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None
    username: str = ""
    password_file: Path | None = None


class UplinkTable(Table, frozen=True):
    """[uplink]: where batches go, and whose word ends our custody of them."""

    broker: tuple[BrokerTable, ...]
    prefix: Annotated[
        str, Meta(pattern="^[^+#/ ]+(/[^+#/ ]+)*$", description="a topic without + and #")
    ] = "edgenode/v1"
    custody: Literal["city", "broker"] = "city"
    backlog_per_s: Rate = 5.0


class PinTable(Table, frozen=True):
    """A line of a GPIO chip that the node drives, such as the power of a bus."""

    line: Annotated[int, Meta(ge=0, le=1023, description="a line number of the chip, from 0")]
    chip: Text = "/dev/gpiochip0"
    active_low: bool = False


class ClearTable(Table, frozen=True):
    """[bus.clear]: two GPIO lines wired to SCL and SDA, to clock a held I2C bus free."""

    scl: Annotated[int, Meta(ge=0, le=1023, description="a line number of the chip, from 0")]
    sda: Annotated[int, Meta(ge=0, le=1023, description="a line number of the chip, from 0")]
    chip: Text = "/dev/gpiochip0"


class BusTable(Table, frozen=True):
    """[[bus]]: one shared wire."""

    name: Name
    kind: WireKind
    path: Text
    baud: Annotated[int, Meta(ge=300, le=921_600, description="300 to 921600 baud")] | None = None
    parity: Literal["none", "even", "odd"] | None = None
    stop_bits: Literal[1, 2] | None = None
    clear: ClearTable | None = None  # i2c only
    power: PinTable | None = None  # switches the supply of everything on this bus
    usb_port: Annotated[
        str, Meta(pattern="^([0-9]+-[0-9]+(\\.[0-9]+)*)?$", description="a USB port such as 1-1.2")
    ] = ""  # re-authorised where nothing else helps


class CalibrationTable(Table, frozen=True):
    """[sensor.channel.QUANTITY.calibration]: what corrects a channel, and who says so."""

    id: Text
    date: Annotated[
        str, Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="a date, YYYY-MM-DD")
    ]
    gain: float = 1.0
    offset: float = 0.0
    polynomial: Annotated[
        tuple[float, ...], Meta(max_length=8, description="up to 8 coefficients, of x^0 upwards")
    ] = ()
    raw: bool = False  # the value before it travels too


class ChannelTable(Table, frozen=True):
    """[sensor.channel.QUANTITY]: why a channel is measured, how it is corrected and judged."""

    purpose: str = ""
    calibration: CalibrationTable | None = None
    low: float | None = None
    high: float | None = None
    stuck_s: Seconds | None = None
    rate_per_s: Annotated[float, Meta(gt=0, description="a number above 0")] | None = None
    twin: str = ""
    tolerance: Annotated[float, Meta(gt=0, description="a number above 0")] | None = None


class BudgetTable(Table, frozen=True):
    """[budget]: how much may be sent, where somebody pays for it."""

    day_mb: Rate | None = None
    month_mb: (
        Annotated[float, Meta(gt=0, le=1_000_000, description="megabytes a month, above 0")] | None
    ) = None


class RecoveryTable(Table, frozen=True):
    """[recovery]: how far the node may go to get a bus back by itself."""

    restart: bool = True  # the daemon, at most three times a day
    reboot: bool = True  # the machine, at most three times a day


class SensorTable(Table, frozen=True):
    """[[sensor]]: a configured instance of a driver; keys beyond these are the driver's options."""

    name: Name
    driver: str
    bus: str
    every_s: Seconds
    stamp_ms: Milliseconds = 50  # a stamp is the schedule slot when the read was this near to it
    serial: str = ""
    purpose: str = ""  # why this is measured: every channel must have a purpose, its own or this
    derived: tuple[str, ...] = ()  # quantities to compute from this sensor's own
    channel: dict[str, ChannelTable] = msgspec.field(default_factory=dict)


class Sensor(msgspec.Struct, frozen=True):
    """A sensor with its driver found and its options checked."""

    name: str
    driver: Any  # a class that satisfies edgenode.driver.Driver
    options: Options
    bus: BusTable
    every_ms: int
    stamp_ms: int
    serial: str
    purpose: str = ""
    derived: tuple[str, ...] = ()
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
    lamp: PinTable | None = None  # [lamp]: shows on a GPIO line whether the node is well
