"""Every driver is documented: how it is named, what may be chosen, what it measures, and wired."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from edgenode.driver import find
from tests.drivers import catalogue
from tests.drivers.proofs import all_proofs

PAGES = {
    page.stem: page.read_text(encoding="utf-8")
    for page in (Path(__file__).parents[2] / "docs" / "drivers").glob("*.md")
}


def page(name: str) -> str:
    """Return the page that says how the driver is chosen."""
    found = [text for text in PAGES.values() if re.search(rf'driver = .*"{name}"', text)]
    assert found, f'no page of docs/drivers says `driver = "{name}"`'
    assert len(found) == 1, f"{name} has two pages"
    return found[0]


@pytest.mark.parametrize("name", sorted(all_proofs()))
class TestEveryDriver:
    def test_has_every_option_and_channel_on_its_page(self, name: str) -> None:
        driver, text = find(name), page(name)
        words = set(re.findall(r"[a-z_0-9]+", text))
        options = {field.encode_name for field in msgspec.structs.fields(driver.options)}
        assert options <= words
        quantities = {re.sub(r"_l[123]$", "", channel.name) for channel in driver.channels}
        assert quantities <= words, "the three phases have one line"

    def test_says_how_it_is_wired_and_what_was_not_checked(self, name: str) -> None:
        text = page(name)
        wired = re.search(r"\b[Ww]ire[ds]?\b|\bwiring\b|\btwisted pair\b", text)
        assert wired or driver_has_no_wire(name)
        assert "Not checked" in text

    def test_says_which_quality_is_given_when(self, name: str) -> None:
        assert re.search("quality|`[a-z-]+`|becomes", page(name))


def test_the_index_is_what_the_proofs_say() -> None:
    said = (Path(__file__).parents[2] / "docs" / "drivers.md").read_text(encoding="utf-8")
    assert said == catalogue.page(), "run: python -m tests.drivers.catalogue docs/drivers.md"


def driver_has_no_wire(name: str) -> bool:
    return str(find(name).wire) == "sysfs"
