"""Known answers of the BME680 driver, and changes that must not give them.

Pimoroni's driver (temperature, humidity, resistance) and Adafruit's (pressure, which the first has
in steps of 4 Pa) make these values of these registers.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any, Final

import pytest

from edgenode.errors import BadFrame, EdgenodeError
from edgenode.reading import Quality
from tests.support.fake_i2c import FakeI2C

TRIM: Final = {  # of a real chip, but for the plate (0x00..0x04, G1-G3)
    0x00: bytes.fromhex("32 00 10 00 20"),
    0x8A: bytes.fromhex("976703 00 c088d4d758 00 dc2536ff181e 0000 fcfd73f21e"),
    0xE1: bytes.fromhex("3efa31 002d14789c 5b66 afe8e212"),
}
FIELDS: Final = {  # by variant
    0: (
        ("8000 50e850 76f580 5348 000000 e637 0000", (21.5, 43.201, 99711.98, 48292.05)),
        ("8000 5a32e0 590880 6c7d 000000 3cf3 0000", (-17.25, 80.504, 86999.96, 1248844.17)),
        ("8000 4e10f0 957300 3b02 000000 f4fb 0000", (61.0, 12.002, 108499.85, 2899.03)),
    ),
    1: (
        ("8000 50e850 76f580 5348 000000 0000 e4ba", (21.5, 43.201, 99711.98, 48283.67)),
        ("8000 5a32e0 590880 6c7d 000000 0000 3bf6", (-17.25, 80.504, 86999.96, 1249923.71)),
    ),
}
NEAR: Final = (0.006, 0.05, 1.0, 20.0)
SETTLED_MS: Final = 300_000

MUTANTS = [
    ("RESET, RESET", "RESET, b'\\x00'"),
    ("REG_FIELD: Final = 0x1D", "REG_FIELD: Final = 0x1E"),
    ("REG_RES_HEAT: Final = 0x5A", "REG_RES_HEAT: Final = 0x5B"),
    ("REG_GAS_WAIT: Final = 0x64", "REG_GAS_WAIT: Final = 0x65"),
    ("REG_TRIM_HIGH: Final = 0xE1", "REG_TRIM_HIGH: Final = 0xE2"),
    ("REG_VARIANT: Final = 0xF0", "REG_VARIANT: Final = 0xF1"),
    ("bytes((ALL_X1_FORCED,))", "bytes((ALL_X1_SLEEP,))"),
    ("REG_CTRL_HUM: (0x07", "REG_CTRL_HUM: (0xFF"),
    ("REG_CTRL_MEAS: (0xFF", "REG_CTRL_MEAS: (0xFC"),
    ("REG_CONFIG: (0x1C", "REG_CONFIG: (0xFF"),
    ("NEW_DATA: Final = 0x80", "NEW_DATA: Final = 0x00"),
    ("MEASURING: Final = 0x60", "MEASURING: Final = 0x20"),
    ("GAS_VALID: Final = 0x20", "GAS_VALID: Final = 0x10"),
    ("HEAT_STABLE: Final = 0x10", "HEAT_STABLE: Final = 0x20"),
    ("raw_h == SKIPPED_16_BITS", "raw_h == 0x5348"),
    ("MEASURING_S: Final = 0.012", "MEASURING_S: Final = 0.010"),
    ("SETTLING_MS: Final = 300_000", "SETTLING_MS: Final = 300_001"),
    ("SETTLING_MS: Final = 300_000", "SETTLING_MS: Final = 0"),
    ('Variant("BME680", 0x10, 13)', 'Variant("BME680", 0x20, 13)'),
    ('Variant("BME680", 0x10, 13)', 'Variant("BME680", 0x10, 15)'),
    ('Variant("BME688", 0x20, 15)', 'Variant("BME688", 0x20, 13)'),
    ("0: Variant", "2: Variant"),
    ("field[2:8]", "field[1:7]"),
    ("field[8:10]", "field[9:11]"),
    ('"big") >> 6, results[1] & 0x0F', '"big") >> 5, results[1] & 0x0F'),
    ('"big") >> 6, results[1] & 0x0F', '"big") >> 6, results[1] & 0x07'),
    ("cal.p10)", "0)"),
    ("fine / 5120, cal.h", "fine / 4120, cal.h"),
    ("variant.run_gas == 0x10", "variant.run_gas != 0x10"),
    ("MEASURING_S + heating_s", "heating_s"),
]
OF_THE_TRIM = [
    ('"<hbx Hhbx hhbb xx hhB"', '"<hbx hhbx hhbb xx hhB"'),
    ("p5, p7, p6,", "p5, p6, p7,"),
    ("t3 * 16", "t3 * 8"),
    ("p3 * 32", "p3 * 16"),
    ("p6 / 4", "p6 / 2"),
    ("p7 * 128", "p7 * 64"),
    ("e3 << 4 | e2 & 15", "e3 << 4 | e2 >> 4"),
    ("e1 << 4 | e2 >> 4", "e1 << 4 | e2 & 15"),
    ('"<BBB bbb B b H h bb"', '"<BBB bbb b b H h bb"'),
    ("heater_range >> 4 & 3", "heater_range >> 5 & 3"),
    ('"<bxBxb"', '"<BxBxb"'),
    ('"<bxBxb"', '"<bxBxB"'),
    ("error >> 4", "error >> 5"),
    ("h1 * 16", "h1 * 8"),
    ("h3 / 2", "h3 / 4"),
    ("h2 / 262144", "h2 / 262000"),
    ("h4 / 16384", "-h4 / 16384"),
    ("h5 / 1048576", "-h5 / 104857"),
    ("h6 / 16384", "-h6 / 16384"),
    ("h7 / 2097152", "-h7 / 2097152"),
    ("1340 + 5 *", "1340 - 5 *"),
    ("1340 + 5 *", "1330 + 5 *"),
    ("8_000_000 /", "8_001_000 /"),
    ("0, -0.8, 0, 0, -0.2", "0, 0.8, 0, 0, -0.2"),
    ("0.1, 0.7", "0.7, 0.1"),
    ("(adc - 512) / scale", "(adc - 511) / scale"),
    ("262144 >>", "262143 >>"),
    ("4096 + 3 *", "4096 + 4 *"),
    ("g1 / 16 + 49", "g1 / 16 + 48"),
    ("0.0005 + 0.00235", "0.0005 - 0.00235"),
    ("g3 / 1024", "g3 / 128"),
    ("4 + trim.heater_range", "8 + trim.heater_range"),
    ("trim.heater_value * 0.002", "trim.heater_value * 0.001"),
    ("wanted - 25", "wanted - 24"),
    ("-(-ms >>", "(ms >>"),
    ("factor << 6", "factor << 5"),
    ("<< 2 *", "<< 1 *"),
    ("/ 1000\n", "/ 100\n"),
]
# Bosch's API, its integer form: (1340 + 5 e) (1 + K1) scale of the current; 8e6 / 2^range span.
RESISTANCES: Final = (
    (0, 512, 0, 8_000_000.0),
    (0, 0, 2, 8_000_000 / (1 - 512 / 1350)),
    (0, 1023, -8, 8_000_000 / (1 + 511 / 1300)),
    (4, 512, 0, 255_744_255 / 512),
    (5, 512, 0, 127_110_228 / 512),
    (7, 612, 0, 32_258_064 / 512 / (1 + 100 / (1340 * 0.992))),
    (8, 512, 0, 16_016_016 / 512),
    (10, 712, 0, 4_000_000 / 512 / (1 + 200 / (1340 * 0.998))),
    (11, 612, 0, 2_000_000 / 512 / (1 + 100 / (1340 * 0.995))),
    (13, 612, 0, 500_000 / 512 / (1 + 100 / (1340 * 0.99))),
    (15, 1023, 0, 8_000_000 / 32768 / (1 + 511 / 1340)),
)
WAITS: Final = {1: 0x01, 63: 0x3F, 64: 0x50, 150: 0x66, 1000: 0xBF, 1009: 0xD0, 4032: 0xFF}


class FakeBME680(FakeI2C):
    """The registers of one chip: forced measurements finish at once and go back to sleep."""

    def __init__(self, field: str, variant: int = 0, chip_id: int = 0x61) -> None:
        identity = {0xD0: bytes((chip_id,)), 0xF0: bytes((variant,))}
        super().__init__({**TRIM, **identity, 0x1D: bytes.fromhex(field)})
        self.reserved = {0x70: 0xF7, 0x71: 0xC0, 0x72: 0xF8, 0x75: 0xE3}  # bits read as anything

    def read(self, register: int, length: int) -> bytes:
        data = super().read(register, length)
        return bytes(byte | self.reserved.get(register + at, 0) for at, byte in enumerate(data))

    def write(self, register: int, data: bytes) -> None:
        super().write(register, data)
        if register == 0x74:
            self.memory[0x74] = data[0] & 0xFC


def measured(module: ModuleType, field: str, variant: int) -> Any:
    """Return the second sample, once the plate has settled; check what was commanded."""
    chip, naps = FakeBME680(field, variant), list[float]()
    sensor = module.BME680(chip, module.BME680Options(), sleep=naps.append)
    run_gas = b"\x20" if variant else b"\x10"
    assert chip.writes[0] == (0xE0, b"\xb6")
    assert set(chip.writes[1:]) >= {(0x71, run_gas), (0x72, b"\x01"), (0x64, b"\x66")}
    first = sensor.read(0)
    assert chip.writes[-2:] == [(0x5A, b"\x74"), (0x74, b"\x25")]
    assert naps[-1] >= 0.1628
    assert first.quality[3] is Quality.SETTLING
    assert sensor.read(SETTLED_MS - 1).quality[3] is Quality.SETTLING
    return sensor.read(SETTLED_MS)


def known_answers_hold(module: ModuleType) -> bool:
    """Whether a driver opens, measures and decodes as others do."""
    try:
        for variant, fields in FIELDS.items():
            for field, values in fields:
                sample = measured(module, field, variant)
                if set(sample.quality) != {Quality.OK}:
                    return False
                for value, wanted, near in zip(sample.values, values, NEAR, strict=True):
                    if value != pytest.approx(wanted, abs=near):
                        return False
    except (EdgenodeError, AssertionError, IndexError, TypeError):
        return False
    return waits_for_the_gas(module) and doubts_the_plate(module) and doubts_the_mode(module)


def waits_for_the_gas(module: ModuleType) -> bool:
    """Whether what is not yet there is no reading."""
    for status in ("c0", "a0", "00"):
        chip = FakeBME680(status + FIELDS[0][0][0][2:])
        sensor = module.BME680(chip, module.BME680Options(), sleep=lambda _: None)
        try:
            sensor.read(0)
        except EdgenodeError:
            continue
        return False
    return True


def doubts_the_plate(module: ModuleType) -> bool:
    """Whether a plate that was not hot settles, and one that was not measured has no value."""
    cold, none = (FIELDS[0][0][0].replace("e637", gas) for gas in ("e627", "e617"))
    samples = []
    for field in (cold, none):
        sensor = module.BME680(FakeBME680(field), module.BME680Options(), sleep=lambda _: None)
        samples += [sensor.read(now_ms) for now_ms in (0, SETTLED_MS)][1:]
    given = [(sample.values[3] is None, sample.quality[3]) for sample in samples]
    return given == [(False, Quality.SETTLING), (True, Quality.FAULT)]


def doubts_the_mode(module: ModuleType) -> bool:
    """Whether a chip that did not go to sleep is another program's."""
    chip = FakeBME680(FIELDS[0][0][0])
    sensor = module.BME680(chip, module.BME680Options(), sleep=lambda _: None)
    chip.reserved[0x74] = 0x01
    try:
        sensor.read(0)
    except BadFrame:
        return True
    return False


