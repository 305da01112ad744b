"""The tables below a sensor's: what an installer may ask of one channel, as frozen values."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from edgenode.config.types import (
    Coefficients,
    Date,
    Hours,
    Minutes,
    Positive,
    Seconds,
    Serial,
    Twin,
    Words,
)


class CalibrationTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[sensor.channel.QUANTITY.calibration]: what corrects a channel, and who says so."""

    id: Annotated[Serial, Meta(min_length=1, title="the certificate, so that it can be found")]
    date: Annotated[Date, Meta(title="when it was calibrated")]
    gain: Annotated[float, Meta(title="the value is multiplied by this, then offset is added")] = (
        1.0
    )
    offset: Annotated[float, Meta(title="added, in the channel's unit")] = 0.0
    polynomial: Annotated[Coefficients, Meta(title="in place of gain and offset")] = ()
    raw: Annotated[
        bool, Meta(title="the value before it travels too, as the channel QUANTITY_raw")
    ] = False


class ChannelTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """[sensor.channel.QUANTITY]: why a channel is measured, how it is corrected and judged."""

    purpose: Annotated[Words, Meta(title="why this channel is measured, if not as the sensor")] = ""
    calibration: CalibrationTable | None = None
    low: Annotated[
        float | None, Meta(title="below this it is marked out-of-range, in the channel's unit")
    ] = None
    high: Annotated[float | None, Meta(title="above this it is marked out-of-range")] = None
    stuck_s: Annotated[
        Seconds | None, Meta(title="unchanged for longer than this it is marked stuck")
    ] = None
    rate_per_s: Annotated[
        Positive | None, Meta(title="changed faster than this, in units a second, it is marked")
    ] = None
    twin: Annotated[Twin, Meta(title="a channel that measures the same; goes with tolerance")] = ""
    tolerance: Annotated[
        Positive | None, Meta(title="twins that differ by more than this are marked as disagreeing")
    ] = None
    modulus: Annotated[
        Positive | None,
        Meta(title="a total of the part goes on from 0 here: 100000 with five digits"),
    ] = None
    most_per_h: Annotated[
        Positive | None,
        Meta(title="more than this, in its unit, a total of the part cannot grow in an hour"),
    ] = None
    register: Annotated[
        bool, Meta(title="what the part shows travels too, as the channel QUANTITY_register")
    ] = False
    leak_after_h: Annotated[
        Hours | None, Meta(title="a volume that has grown without a pause for so long may leak")
    ] = None
    quiet_min: Annotated[
        Minutes | None, Meta(title="how long a pause is; 30 where leak_after_h stands alone")
    ] = None
