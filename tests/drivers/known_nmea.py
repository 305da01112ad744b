"""Known answers of the reader of NMEA sentences, and changes to it that must not give them."""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import xor
from types import ModuleType
from typing import Any

# Recorded from a receiver, with its position and time as pynmea2 and gpsd's gpsdecode have them.
RECORDED = b"$GPGGA,092750.000,5321.6802,N,00630.3372,W,1,8,1.03,61.7,M,55.2,M,,*76"
AT_MS = ((9 * 60 + 27) * 60 + 50) * 1000
PLACE = (53.3613367, -6.50562)


def sentence(body: str) -> bytes:
    """Return the line of a body."""
    return f"${body}*{reduce(xor, body.encode()):02X}\r\n".encode()


OF_NMEA = (
    ("CHECK_BYTES: Final = 3", "CHECK_BYTES: Final = 2"),
    ('HEX: Final = b"0123456789ABCDEF"', 'HEX: Final = b"0123456789ABCDEFabcdef"'),
    ("CENTURY: Final = 2000", "CENTURY: Final = 1900"),
    ("line.rfind", "line.find"),
    ("reduce(xor, body) ==", "sum(body) % 256 =="),
    ("head[2:], (0", "head[1:], (0"),
    ("len(fields) < least", "len(fields) > least"),
    ("fields[11][:1]", "fields[10][:1]"),
    ("_day(fields[8])", "_day(fields[7])"),
    ('status == "A"', 'status != "V"'),
    ('if unit == "M" else', 'if unit != "M" else'),
    ("mode = fields[1]", "mode = fields[0]"),
    ("_date(_whole(year), _whole(month)", "_date(_whole(year), _whole(day)"),
    ("hours > 23", "hours > 24"),
    ("seconds > 59", "seconds > 60"),
    ("(hours * 60 + minutes) * 60", "(hours * 60 + minutes) * 100"),
    ('ljust(3, "0")', 'rjust(3, "0")'),
    (
        "int(text[4:]), int(text[2:4]), int(text[:2])",
        "int(text[4:]), int(text[:2]), int(text[2:4])",
    ),
    ("minutes / 60", "minutes / 100"),
    ("minutes >= 60", "minutes > 60"),
    ("value > most", "value > 2 * most"),
    ("value if side == sides[0] else -value", "value"),
    ("except ValueError:", "except TypeError:"),
)


def nmea_holds(module: ModuleType) -> bool:
    """Whether sentences are taken apart as they are known to be."""

    def said(body: str) -> Any:
        return module.parsed(body.encode())

    where = "5321.6802,N,00630.3372,W"
    day = date(2026, 11, 24)
    half_past = AT_MS + 500
    try:
        gga = module.parsed(module.proved(b"$GPG" + RECORDED))
        told = [
            (round(gga.place[0], 7), round(gga.place[1], 7)) == PLACE,
            (gga.ms, *gga[2:]) == (AT_MS, 1, 8, 1.03, 61.7),
            module.proved(RECORDED.replace(b"*76", b"*77")) == b"",
            module.proved(b"$GPGSA,A,3,,,,,,,,,,,,,1.5,0.9,1.2*3c") == b"",
            module.proved(b"$GPGSA,A,3,,,,,,,,,,,,,1.5,0.9,1.2*3C") != b"",
            said(f"GNRMC,092750.5,A,{where},0.0,,241126,,,D")[:3] == (half_past, day, True),
            said(f"GNRMC,092750.5,A,{where},0.0,,241126,,,D")[4] == "D",
            said(f"GNRMC,092750.5,A,{where},0.0,,241126")[4] == "",
            said("GNRMC,092750.05,,,,,,,,241126,,,N")[:4] == (AT_MS + 50, day, False, None),
            said("GNRMC,240000,V,,,,,,,310426,,,N")[:2] == (None, None),
            said("GNRMC,235960,V,,,,,,,010126,,,N")[0] is None,
            said("GNRMC,092750,V,,,,,,") is None,
            said("GNRMC,1,A,5360.0000,N,00630.3372,W,,,010126")[3] is None,
            said("GNRMC,1,A,9100.0000,N,00630.3372,W,,,010126")[3] is None,
            said("GNRMC,1,A,3351.5000,S,15112.6000,E,,,010126")[3] == (-33.0 - 51.5 / 60, 151.21),
            said("GAGGA,1,,,,,0,00,99.99,12.0,F,,M,,")[1:] == (None, 0, 0, 99.99, None),
            said("BDGSA,A,2,,,,,,,,,,,,,,,") == (2,),
            said("BDGSA,A,,,,,,,,,,,,,,,,") == (1,),
            said("GPZDA,092750.00,24,11,2026,00,00") == (AT_MS, day),
            said("GPVTG,1,T,,M,2,N,3,K,A") is None,
        ]
    except (AttributeError, TypeError, ValueError, IndexError):
        return False
    return all(told)