def trim_holds(module: ModuleType) -> bool:
    """Whether trim, humidity, resistances and heater are as Bosch's formulas have them."""
    trim = module.Trim.unpack(TRIM[0x8A], TRIM[0xE1], TRIM[0x00])
    if trim != (
        (26203, 26519, 3 * 16),
        (35008, -10284, 88 * 32, 9692, -202, 30 / 4, 24 * 128, -516, -3469),
        30,
        (794, 1007, 0, 45, 20, 120, -100),
        (-30, -5969, 18),
        50,
        1,
        2,
    ):
        return False
    bent = trim._replace(h=(*trim.h[:2], 60, *trim.h[3:]))
    other = module.Trim.unpack(TRIM[0x8A], b"\xff" * 8 + TRIM[0xE1][8:], b"\xce\x00\x30\x00\xe0")
    return (
        (other.heater_value, other.heater_range, other.range_error) == (-50, 3, -2)
        and other.h[5:] == (255, -1)
        and moist(module, bent.h)
        and resists(module)
        and heats(module, trim)
    )


def moist(module: ModuleType, h: tuple[int, ...]) -> bool:
    """Whether humidity is as the API's integer form has it, with H3 given a weight."""
    for raw, celsius in ((21_000, 60.0), (26_000, -20.0), (24_000, 25.0)):
        t = round(celsius * 100)
        one = raw - h[0] * 16 - t * h[2] / 200
        two = h[1] * (t * h[3] / 100 + t * t * h[4] / 100 / 64 / 100 + 16384) / 1024
        four = (h[5] * 128 + t * h[6] / 100) / 16
        three = one * two
        wanted = (three + four * (three / 16384) ** 2 / 1024 / 2) / 1024 / 4096
        if abs(module.humidity(raw, celsius, h) - wanted) > 0.001:
            return False
    return True


def resists(module: ModuleType) -> bool:
    """Whether both gas formulas give the known resistances."""
    low = all(
        module.low_gas(adc, step, error) == pytest.approx(ohm, rel=1e-6)
        for step, adc, error, ohm in RESISTANCES
    )
    high = (module.high_gas(512, 0), module.high_gas(812, 3), module.high_gas(1023, 15))
    return low and high == pytest.approx((64e6, 32768e6 / 4996, 8e6 / 5629), rel=1e-9)


def heats(module: ModuleType, trim: Any) -> bool:
    """Whether plates are heated as Bosch's formula has it, and at least as long as asked."""
    plates = (module.heater(320, 25, trim), module.heater(200, -20, trim))
    hot = module.heater(400, 85, trim._replace(heater_range=0, heater_value=-50))
    waits = {ms: module.gas_wait(ms) for ms in WAITS}
    lasting = [module.heating_s(setting) for setting in (0x3F, 0x66, 0xBF, 0xD0)]
    return (plates, hot, waits) == ((116, 83), 255, WAITS) and lasting == [
        0.063,
        0.152,
        1.008,
        1.024,
    ]
