"""Known answers of the SDM meters, and the changes to it that must not give them."""

from __future__ import annotations

from types import ModuleType

from edgenode.errors import EdgenodeError
from tests.drivers.test_sdm import SINGLE_EXPECTED, THREE_EXPECTED
from tests.support.meters import SINGLE, THREE, metered

MUTANTS = [
    ("FIRST: Final = 0x00", "FIRST: Final = 0x02"),
    ("REGISTERS: Final = 0x4C", "REGISTERS: Final = 0x4A"),
    ("REGISTERS: Final = 0x4C", "REGISTERS: Final = 0x52"),
    ("GAP_S: Final = 0.1", "GAP_S: Final = 0.01"),
    ("VOLTS: Final = (0x00, 0x02, 0x04)", "VOLTS: Final = (0x00, 0x04, 0x02)"),
    ("APPARENT: Final = (0x12, 0x14, 0x16)", "APPARENT: Final = (0x2A, 0x2C, 0x32)"),
    ("TOTAL_POWER: Final = 0x34", "TOTAL_POWER: Final = 0x36"),
    ("TOTAL_APPARENT: Final = 0x38", "TOTAL_APPARENT: Final = 0x3A"),
    ("HERTZ: Final = 0x46", "HERTZ: Final = 0x44"),
    ("MAINS_VOLTS: Final = (50.0, 500.0)", "MAINS_VOLTS: Final = (5.0, 500.0)"),
    ("MAINS_VOLTS: Final = (50.0, 500.0)", "MAINS_VOLTS: Final = (50.0, 200.0)"),
    ("MAINS_HERTZ: Final = (40.0, 70.0)", "MAINS_HERTZ: Final = (60.0, 70.0)"),
    ("MAINS_HERTZ: Final = (40.0, 70.0)", "MAINS_HERTZ: Final = (0.0, 70.0)"),
    ("BELOW_NOISE_VA: Final = 5.0", "BELOW_NOISE_VA: Final = 5000.0"),
    ("TOTAL_SCALE: Final = -2", "TOTAL_SCALE: Final = -1"),
    ('f">{len', 'f"<{len'),
    ('"W", -1', '"W", 1'),
    ("low=-most, high=most)\n    return", "low=0, high=most)\n    return"),
    ("Quantity(0x48, energy)", "Quantity(0x4A, energy)"),
    ("Quantity(0x4A, replace", "Quantity(0x48, replace"),
    ("amperes(0x06, most_a)", "amperes(0x08, most_a)"),
    ("power(0x0C, most_w)", "power(0x34, most_w)"),
    ("sums(0x12, 0x18, 0x1E, most_w)", "sums(0x12, 0x18, 0x24, most_w)"),
    ("sums(0x12, 0x18, 0x1E, most_w)", "sums(0x18, 0x12, 0x1E, most_w)"),
    ("0x06 + 2 * n", "0x06 + n"),
    ("0x0C + 2 * n", "0x0C - 2 * n"),
    ("0x1E + 2 * n", "0x18 + 2 * n"),
    ("0x3C, 0x3E", "0x3E, 0x3C"),
    ("every[register // 2] for register, _", "every[register // 2 + 1] for register, _"),
    ("Quality.FAULT if v is None", "Quality.FAULT if v is not None"),
    ("VOLTS[1:]", "VOLTS[2:]"),
    ("value if math.isfinite(value)", "value if not math.isinf(value)"),
    ("single_phase(45, 12_500)", "single_phase(4, 12_500)"),
]


def agrees(driver: object, told: object, expected: dict[str, tuple[float, str]]) -> bool:
    """Whether each channel shows what it must, inside its range and at its resolution."""
    channels, values = driver.channels, told.values  # type: ignore[attr-defined]
    if [channel.name for channel in channels] != list(expected):
        return False
    for channel, value in zip(channels, values, strict=True):
        within = channel.low is None or channel.low <= value <= channel.high
        shown = round(value / 10**channel.scale) * 10**channel.scale
        wanted = expected[channel.name][0]
        if not within or abs(shown - wanted) > 0.006 + abs(wanted) * 1e-4:
            return False
    return True


def refuses(make: object, values: dict[int, float], module: ModuleType) -> bool:
    try:
        make(metered(values)[0], module.SDMOptions())  # type: ignore[operator]
    except EdgenodeError:
        return True
    return False


def totals_hold(module: ModuleType) -> bool:
    """Whether energies have steps of 10 Wh, also beside a power that is no number."""
    cable, meter = metered(SINGLE)
    driver = module.SDM120(cable, module.SDMOptions())
    meter.holds({**SINGLE, 0x0C: float("nan")})
    sample = driver.read(1_000)
    energies = zip(driver.channels[7:], sample.values[7:], strict=True)
    steps = [round(value / 10**channel.scale) for channel, value in energies]
    faults = [n for n, quality in enumerate(sample.quality) if quality]
    return steps == [155_137, 133_569] and sample.values[2] is None and faults == [2]


def known_answers_hold(module: ModuleType) -> bool:
    """Whether the meters are told apart and read as their documents say."""
    try:
        for model, values, expected in (
            (module.SDM120, SINGLE, SINGLE_EXPECTED),
            (module.SDM630, THREE, THREE_EXPECTED),
        ):
            cable, meter = metered(values)
            driver = model(cable, module.SDMOptions())
            paced = agrees(driver, driver.read(0), expected) and cable.silences[1] >= 0.0999
            if not paced or any(count > 80 for _, _, count in meter.asked):
                return False
        if not totals_hold(module):
            return False
    except (EdgenodeError, TypeError, IndexError):
        return False
    return (
        refuses(module.SDM120, {**SINGLE, 0x02: 230.0}, module)
        and refuses(module.SDM120, {**SINGLE, 0x00: 12.0}, module)
        and refuses(module.SDM120, {**SINGLE, 0x46: 5.0}, module)
        and refuses(module.SDM630, SINGLE, module)
    )
