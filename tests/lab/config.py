"""What stands on the street of the lab, and the daemon's file for it."""

from __future__ import annotations

from typing import Final

LINES: Final = {"meter": 0, "lane": 1, "door": 2, "red": 4, "amber": 5, "green": 6}

INSTRUMENTS: Final = """\
[[instrument]]
kind = "bme280"
sensor = "air"
bus = "street"
temperature = { offset = 21.37 }
humidity = { offset = 48.3 }
pressure = { offset = 100832 }

[[instrument]]
kind = "sht4x"
sensor = "shade"
bus = "street"
temperature = { offset = -7.31 }
humidity = { offset = 83.6 }

[[instrument]]
kind = "bme280"
sensor = "slow"
bus = "street"
address = 0x77
temperature = { offset = 3.1 }

[[instrument]]
kind = "bme280"
sensor = "yard"
bus = "yard"
temperature = { offset = 33.08 }
humidity = { offset = 17.9 }
pressure = { offset = 97215 }

[[instrument]]
kind = "bmp280"
sensor = "roof"
bus = "yard"
address = 0x77
temperature = { offset = -12.44 }
pressure = { offset = 96118 }

[[instrument]]
kind = "sht3x"
sensor = "shed"
bus = "yard"
temperature = { offset = 8.88 }
humidity = { offset = 61.4 }

[[instrument]]
kind = "ads1115"
sensor = "tank"
bus = "yard"
in0 = { offset = 1.2345 }

[[instrument]]
kind = "ina219"
sensor = "battery"
bus = "yard"
voltage = { offset = 12.6 }
current = { offset = 0.4321 }

[[instrument]]
kind = "ina226"
sensor = "panel"
bus = "yard"
address = 0x41
shunt_ohm = 0.1
voltage = { offset = 18.02 }
current = { offset = -0.05 }

[[instrument]]
kind = "sht4x"
sensor = "nobody"
bus = "other"
"""

NODE: Final = """\
schema = 1
[node]
id = "0badcafe0008"
state = "{place}/state"
socket = "{place}/control.sock"
[clock]
manual_err_ms = 1000
[spool]
cap_mb = 8
pregrow = false
commit_interval_s = 0.5
window_s = 5
offline_window_s = 5
[recovery]
restart = false
reboot = false
[[uplink.broker]]
host = "127.0.0.1"
port = 1883
tls = false

[[bus]]
name = "street"
kind = "i2c"
path = "{street}"
[[sensor]]
name = "air"
driver = "bme280"
purpose = "weather of the lab"
bus = "street"
every_s = 0.5
address = 0x76
[[sensor]]
name = "shade"
driver = "sht4x"
purpose = "weather of the lab"
bus = "street"
every_s = 0.5
address = 0x44
[[sensor]]
name = "slow"
driver = "bme280"
purpose = "weather of the lab"
bus = "street"
every_s = 600
address = 0x77

[[bus]]
name = "yard"
kind = "i2c"
path = "{yard}"
[[sensor]]
name = "yard"
driver = "bme280"
purpose = "weather of the lab"
bus = "yard"
every_s = 0.5
address = 0x76
[[sensor]]
name = "roof"
driver = "bmp280"
purpose = "weather of the lab"
bus = "yard"
every_s = 2
address = 0x77
[[sensor]]
name = "shed"
driver = "sht3x"
purpose = "weather of the lab"
bus = "yard"
every_s = 2
address = 0x44
[[sensor]]
name = "tank"
driver = "ads1115"
purpose = "level of the lab"
bus = "yard"
every_s = 2
address = 0x48
inputs = [{{ name = "voltage", pins = "0", range_v = "2.048" }}]
[[sensor]]
name = "battery"
driver = "ina219"
purpose = "supply of the lab"
bus = "yard"
every_s = 2
address = 0x40
[[sensor]]
name = "panel"
driver = "ina226"
purpose = "supply of the lab"
bus = "yard"
every_s = 2
address = 0x41

[[bus]]
name = "pins"
kind = "gpio"
path = "{chip}"
[[sensor]]
name = "meter"
driver = "pulse"
purpose = "pulses of the lab"
bus = "pins"
every_s = 1
line = 0
[[sensor]]
name = "lane"
driver = "loop"
purpose = "traffic of the lab"
bus = "pins"
every_s = 1
line = 1
[[sensor]]
name = "door"
driver = "state"
purpose = "a contact of the lab"
bus = "pins"
every_s = 1
line = 2
[[sensor]]
name = "head"
driver = "signal"
purpose = "a signal head of the lab"
bus = "pins"
every_s = 1
red = 4
amber = 5
green = 6
dark_s = 60
"""


def config(place: str, street: str, yard: str, chip: str) -> str:
    """Return the daemon's file for a directory, the paths of both I2C buses, and a chip."""
    return NODE.format(place=place, street=street, yard=yard, chip=chip)
