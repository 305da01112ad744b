"""Drivers of other people are found by entry point, and told apart when they are not whole."""

from pathlib import Path

import pytest

from edgenode.config import parse
from tests.support.toml import WELL, changed, problems

WHOLE = """\
from edgenode.driver import Driver, Options
from edgenode.reading import Channel

class Part(Driver):
    wire, model, options = "i2c", "X1", Options
    channels = (Channel("level", "m"),)
    budget_s = fastest_s = 0.1
"""


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The module of a driver "other" of somebody else, as pip would install it."""
    about = tmp_path / "other-1.dist-info"
    about.mkdir()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1\n")
    entry = "[edgenode.drivers]\nother = {}:Part\n".format(f"other_{tmp_path.name[-6:]}")
    (about / "entry_points.txt").write_text(entry.replace("-", "_"))
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / f"other_{tmp_path.name[-6:]}.py".replace("-", "_")


TEXT = changed('"bme280"', '"other"').replace("address = 0x76\n", "")


def test_a_driver_of_somebody_else_is_used_like_ours(installed: Path) -> None:
    installed.write_text(WHOLE)
    assert parse(TEXT).sensors[0].driver.model == "X1"


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import nothing_of_this_name", "cannot be loaded: No module named 'nothing_of_this_name'"),
        ("x = 1", "cannot be loaded: module"),
        ("def", "cannot be loaded: invalid syntax"),
        (WHOLE.replace("    budget_s = fastest_s = 0.1\n", ""), "not declare budget_s, fastest_s"),
    ],
)
def test_a_driver_that_is_not_whole_is_a_mistake_of_its_sensor(
    installed: Path, code: str, told: str
) -> None:
    installed.write_text(code)
    (problem,) = problems(TEXT)
    assert "sensor[0].driver: driver 'other' " in problem
    assert told in problem


def test_a_misspelt_driver_is_told_with_the_likely_one() -> None:
    (problem,) = problems(changed('"bme280"', '"bme28o"', WELL))
    assert "driver 'bme28o' is not installed; did you mean 'bme280'? known: " in problem


@pytest.mark.parametrize("driver", ["scd4x", "scd30"])
def test_options_that_do_not_go_together_are_a_mistake_of_their_sensor(driver: str) -> None:
    both = f'"{driver}"\naltitude_m = 100\npressure_hpa = 900'
    text = (
        changed('"bme280"', both)
        .replace("address = 0x76\n", "")
        .replace("every_s = 1", "every_s = 60")
    )
    (told,) = problems(text)
    assert "sensor[0]: altitude_m and pressure_hpa say the same thing" in told
