"""Every driver is documented: how it is named, what may be chosen, what it measures."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from edgenode.driver import find
from tests.drivers.test_contract import FAKES

PAGE = (Path(__file__).parents[2] / "docs" / "drivers.md").read_text(encoding="utf-8")


def section(name: str) -> str:
    """Return the section that says how the driver is chosen."""
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)
    found = [part for part in parts if re.search(rf'driver = ".*"{name}"|driver = "{name}"', part)]
    assert found, f'docs/drivers.md does not say `driver = "{name}"` in any section'
    return found[0]


@pytest.mark.parametrize("name", sorted(FAKES))
def test_every_option_and_channel_stands_in_its_section(name: str) -> None:
    driver, text = find(name), section(name)
    words = set(re.findall(r"[a-z_0-9]+", text))
    options = {field.encode_name for field in msgspec.structs.fields(driver.options)}
    assert options <= words
    quantities = {re.sub(r"_l[123]$", "", channel.name) for channel in driver.channels}
    assert quantities <= words, "the three phases have one line"
