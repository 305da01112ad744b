"""What two tables cannot both have of one wire."""

from pathlib import Path
from typing import Any

import pytest

from edgenode.config import BusTable, load, parse, serial_line
from edgenode.config.draft import Draft, Row
from edgenode.config.model import SensorTable
from edgenode.config.wires import unfit_wires
from edgenode.driver import Options
from edgenode.errors import ConfigError
from edgenode.reading import SerialLine
from tests.support.toml import DUST, PULSE, WELL, changed, line, problems

LAMP = "[lamp]\nline = 17\n"


def with_bus(keys: str, name: str = "i2c1") -> str:
    return changed(f'name = "{name}"\n', f'name = "{name}"\n{keys}\n')


def test_two_sensors_cannot_have_one_line() -> None:
    text = WELL + PULSE + PULSE.replace('"loop"', '"other"')
    (problem,) = problems(text)
    assert problem.startswith(f"n.toml:{line('line = 17', text, 1)}: sensor[2].line: ")
    assert problem.endswith("line 17 of /dev/gpiochip0 already serves sensor[1]")


HEAD = """
[[sensor]]
name = "head"
driver = "signal"
bus = "pins"
every_s = 60
purpose = "traffic light"
red = 5
green = 6
amber = 7
"""


@pytest.mark.parametrize("amber", [5, 6])
def test_two_lamps_of_a_head_cannot_have_one_line(amber: int) -> None:
    text = WELL + PULSE + HEAD.replace("amber = 7", f"amber = {amber}")
    (problem,) = problems(text)
    assert f"line {amber} of /dev/gpiochip0 already serves sensor[2]" in problem
    assert "sensor[2]." in problem


def test_a_lamp_of_a_head_cannot_have_the_line_of_another_sensor() -> None:
    (problem,) = problems(WELL + PULSE + HEAD.replace("green = 6", "green = 17"))
    assert problem.endswith("sensor[2].green: line 17 of /dev/gpiochip0 already serves sensor[1]")
    assert len(parse(WELL + PULSE + HEAD).sensors) == 3


@pytest.mark.parametrize(
    ("text", "owner"),
    [
        (WELL + LAMP + PULSE, "sensor[1]"),
        (with_bus("power = { line = 17 }") + LAMP, "bus[0].power"),
        (with_bus("clear = { scl = 17, sda = 18 }") + LAMP, "bus[0].clear"),
        (with_bus("power = { line = 17, chip = '/dev/./gpiochip0' }") + LAMP, "bus[0].power"),
    ],
)
def test_the_lamp_cannot_have_a_line_that_serves_another(text: str, owner: str) -> None:
    (problem,) = problems(text)
    assert problem.endswith(f"lamp.line: line 17 of /dev/gpiochip0 already serves {owner}")


def test_power_and_clearing_cannot_share_a_line() -> None:
    (problem,) = problems(with_bus("power = { line = 2 }\nclear = { scl = 2, sda = 3 }"))
    assert problem.endswith(
        "bus[0].power.line: line 2 of /dev/gpiochip0 already serves bus[0].clear"
    )
    (problem,) = problems(with_bus("clear = { scl = 2, sda = 2 }"))
    assert "bus[0].clear.sda: line 2" in problem


def test_the_same_number_on_another_chip_is_another_line() -> None:
    assert parse(WELL + PULSE + "[lamp]\nline = 17\nchip = '/dev/gpiochip1'\n").lamp


def test_two_names_of_one_device_are_one_bus(tmp_path: Path) -> None:
    device, link, file = tmp_path / "i2c-1", tmp_path / "link", tmp_path / "n.toml"
    device.touch()
    link.symlink_to(device)
    text = changed("/dev/i2c-1", str(device))
    second = f'[[bus]]\nname = "other"\nkind = "i2c"\npath = "{link}"\n'
    file.write_text(text + second)
    with pytest.raises(ConfigError, match=r"bus\[2\]\.path: is the same as that of bus\[0\]"):
        load(file)
    link.unlink()
    file.write_text(text + second)
    assert len(load(file).buses) == 3


def test_the_line_of_a_linked_chip_is_the_line_of_the_chip(tmp_path: Path) -> None:
    chip, link, file = tmp_path / "gpiochip0", tmp_path / "gpiochip4", tmp_path / "n.toml"
    chip.touch()
    link.symlink_to(chip)
    text = changed("/dev/gpiochip0", str(chip)) + PULSE + f'{LAMP}chip = "{link}"\n'
    file.write_text(text)
    with pytest.raises(ConfigError, match=rf"lamp\.line: line 17 of {chip} already serves"):
        load(file)


def test_a_path_is_compared_without_its_detours() -> None:
    text = WELL + '[[bus]]\nname = "b"\nkind = "i2c"\npath = "/dev/../dev//i2c-1"\n'
    (problem,) = problems(text)
    assert problem.endswith("bus[2].path: is the same as that of bus[0]")


