"""Known answers of the DSMR driver and of P1 telegrams, and changes that must not give them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import ModuleType

from drivers.dsmr import DSMROptions
from edgenode.bus.parity import with_parity
from edgenode.reading import Quality
from tests.support.fake_serial import FakeSerial

# Of an ISKRA MT382, as dsmr_parser publishes it (TELEGRAM_V5, MIT).
TELEGRAM = (Path(__file__).parents[1] / "data" / "dsmr-v5.txt").read_bytes()
OPTIONS = DSMROptions(phases=3, devices=("gas",))
ANSWERS = (
    *(4.426 + 2.399, 2.444, 4.426, 2.399, 2.444, 0.0),
    *(244.0, 0.0),
    *(230.0, 0.48, 70.0, 230.0, 0.44, 32.0, 229.0, 0.86, 142.0),
    0.107,
)
# The same telegram as version 3 has it: P1 Companion Standard V3.0, the example of §5.2.
OLD = (
    b"/ISk5\\2MT382-1000\r\n\r\n"
    b"0-0:96.1.1(4B384547303034303436333935353037)\r\n"
    b"1-0:1.8.1(12345.678*kWh)\r\n1-0:1.8.2(12345.678*kWh)\r\n"
    b"1-0:2.8.1(12345.678*kWh)\r\n1-0:2.8.2(12345.678*kWh)\r\n"
    b"0-0:96.14.0(0002)\r\n1-0:1.7.0(001.19*kW)\r\n1-0:2.7.0(000.00*kW)\r\n"
    b"0-0:17.0.0(016*A)\r\n0-0:96.3.10(1)\r\n0-1:24.1.0(03)\r\n"
    b"0-1:24.3.0(090212160000)(00)(60)(1)(0-1:24.2.1)(m3)\r\n(00001.001)\r\n"
    b"0-1:24.4.0(1)\r\n!\r\n"
)
OLD_ANSWERS = (24691.356, 24691.356, *(12345.678,) * 4, 1190.0, 0.0, 1.001)

MUTANTS = [
    ("told.total(1), told.total(2)", "told.total(2), told.total(1)"),
    ('"kWh") for d in (1, 2)', '"kWh") for d in (2, 1)'),
    ('"W") for d in (1, 2)', '"W") for d in (2, 1)'),
    ('.7.0", "W")', '.7.0", "kW")'),
    ("20 * phase + 12", "20 * phase + 11"),
    ("20 * phase + 11", "20 * phase + 10"),
    ('"gas": (3,)', '"gas": (7,)'),
    ("Quality.STALE if one.late", "Quality.OK if one.late"),
    ("range(1, options.phases + 1)", "range(1, options.phases)"),
    ("OLD_BAUD: Final = 9600", "OLD_BAUD: Final = 4800"),
    ("SerialLine(115_200)", "SerialLine(9_600)"),
    ("5: 1_000", "5: 10_000"),
    ("options.version == 5", "options.version >= 4"),
    ('counted("gas_volume", "m3"', 'counted("gas_volume", "L"'),
]
OF_TELEGRAMS = [
    ("remainder(data, 0)", "remainder(data, 0xFFFF)"),
    ('b"%04X', 'b"%04x'),
    ('find(b"!") + 1', 'find(b"!")'),
    ("heads[-1] :]", "heads[0] :]"),
    ("timedelta(hours=2)", "timedelta(hours=4)"),
    ("timedelta(hours=1)", "timedelta(hours=2)"),
    ('endswith("S")', 'endswith("W")'),
    ("{direction}.8.{n}", "{direction}.7.{n}"),
    ("20 * phase + 1}", "20 * phase + 2}"),
    ("taken - (given", "taken + (given"),
    (":24.2.1", ":24.2.2"),
    (":24.3.0", ":24.3.1"),
    ("old.groups[6]", "old.groups[1]"),
    ("found[one.medium].at < one.at", "found[one.medium].at > one.at"),
    ("version in (2, 3)", "version in (2, 4)"),
    ("TELEGRAM_MOST: Final = 8192", "TELEGRAM_MOST: Final = 512"),
]


def signed(text: bytes, module: ModuleType) -> bytes:
    """Put the CRC of a module behind a telegram."""
    return text + b"%04X\r\n" % module.crc16(text)


def telegrams_hold(module: ModuleType) -> bool:
    """Whether telegrams are cut and read as they are known to be."""
    try:
        return _telegrams_hold(module)
    except LookupError:  # there is none
        return False


def _telegrams_hold(module: ModuleType) -> bool:
    cut = module.Telegrams(5).cut
    told = cut(b"1-0:1.8.1(00" + TELEGRAM[:300] + TELEGRAM[:600]) + cut(TELEGRAM[600:])
    old = module.Telegrams(3).cut(with_parity(OLD))
    if told != [TELEGRAM[: -len(b"6EEE\r\n")]] or old != [OLD[:-2]]:
        return False
    now, before = module.Telegram(told[0]), module.Telegram(old[0])
    exchanged = (
        b"/ABC5x\r\n0-0:1.0.0(170702130000S)\r\n1-0:21.7.0(00.100*kW)\r\n1-0:22.7.0(00.300*kW)\r\n"
        b"0-1:24.1.0(003)\r\n0-1:24.2.1(160102120000W)(00900.000*m3)\r\n"
        b"0-2:24.1.0(003)\r\n0-2:24.2.1(170702110000S)(00007.000*m3)\r\n!"
    )
    newer = module.Telegram(module.Telegrams(5).cut(signed(exchanged, module))[0])
    return bool(
        now.total(1) == 4.426 + 2.399
        and now.power(3) == 142.0
        and newer.power(1) == -200.0
        and now.devices()[3].value == 0.107
        and now.devices()[3].late
        and newer.devices()[3][1:3] == (datetime(2017, 7, 2, 10), 7.0)  # noqa: DTZ001 - its own
        and not newer.devices()[3].late
        and before.devices()[3][2:5] == (1.001, "m3", False)
    )


def answers_hold(module: ModuleType) -> bool:
    """Whether the driver makes of both telegrams what is known, and listens as it must."""
    options = module.DSMROptions(phases=3, devices=("gas",))
    port, old = FakeSerial(), FakeSerial()
    port.line = old.line = module.DSMR.line
    sensor = module.DSMR(port, options, port.clock)
    module.DSMR(old, module.DSMROptions(version=3), old.clock)
    sensor.feed(1_000)
    port.say(TELEGRAM)
    sensor.feed(1_010)
    sample, late = sensor.read(1_020), sensor.read(4_000)
    before = module.decode(OLD, module.DSMROptions(version=3, devices=("gas",)))
    four = module.DSMROptions(version=4)
    width = len(module.decode(TELEGRAM, four).values)
    return bool(
        sample.values == ANSWERS
        and sample.quality == (*(Quality.OK,) * 17, Quality.STALE)
        and set(late.quality) == {Quality.STALE}
        and before.values == OLD_ANSWERS
        and width == len(module.DSMR.declare(four))
        and (port.bauds, old.bauds) == ([], [9600])
        and module.DSMR.line.baud == 115_200
        and sensor.measures()[-1].unit == "m3"
    )
