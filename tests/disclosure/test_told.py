"""What people read: each theme with its quantities and purposes, and who answers for it."""

from __future__ import annotations

import pytest

from edgenode.disclosure import lines, published, summary
from edgenode.disclosure.published import MOST_BYTES
from edgenode.disclosure.text import WIDTH, columns
from edgenode.wire import About, decode, encode
from tests.support.disclosed import METER, document
from tests.support.toml import PULSE

RADAR = """\
[[bus]]
name = "road"
kind = "serial"
path = "/dev/serial/by-id/road"
[[sensor]]
name = "radar"
driver = "ops243"
bus = "road"
every_s = 60
purpose = "traffic by direction"
"""


def told(more: str = "", language: str = "en") -> str:
    return "\n".join(lines(summary(document(more), language)))


def test_a_person_reads_what_is_measured_what_for_and_who_answers() -> None:
    text = told()
    for words in (
        "What is measured here: Corner of Main and 3rd",
        "Why: air quality of the street",
        "temperature; humidity of the air; air pressure",
        "For: air of the street",
        "How long it is kept: five years",
        "Who may have it: open data",
        "Who answers for it: City of Example",
        "Whom to ask: sensors@city.example",
        "More: https://city.example/42",
        "No pictures, no sound, no number plates",
        "as the node runs now",
    ):
        assert words in text


def test_the_same_is_told_in_korean_with_the_translations_of_the_file() -> None:
    text = told(language="ko")
    for words in (
        "온도; 공기의 습도; 기압",
        "목적: 거리의 공기",
        "보관 기간: 5년",
        "책임 기관: 예시시",
    ):
        assert words in text
    assert "air of the street" not in text
    assert "이용할 수 있는 사람: open data" in text  # nobody has translated this


def test_of_traffic_it_is_said_what_is_not_measured() -> None:
    assert "vehicles are counted, only sums leave the node" in told(RADAR)
    assert "vehicles are counted" not in told()


def test_what_is_measured_twice_for_one_purpose_is_told_once() -> None:
    again = PULSE.replace('name = "loop"', 'name = "other"').replace("17", "18")
    assert told(PULSE + again) == told(PULSE)


def test_what_only_the_operator_may_see_is_marked() -> None:
    assert "in all (for the operator alone)" in told(METER)
    assert "(운영자만 이용)" in told(METER, "ko")


def test_what_nobody_has_said_is_told_as_not_stated() -> None:
    found = summary(document(site=""), "en")
    assert found.missing == ("retention", "access", "accountable", "contact")
    assert "Who answers for it: not stated" in "\n".join(lines(found))


def test_a_node_without_sensors_measures_nothing() -> None:
    bare = document() | {"sensors": []}
    assert "Nothing is measured here." in "\n".join(lines(summary(bare, "en")))


@pytest.mark.parametrize("language", ["en", "ko"])
def test_lines_are_no_wider_than_a_terminal(language: str) -> None:
    found = lines(summary(document(RADAR + METER + PULSE), language))
    assert max(map(columns, found)) <= WIDTH


def test_text_of_a_file_cannot_steer_a_terminal_or_break_a_line() -> None:
    bad = document()
    bad["site"]["retention"] = "five\n years\x1b[31m"
    found = dict(summary(bad, "en").facts)
    assert found["How long it is kept"] == "five years[31m"


def test_about_carries_the_same_in_texts_by_name() -> None:
    texts = published(document(RADAR, utc_ms=1))
    assert "temperature; humidity of the air" in texts["senses_en"]
    assert "only sums leave the node" in texts["senses_en"]
    assert "거리의 공기" in texts["senses_ko"]
    assert texts["retention_ko"] == "5년"
    assert texts["accountable_ko"] == "예시시"
    assert "radar" in texts["dtpr"].split()
    assert "access_ko" not in texts


def test_about_stays_a_message_however_much_there_is_to_say() -> None:
    many = document()
    (sensor,) = many["sensors"]
    (channel, *_) = sensor["channels"]
    sensor["channels"] = [channel | {"purpose": f"{n} {'x' * 900}"} for n in range(1000)]
    texts = published(many)
    assert len(texts["senses_en"].encode()) <= MOST_BYTES + 100
    assert texts["senses_en"].splitlines()[-1].startswith("and 9")
    about = About(bytes(4), {}, texts)
    assert decode(encode(about)) == about
