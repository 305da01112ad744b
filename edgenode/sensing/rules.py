"""What an installer may ask of one channel beyond what its driver declares. Values only."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Calibration:
    """Corrects a channel: gain and offset, or a polynomial, of what the driver gives.

    `polynomial` has the coefficients of x^0, x^1, … and then stands in place of gain and offset.
    With `raw` the value before it travels too, as the channel `<quantity>_raw`.
    """

    id: str
    date: str  # of the calibration, YYYY-MM-DD
    gain: float = 1.0
    offset: float = 0.0
    polynomial: tuple[float, ...] = ()
    raw: bool = False


@dataclass(frozen=True, slots=True)
class ChannelRules:
    """How one channel is corrected and judged; what is None is not judged."""

    calibration: Calibration | None = None
    low: float | None = None  # tighter than what the part can mean, in the unit of the channel
    high: float | None = None
    stuck_s: float | None = None  # unchanged for longer than this is suspect
    rate_per_s: float | None = None  # a faster change than this is suspect
    twin: str = ""  # "<sensor>/<quantity>" that measures the same
    tolerance: float | None = None  # by which twins may differ
    meter: MeterRules | None = None
    leak: LeakRules | None = None


@dataclass(frozen=True, slots=True)
class MeterRules:
    """What is known of a total that the part keeps by itself, in the unit of its channel.

    With `register` what it shows travels too, as the channel `<quantity>_register`.
    """

    modulus: float | None = None  # it goes on from 0 here: 100,000 with five digits
    most_per_h: float | None = None  # more than this it cannot count in an hour
    register: bool = False


@dataclass(frozen=True, slots=True)
class LeakRules:
    """A total that has grown in every window of `quiet_s` for `after_s` is suspect."""

    after_s: float
    quiet_s: float


@dataclass(frozen=True, slots=True)
class LifeRules:
    """How long a part lasts, and since when: by its day of installation or by its own count."""

    hours: float
    what: str  # that wears, such as "laser"
    counter: str = ""  # the quantity that counts its hours; else it works all the time
    installed: str = ""  # YYYY-MM-DD, UTC


@dataclass(frozen=True, slots=True)
class SensorRules:
    """The rules of one sensor: by quantity, and which quantities are to be derived.

    `sources` names, for a source of those, the channel of another sensor that it comes from.
    """

    channels: dict[str, ChannelRules] = field(default_factory=dict)
    derived: tuple[str, ...] = ()
    sources: dict[str, str] = field(default_factory=dict)  # quantity: "<sensor>/<quantity>"
    life: LifeRules | None = None
