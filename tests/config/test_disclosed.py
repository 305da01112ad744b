"""What the site does not allow to be measured is a mistake; so is what [site] says to nobody."""

from __future__ import annotations

import pytest

from edgenode.config import parse
from tests.support.disclosed import METER, text
from tests.support.toml import WELL, changed, line, problems

GNSS = """\
[[bus]]
name = "sky"
kind = "serial"
path = "/dev/serial/by-id/sky"
[[sensor]]
name = "place"
driver = "gnss"
bus = "sky"
every_s = 60
purpose = "where the node is"
"""


def allowing(privacy: str, more: str = "") -> str:
    return changed("latitude = 52.1", f'latitude = 52.1\nprivacy = "{privacy}"') + more


def test_a_channel_above_the_class_that_the_site_allows_is_a_mistake_with_its_line() -> None:
    whole = allowing("open", GNSS)
    (problem,) = problems(whole)
    start = line("[[sensor]]", whole, 1)
    assert problem.startswith(f"n.toml:{start}: sensor[1]: latitude, longitude, altitude: internal")
    assert 'privacy = "internal" in [site]' in problem


@pytest.mark.parametrize("privacy", ["internal", "aggregate"])
def test_a_site_that_allows_the_class_takes_the_sensor(privacy: str) -> None:
    parse(allowing(privacy, GNSS + METER))


def test_without_a_word_a_site_allows_what_is_internal() -> None:
    assert parse(WELL + GNSS + METER).site.privacy == "internal"


def test_a_meter_of_a_household_is_internal_whatever_its_driver_says() -> None:
    (problem,) = problems(allowing("open", METER))
    assert "volume: internal, and this site allows no more than open" in problem
    parse(allowing("open", METER + 'serves = "building"\n'))


def test_what_is_derived_of_a_household_is_as_private_as_its_meter() -> None:
    (problem,) = problems(allowing("open", METER + 'derived = ["volume_flow"]\n'))
    assert "volume_flow" in problem


def test_a_class_that_there_is_not_is_refused() -> None:
    (problem,) = problems(allowing("secret"))
    assert 'expected "open" or "internal" or "aggregate"' in problem


def test_an_element_that_dtpr_has_not_is_a_mistake() -> None:
    (problem,) = problems(changed("latitude = 52.1", 'latitude = 52.1\ndtpr = ["stored_localy"]'))
    assert "DTPR has no element 'stored_localy'; did you mean 'stored_locally'?" in problem


def test_a_translation_of_what_the_file_does_not_say_is_a_mistake_with_its_line() -> None:
    whole = text().replace('"five years" =', '"five year" =')
    (problem,) = problems(whole)
    place = line('"five year" = "5년"', whole)
    assert problem.startswith(f"n.toml:{place}: site.ko.")
    assert "did you mean 'five years'?" in problem


def test_purposes_of_sensors_and_channels_are_translated_too() -> None:
    more = '[sensor.channel.temperature]\npurpose = "heat of the street"\n'
    site = '[site.ko]\n"heat of the street" = "거리의 열"\n"air of the street" = "공기"\n'
    assert parse(text(more, site)).site.ko["heat of the street"] == "거리의 열"


@pytest.mark.parametrize("url", ["ftp://city.example", "city.example", "https://a b"])
def test_an_address_that_no_telephone_would_open_is_refused(url: str) -> None:
    (problem,) = problems(changed("latitude = 52.1", f'latitude = 52.1\nurl = "{url}"'))
    assert "begins with https:// or http://" in problem
