"""Tables within tables are checked like any other, however they are written."""

import pytest

from edgenode.config import parse
from tests.support.toml import DUST, WELL, changed, line, problems

CALIBRATED = """\
[sensor.channel.temperature]
low = -20
[sensor.channel.temperature.calibration]
id = "K-7"
date = "2026-03-01"
offset = -0.3
"""


def test_a_channel_carries_its_rules_into_the_configuration() -> None:
    rules = parse(WELL + CALIBRATED).sensors[0].channel["temperature"]
    assert rules.low == -20
    assert rules.calibration is not None
    assert (rules.calibration.id, rules.calibration.offset) == ("K-7", -0.3)


def test_a_misspelt_key_of_a_calibration_is_told_with_its_own_line() -> None:
    text = WELL + CALIBRATED.replace("offset", "ofset")
    (problem,) = problems(text)
    where = "sensor[0].channel.temperature.calibration.ofset"
    assert problem.startswith(f"n.toml:{line('ofset = -0.3', text)}: {where}: unknown key;")
    assert problem.endswith("did you mean 'offset'?")


def test_a_mistake_in_an_inline_table_is_told_with_the_line_of_the_inline_table() -> None:
    text = WELL + 'channel = { temperature = { calibration = { id = "x", date = 3 } } }\n'
    (problem,) = problems(text)
    assert problem == (
        f"n.toml:{text.count(chr(10))}: sensor[0].channel.temperature.calibration.date:"
        " expected a date in quotes, YYYY-MM-DD, found 3"
    )


def test_a_mistake_under_a_dotted_key_is_told_with_its_line() -> None:
    text = changed('path = "/dev/i2c-1"', 'path = "/dev/i2c-1"\npower.lin = 4')
    first, *_ = problems(text)
    assert first == (
        f"n.toml:{line('power.lin = 4', text)}: bus[0].power.lin: unknown key; did you mean 'line'?"
    )


def test_a_key_missing_from_a_nested_table_is_told_at_its_head() -> None:
    text = changed('path = "/dev/i2c-1"', 'path = "/dev/i2c-1"\n[bus.clear]\nscl = 3')
    (problem,) = problems(text)
    assert problem.startswith(f"n.toml:{line('[bus.clear]', text)}: bus[0].clear: sda is missing;")
    assert problem.endswith("a line number of the chip, from 0, up to 1023")


def test_the_second_bus_has_its_own_nested_table() -> None:
    text = changed('path = "/dev/i2c-1"', 'path = "/dev/i2c-1"\n[bus.power]\nline = 4')
    text = changed(
        'path = "/dev/gpiochip0"', 'path = "/dev/gpiochip0"\n[bus.power]\nline = -1', text
    )
    (problem,) = problems(text)
    assert problem.startswith(f"n.toml:{line('line = -1', text)}: bus[1].power.line: expected")


def test_a_value_where_a_table_belongs_is_a_mistake_of_that_key() -> None:
    text = changed('path = "/dev/i2c-1"', 'path = "/dev/i2c-1"\nclear = 3')
    assert problems(text) == [
        f"n.toml:{line('clear = 3', text)}: bus[0].clear: expected a table, [bus.clear], found 3"
    ]
    assert "expected a table, [sensor.channel.NAME]" in problems(WELL + "channel = 3\n")[0]


def test_relations_of_whole_tables_are_told_beside_mistakes_in_others() -> None:
    text = changed('id = "0a1b2c3d"', 'id = "?"') + DUST.replace('bus = "dust"', 'bus = "dist"')
    assert [problem.split(":")[2] for problem in problems(text)] == [" node.id", " sensor[1].bus"]


def test_a_bus_with_a_mistake_of_its_own_still_counts_as_there() -> None:
    assert len(problems(changed('kind = "gpio"', 'kind = "gpoi"'))) == 1


def test_a_misspelt_required_key_is_told_once() -> None:
    assert len(problems(changed("host =", "hots ="))) == 1


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("2026-03-01", "without quotes"),
        ("nan", "found nan"),
        ("inf", "found inf"),
        ("true", "true"),
    ],
)
def test_a_number_is_finite_and_nothing_else(value: str, word: str) -> None:
    (problem,) = problems(changed("latitude = 52.1", f"latitude = {value}"))
    assert "site.latitude: expected degrees" in problem
    assert word in problem


def test_what_no_number_can_hold_is_a_mistake_and_no_crash() -> None:
    (problem,) = problems(changed("latitude = 52.1", f"latitude = {'9' * 400}"))
    assert problem.endswith("found a huge number")
    assert "not to be understood" in problems(f"a = {'9' * 5000}")[0]
    assert "not to be understood" in problems(f"a = {'[' * 5000}{']' * 5000}")[0]


def test_a_line_feed_cannot_hide_at_the_end_of_a_name() -> None:
    (problem,) = problems(changed('name = "street"', 'name = "street\\n"'))
    assert "sensor[0].name: expected a short name" in problem


def test_a_path_is_absolute() -> None:
    (problem,) = problems(changed('"/var/lib/edgenode"', '"var/lib/edgenode"'))
    assert problem.endswith(
        "node.state: expected an absolute path in quotes, found 'var/lib/edgenode'"
    )


def test_a_file_with_hundreds_of_mistakes_is_told_of_in_part() -> None:
    found = problems(WELL + "".join(f"x{n} = 1\n" for n in range(500)))
    assert len(found) == 101
    assert found[-1] == "n.toml: and 400 more mistakes"