def test_virtual_buses_of_one_socket_differ_by_name() -> None:
    text = WELL + "".join(
        f'[[bus]]\nname = "{n}"\nkind = "i2c"\npath = "sim:/run/wires#{n}"\n' for n in "ab"
    )
    assert len(parse(text).buses) == 4


@pytest.mark.parametrize("key", ["baud = 9600", 'parity = "even"', "stop_bits = 2"])
def test_speed_and_framing_are_for_serial_buses(key: str) -> None:
    (problem,) = problems(with_bus(key))
    assert problem.endswith(": is for serial buses only, this one is i2c")


def test_only_an_i2c_bus_is_clocked_free() -> None:
    (problem,) = problems(with_bus("clear = { scl = 2, sda = 3 }", "pins"))
    assert problem.endswith("bus[1].clear: is for i2c buses only, this one is gpio")


def test_the_machine_itself_is_not_switched() -> None:
    text = WELL + '[[bus]]\nname = "self"\nkind = "sysfs"\npath = "/"\npower = { line = 2 }\n'
    (problem,) = problems(text)
    assert "bus[2].power: a sysfs bus is this machine" in problem


def test_a_part_that_talks_by_itself_has_its_port_alone() -> None:
    second = DUST[DUST.index("[[sensor]]") :].replace('"pm"', '"pm2"')
    found = problems(WELL + DUST + second)
    assert len(found) == 2
    assert "sensor[1].bus: PMS5003 talks by itself, so nothing else fits on its port" in found[0]
    assert "give it a [[bus]] of its own" in found[1]


def test_no_part_is_read_faster_than_it_can() -> None:
    (problem,) = problems(WELL + PULSE.replace("every_s = 1", "every_s = 0.01"))
    assert problem.endswith("every_s: pulse can be read every 0.05 s at most, found 0.01")


def row(name: str, **members: Any) -> Row:
    """A sensor on the bus "port", of a part with these members."""
    usual = {"wire": "serial", "model": "meter", "budget_s": 1.0, "fastest_s": 0.5}
    driver = type("Part", (), {**usual, "alone": False, "line": SerialLine(), **members})
    return Row(SensorTable(name, "meter", "port", 2.0), driver, Options())


def said(bus: BusTable, *rows: Row) -> list[str]:
    names = tuple(one.table.name for one in rows)
    draft = Draft((bus.name,), names, {0: bus}, dict(enumerate(rows)), {}, None, None, str)
    return [str(mistake) for mistake in unfit_wires(draft)]


def test_two_speeds_on_one_port_are_refused() -> None:
    port = BusTable("port", "serial", "/dev/ttyS0")
    (problem,) = said(port, row("a"), row("b", line=SerialLine(2400, "even")))
    assert problem.startswith(
        "sensor[1].bus: its part talks at 2400 8E1, that of sensor[0] at 9600"
    )
    assert said(port, row("a"), row("b")) == []


def test_a_bus_that_says_its_speed_settles_the_matter() -> None:
    port = BusTable("port", "serial", "/dev/ttyS0", baud=2400)
    assert said(port, row("a"), row("b", line=SerialLine(2400))) == []
    still = said(port, row("a"), row("b", line=SerialLine(2400, "even")))
    assert len(still) == 1


def test_a_read_that_may_outlast_its_period_is_a_warning() -> None:
    text = changed("every_s = 1\n", "every_s = 0.1\n")
    (warning,) = parse(text).warnings
    assert "the reads of 'i2c1' need 2.5 s of each second and slots are missed" in warning


def test_what_the_bus_says_of_its_line_counts_and_the_rest_is_the_part_s() -> None:
    port = BusTable("port", "serial", "/dev/ttyS0", parity="odd")
    assert serial_line(port, SerialLine(2400, "even", 7, 2)) == SerialLine(2400, "odd", 7, 2)
    assert serial_line(port, None) == SerialLine(parity="odd")


def test_a_bus_that_may_be_too_slow_for_all_its_reads_is_a_warning() -> None:
    two = "".join(
        WELL[WELL.index("[[sensor]]") :]
        .replace('"street"', f'"s{n}"')
        .replace("i2c1", f"b{n // 2}")
        .replace("every_s = 1", "every_s = 0.25")
        .replace("0x76", str(0x76 + n % 2))
        for n in range(2)
    )
    bus = '[[bus]]\nname = "b0"\nkind = "i2c"\npath = "/dev/i2c-9"\n'
    (warning,) = parse(WELL + bus + two, "n.toml").warnings
    assert "raise every_s" in warning
    assert warning.startswith(f"n.toml:{line('[[bus]]', WELL + bus + two, 2)}: bus[2]: ")
