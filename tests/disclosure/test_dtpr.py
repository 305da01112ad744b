"""The data chain has the categories and elements of DTPR v1, and the shape of its instances."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from edgenode.disclosure import chain, element_ids
from edgenode.disclosure.words import LANGUAGES, table
from tests.support.disclosed import METER, SITE, document
from tests.support.toml import PULSE

LOCALISED = {
    "type": "array",
    "minItems": 1,
    "items": {
        "type": "object",
        "required": ["locale", "value"],
        "properties": {
            "locale": {"enum": list(LANGUAGES)},
            "value": {"type": "string", "minLength": 1},
        },
        "additionalProperties": False,
    },
}
ELEMENT = {
    "type": "object",
    "required": ["element_id", "category_id", "priority", "title", "variables", "actions"],
    "additionalProperties": False,
    "properties": {
        "element_id": {"type": "string"},
        "category_id": {"type": "string"},
        "priority": {"type": "integer", "minimum": 0},
        "title": LOCALISED,
        "variables": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "value"],
                "properties": {"id": {"pattern": "^[a-zA-Z0-9_-]+$"}, "value": LOCALISED},
            },
        },
        "actions": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "label", "target"],
                "properties": {
                    "type": {"enum": ["email", "url", "phone", "form", "postal"]},
                    "label": LOCALISED,
                    "target": {"type": "string", "minLength": 1},
                },
            },
        },
    },
}
# After DTPR's api/src/schema/datachain-instance.ts, as far as a device needs it.
INSTANCE = {
    "type": "object",
    "required": ["id", "title", "description", "schema_version", "elements"],
    "properties": {
        "id": {"type": "string", "minLength": 1},
        "title": LOCALISED,
        "description": LOCALISED,
        "datachain_type": {"const": "device"},
        "created_at": {"pattern": "^[0-9-]{10}T[0-9:]{8}Z$"},
        "elements": {"type": "array", "minItems": 1, "items": ELEMENT},
    },
}
RADAR = """\
[[bus]]
name = "road"
kind = "serial"
path = "/dev/serial/by-id/road"
[[sensor]]
name = "radar"
driver = "{driver}"
bus = "road"
every_s = 60
{options}
purpose = "traffic by direction"
"""


def ids(found: dict[str, Any]) -> list[str]:
    return [row["element_id"] for row in found["elements"]]


def of(found: dict[str, Any], element: str) -> dict[str, dict[str, str]]:
    """Return the variables of an element by name and language."""
    row = next(row for row in found["elements"] if row["element_id"] == element)
    return {
        one["id"]: {said["locale"]: said["value"] for said in one["value"]}
        for one in row["variables"]
    }


@pytest.mark.parametrize("more", ["", METER, PULSE, RADAR.format(driver="ops243", options="")])
def test_a_chain_has_the_shape_of_an_instance_and_only_elements_that_there_are(more: str) -> None:
    found = chain(document(more, utc_ms=1_795_000_000_000))
    jsonschema.validate(found, INSTANCE)
    assert found["created_at"] == "2026-11-18T11:06:40Z"
    categories = {row["id"]: row["category"] for row in table("dtpr-device-v1.en")["elements"]}
    for row in found["elements"]:
        assert row["category_id"] in categories[row["element_id"]]
    assert len(ids(found)) == len(set(ids(found)))


def test_elements_stand_in_the_order_of_the_categories() -> None:
    order = [row["id"] for row in table("dtpr-device-v1.en")["categories"]]
    found = [order.index(row["category_id"]) for row in chain(document())["elements"]]
    assert found == sorted(found)


def test_every_element_of_the_mapping_is_one_of_its_category() -> None:
    known = table("dtpr-device-v1.en")["elements"]
    of_category = {row["id"]: row["category"] for row in known}
    tables = table("dtpr")
    rows = [tables["always"], tables["household"], tables["tls"]]
    rows += [row for name in ("themes", "quantities", "models") for row in tables[name].values()]
    for row in rows:
        for category, elements in row.items():
            assert all(category in of_category[element] for element in elements)
    assert set(tables["ko"]) <= element_ids()
    assert {tables["accountable"], tables["retained"]} <= element_ids()


def test_every_theme_and_every_part_of_the_mapping_is_there() -> None:
    from edgenode.driver import loadable  # noqa: PLC0415 - a scan of all installed packages

    models = {driver.model for driver in loadable().values()}
    assert set(table("dtpr")["themes"]) == set(table("themes"))
    assert set(table("dtpr")["models"]) <= models
    parts = {name.partition("/")[0] for name in table("quantities") if "/" in name}
    assert parts <= models


@pytest.mark.parametrize(
    ("driver", "options", "element"),
    [
        ("ops243", "", "radar"),
        ("tfluna", "nearer_cm = 300", "li_dar"),
        ("sds011", "", "air_quality"),
        ("gnss", "", "gps"),
    ],
)
def test_a_part_stands_for_its_technology(driver: str, options: str, element: str) -> None:
    found = chain(document(RADAR.format(driver=driver, options=options)))
    assert element in ids(found)
    assert element not in ids(chain(document()))


def test_words_of_the_file_fill_the_variables_in_both_languages() -> None:
    found = chain(document())
    assert of(found, "data_retained") == {"duration": {"en": "five years", "ko": "5년"}}
    assert of(found, "organization")["name"] == {"en": "City of Example", "ko": "예시시"}
    assert of(found, "ecology")["additional_description"]["ko"] == "거리의 공기"
    retained = next(row for row in found["elements"] if row["element_id"] == "data_retained")
    assert [said["value"] for said in retained["title"]] == ["Retained five years", "5년 보관"]


def test_the_address_of_the_site_is_an_action_of_who_answers() -> None:
    rows = {row["element_id"]: row["actions"] for row in chain(document())["elements"]}
    assert [action["target"] for action in rows["organization"]] == ["https://city.example/42"]


def test_what_tells_of_one_household_is_personal() -> None:
    assert "personal" in ids(chain(document(METER)))
    assert "personal" not in ids(chain(document()))


def test_encryption_is_claimed_only_where_every_broker_has_it() -> None:
    open_ = document()
    assert "transport_layer_security" in ids(chain(open_))
    assert "transport_layer_security" not in ids(chain(open_ | {"encrypted": False}))


def test_an_operator_adds_what_no_channel_tells_of() -> None:
    site = SITE.replace("\n[site.ko]", 'dtpr = ["stored_locally", "no_data_retained"]\n[site.ko]')
    found = ids(chain(document(site=site)))
    assert "stored_locally" in found
    assert "no_data_retained" in found
    assert "data_retained" not in found
