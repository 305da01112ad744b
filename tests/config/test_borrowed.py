"""What a sensor borrows of another: named in the file, and judged there."""

from __future__ import annotations

import pytest

from edgenode.config import parse
from edgenode.errors import ConfigError
from tests.support.toml import WELL

HEAD = WELL[: WELL.index("[[bus]]")]


def file(sources: str) -> str:
    """Return the file of a node with a gas sensor beside an SHT4x."""
    return f"""{HEAD}
[[bus]]
name = "i2c"
kind = "i2c"
path = "/dev/i2c-1"
[[sensor]]
name = "air"
driver = "sht4x"
bus = "i2c"
every_s = 10
purpose = "air of the street"
[[sensor]]
name = "gas"
driver = "sgp40"
bus = "i2c"
every_s = 60
purpose = "air of the street"
sources = {sources}
"""


def test_a_driver_may_borrow_what_it_measures_better_by() -> None:
    config = parse(file('{ humidity = "air/humidity", temperature = "air/temperature" }'))
    (gas,) = (sensor for sensor in config.sensors if sensor.name == "gas")
    assert gas.sources == {"humidity": "air/humidity", "temperature": "air/temperature"}


@pytest.mark.parametrize(
    ("sources", "problem"),
    [
        ('{ humidity = "air/moisture" }', "no such channel, found 'air/moisture'"),
        ('{ humidity = "air/temperature" }', "expected a channel in %RH; air/temperature is in"),
        ('{ pressure = "air/humidity" }', "nothing that is derived here can be made from it"),
        ('{ humidity = "gas/sraw_voc" }', "expected a channel in %RH"),
    ],
)
def test_what_it_cannot_borrow_is_a_mistake_of_the_file(sources: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(file(sources))
    assert problem in str(caught.value)
