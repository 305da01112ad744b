"""What stands on the stage: each sensor on its wire, and the instrument that plays it."""

from __future__ import annotations

from typing import Final, NamedTuple

AIR = "Shows how the weather of a street is measured"
DUST = "Shows how the dust of a street is measured"
POWER = "Shows how the power of street lighting is metered"
WATER = "Shows how a water meter is counted"
TRAFFIC = "Shows how vehicles are counted without knowing any of them"
GASES = "Shows what a street breathes"
SIGNAL = "Shows how the green of a signal head is followed"

VEHICLE_MS = 1_000  # in each such time one vehicle passes the radar either way
LAMP, LAMP_LINE = "lamp", 5  # the node's own indicator, no sensor of it
GAIN, OFFSET = 1.02, -0.35  # of the sensor `north`, as if a reference had found it so


class Placed(NamedTuple):
    """One sensor: its table for the node, and the table of its instrument, if it has one."""

    name: str
    driver: str
    bus: str
    every_s: float
    purpose: str
    options: str = ""  # lines of TOML
    instrument: str = ""  # lines of TOML, without sensor and bus
    tables: str = ""  # further tables of the node's file


def _weather(name: str, bus: str, address: int, shift: int, tables: str = "") -> Placed:
    play = f'temperature = {{ series = "air_uci:T", offset = {shift}, decimals = 2 }}'
    return Placed(
        name,
        "bme280",
        bus,
        0.5,
        AIR,
        f"address = {address}",
        f'kind = "bme280"\naddress = {address}\nevery_ms = 500\n{play}',
        tables,
    )


def _meter(name: str, address: int, volts: int) -> Placed:
    play = f'voltage = {{ series = "utility_power:U", offset = {volts}, decimals = 2 }}'
    energy = "import_energy = { offset = 0.01 }"
    return Placed(
        name,
        "sdm230",
        "rs485",
        2.0,
        POWER,
        f'address = {address}\nserves = "public"',
        f'kind = "sdm"\nmodel = "sdm230"\naddress = {address}\nevery_ms = 1000\n{play}\n{energy}',
    )


CALIBRATED: Final = f"""\
[sensor.channel.temperature.calibration]
id = "demo-1"
date = "2026-01-15"
gain = {GAIN}
offset = {OFFSET}
raw = true
"""
STREET: Final = (
    _weather("north", "a", 0x76, 0, CALIBRATED),
    _weather("south", "a", 0x77, 1),
    _weather("east", "b", 0x76, 2),
    _weather("west", "b", 0x77, 3),
    Placed(
        "yard",
        "sht4x",
        "b",
        1.0,
        AIR,
        'address = 0x44\nderived = ["dew_point"]',
        'kind = "sht4x"\naddress = 0x44',
    ),
    Placed("dust", "pms5003", "usb", 1.0, DUST, "", 'kind = "pms5003"\nevery_ms = 2000'),
    Placed("gases", "sen66", "c", 2.0, GASES, "", 'kind = "sen66"\nevery_ms = 4000'),
    _meter("lamps", 1, 0),
    _meter("kiosk", 2, -3),
    Placed(
        "tram",
        "pzem004t",
        "mains",
        2.0,
        POWER,
        'serves = "public"',
        'kind = "pzem004t"\nevery_ms = 1000',
    ),
    Placed(
        "radar",
        "ops243",
        "road",
        10.0,
        TRAFFIC,
        "",
        f'kind = "ops243"\nreports = "object"\nevery_ms = {VEHICLE_MS}\n'
        "toward = { offset = 1 }\naway = { offset = 1 }",
    ),
    Placed(
        "meter",
        "pulse",
        "pins",
        0.5,
        WATER,
        "line = 27",
        'kind = "pulse"\nline = 27\nevery_ms = 1000\npulses = { offset = 2 }',
    ),
    Placed(
        "loop",
        "loop",
        "pins",
        2.0,
        TRAFFIC,
        "line = 17",
        'kind = "pulse"\nline = 17\nevery_ms = 2000\npulses = { offset = 4 }\n'
        'occupancy = { series = "traffic_nab:occupancy_6005" }',
    ),
    Placed(
        "signal",
        "state",
        "pins",
        1.0,
        SIGNAL,
        "line = 22\nactive_low = true",
        'kind = "state"\nline = 22\nactive_low = true\npattern_ms = [700, 900, 300]',
    ),
    Placed("node", "health", "kernel", 2.0, "", 'state = "{directory}"'),
)

BUSES: Final = {
    "a": ("i2c", "sim:{directory}/wires#a"),
    "b": ("i2c", "sim:{directory}/wires#b"),
    "c": ("i2c", "sim:{directory}/wires#c"),
    "usb": ("serial", "sim:{directory}/wires#usb"),
    "rs485": ("serial", "sim:{directory}/wires#rs485"),
    "mains": ("serial", "sim:{directory}/wires#mains"),
    "road": ("serial", "sim:{directory}/wires#road"),
    "pins": ("gpio", "sim:{directory}/wires#pins"),
    "kernel": ("sysfs", "/"),
}


def node_tables(directory: str, stamp_ms: int) -> str:
    """Return the tables of buses and sensors; `wires` in the directory leads to the instruments."""
    text = ""
    for name, (kind, path) in BUSES.items():
        text += f'[[bus]]\nname = "{name}"\nkind = "{kind}"\npath = "{path}"\n'
    for one in STREET:
        text += f'[[sensor]]\nname = "{one.name}"\ndriver = "{one.driver}"\nbus = "{one.bus}"\n'
        text += f"every_s = {one.every_s}\nstamp_ms = {stamp_ms}\n"
        text += f'purpose = "{one.purpose}"\n' if one.purpose else ""
        text += f"{one.options}\n{one.tables}"
    text += f'[lamp]\nchip = "sim:{{directory}}/wires#pins"\nline = {LAMP_LINE}\n'
    return text.replace("{directory}", directory)


def scenario() -> str:
    """Return the scenario of the instruments: recorded weather and loads, each a little apart."""
    text = f'[[instrument]]\nkind = "lamp"\nsensor = "{LAMP}"\nbus = "pins"\nline = {LAMP_LINE}\n'
    for one in STREET:
        if one.instrument:
            text += f'[[instrument]]\nsensor = "{one.name}"\nbus = "{one.bus}"\n{one.instrument}\n'
    return text
