"""What single values of the file may be.

`description` says what may be written, in the words that an installer reads when a value does not
fit, in an editor and in docs/configuration.md. What a key is for is the `title` of its field.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from edgenode.config.credentials import PATTERN

NodeId = Annotated[
    str,
    Meta(
        pattern="^([0-9a-f]{2}){4,16}$",
        description="4 to 16 bytes as lower-case hexadecimal digits",
    ),
]
Name = Annotated[
    str,
    Meta(
        pattern="^[A-Za-z0-9][-._A-Za-z0-9]{0,63}$",
        description="a short name without spaces, up to 64 letters, digits, - . and _",
    ),
]
Words = Annotated[str, Meta(max_length=1000, description="text in quotes, up to 1000 characters")]
Serial = Annotated[str, Meta(max_length=64, description="text in quotes, up to 64 characters")]
Host = Annotated[
    str,
    Meta(
        pattern=r"^([^\s/@?#:\[\]]{1,253}|[0-9A-Fa-f.]*:[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(%\w+)?)$",
        description="a host name or address alone: no mqtt://, no user or password, no port",
    ),
]
User = Annotated[str, Meta(max_length=256, description="text in quotes, up to 256 characters")]
Topic = Annotated[
    str,
    Meta(
        pattern=r"^[^+#/\s$\x00][^+#/\s\x00]*(/[^+#/\s\x00]+)*$",
        max_length=256,
        description="a topic without spaces, + and #, not beginning with $ or /",
    ),
]
Seconds = Annotated[float, Meta(ge=0.001, le=86_400, description="seconds, 0.001 to 86400")]
Minutes = Annotated[float, Meta(ge=1, le=10_080, description="minutes, 1 to 10080")]
Hours = Annotated[float, Meta(ge=1, le=8_760, description="hours, 1 to 8760")]
Milliseconds = Annotated[
    int, Meta(ge=0, le=86_400_000, description="whole milliseconds, 0 to 86400000")
]
Megabytes = Annotated[int, Meta(ge=4, le=1 << 20, description="whole megabytes, 4 to 1048576")]
DayMegabytes = Annotated[
    float, Meta(gt=0, le=100_000, description="megabytes a day, above 0, up to 100000")
]
MonthMegabytes = Annotated[
    float, Meta(gt=0, le=1_000_000, description="megabytes a month, above 0, up to 1000000")
]
Degrees90 = Annotated[float, Meta(ge=-90, le=90, description="degrees, -90 to 90")]
Degrees180 = Annotated[float, Meta(ge=-180, le=180, description="degrees, -180 to 180")]
Port = Annotated[int, Meta(ge=0, le=65_535, description="a port, 1 to 65535, or 0")]
Rate = Annotated[float, Meta(gt=0, le=10_000, description="a number above 0, up to 10000")]
Positive = Annotated[float, Meta(gt=0, description="a number above 0")]
Device = Annotated[
    str,
    Meta(
        pattern=r"^(/|sim:.)[^\x00-\x1f]*$",
        max_length=4096,
        description="an absolute path in quotes, or sim:SOCKET#BUS for virtual instruments",
    ),
]
Baud = Annotated[int, Meta(ge=300, le=921_600, description="300 to 921600 baud")]
Parity = Literal["none", "even", "odd"]
UsbPort = Annotated[
    str,
    Meta(pattern=r"^([0-9]+-[0-9]+(\.[0-9]+)*)?$", description="a USB port such as 1-1.2"),
]
Serves = Literal["", "household", "building", "public"]
Date = Annotated[
    str,
    Meta(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}$", description="a date in quotes, YYYY-MM-DD"),
]
Day = Annotated[
    str,
    Meta(pattern="^([0-9]{4}-[0-9]{2}-[0-9]{2})?$", description="a date in quotes, YYYY-MM-DD"),
]
Coefficients = Annotated[
    tuple[float, ...], Meta(max_length=8, description="up to 8 coefficients, of x^0 upwards")
]
Url = Annotated[
    str,
    Meta(
        pattern=r"^(https?://[!-~]{1,250})?$",
        description="an address that begins with https:// or http://",
    ),
]
Allowed = Literal["open", "internal", "aggregate"]
Translations = Annotated[
    dict[Annotated[str, Meta(min_length=1, max_length=1000)], Words],
    Meta(max_length=1000, description='texts by text: { "air of the street" = "거리의 공기" }'),
]
Elements = Annotated[
    tuple[Annotated[str, Meta(pattern="^[a-z0-9_]{1,64}$")], ...],
    Meta(max_length=64, description='a list of ids such as "stored_locally"'),
]
Quantity = Annotated[
    str, Meta(pattern="^[a-z0-9_]{1,64}$", description="a quantity such as temperature")
]
Twin = Annotated[
    str,
    Meta(
        pattern=r"^([^/\s]+/[^/\s]+)?$",
        description="another channel, SENSOR/QUANTITY",
    ),
]
Lenders = Annotated[
    dict[Quantity, Annotated[str, Meta(pattern=r"^[^/\s]+/[^/\s]+$")]],
    Meta(description='by quantity, channels of other sensors: { humidity = "air/humidity" }'),
]
AbsolutePath = Annotated[
    Path,
    Meta(description="an absolute path in quotes", extra_json_schema={"pattern": "^/"}),
]
Secret = Annotated[
    Path,
    Meta(
        description="an absolute path in quotes, or credential:NAME; never the secret itself",
        extra={"secret": True},
        extra_json_schema={"pattern": f"^(/|{PATTERN}$)"},
    ),
]
