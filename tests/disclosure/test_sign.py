"""The sign for the pole: all of it on one page of A5, in letters that are there, with a code."""

from __future__ import annotations

import io
import sys
import xml.etree.ElementTree as ET  # of our own making
from pathlib import Path
from typing import Any

import pytest
import segno
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from pypdf import PdfReader

from edgenode.disclosure import layout, pdf, summary
from edgenode.disclosure.layout import sign
from edgenode.disclosure.page import Box, Page, Words, estimated, wrapped
from edgenode.disclosure.sign import code, made_as, write
from edgenode.errors import NodeError
from tests.support.disclosed import METER, SITE, document
from tests.support.toml import DUST, PULSE

URL = "https://city.example/42"
SVG = "{http://www.w3.org/2000/svg}"
HANGUL = range(0xAC00, 0xD7A4)


def page(found: dict[str, Any], language: str = "en", text: str = URL) -> Page:
    return sign(summary(found, language), code(text), estimated)


def words(made: Page) -> list[Words]:
    return [item for item in made.items if isinstance(item, Words)]


def boxes(made: Page, colour: str) -> list[Box]:
    return [item for item in made.items if isinstance(item, Box) and item.colour == colour]


def body(made: Page) -> list[Words]:
    """Return what is measured: it is set last, after the head, whose ground is dark."""
    start = made.items.index(boxes(made, layout.DARK)[0])
    return [item for item in made.items[start:] if isinstance(item, Words)]


def with_quantities(count: int) -> dict[str, Any]:
    """A node with so many quantities whose names an installer has chosen."""
    found = document()
    (sensor,) = found["sensors"]
    channel = sensor["channels"][0] | {"unit": "mm", "observed": ""}
    sensor["model"] = "Modbus part"
    sensor["channels"] = [channel | {"quantity": f"level_{n}"} for n in range(count)]
    return found


def crowded(purposes: int, letters: int) -> dict[str, Any]:
    """A node with so many purposes of so many letters."""
    found = document()
    (sensor,) = found["sensors"]
    channel = sensor["channels"][0]
    sensor["channels"] = [
        channel | {"purpose": f"{n} {'word ' * (letters // 5)}"} for n in range(purposes)
    ]
    return found


def read(made: bytes) -> tuple[str, Any]:
    """Return the text of a PDF of one page, and the page."""
    (only,) = PdfReader(io.BytesIO(made)).pages
    return only.extract_text(), only


def font(path: Path, letters: str) -> Path:
    """Write a TrueType font in which each of the letters is a box."""
    pen = TTGlyphPen(None)
    for point in ((50, 0), (50, 700), (450, 700), (450, 0)):
        (pen.lineTo if pen.points else pen.moveTo)(point)
    pen.closePath()
    box = pen.glyph()
    names = {ord(letter): f"u{ord(letter):04X}" for letter in sorted(set(letters))}
    glyphs = [".notdef", *names.values()]
    built = FontBuilder(1000, isTTF=True)
    built.setupGlyphOrder(glyphs)
    built.setupCharacterMap(names)
    built.setupGlyf(dict.fromkeys(glyphs, box))
    built.setupHorizontalMetrics(dict.fromkeys(glyphs, (500, 50)))
    built.setupHorizontalHeader(ascent=800, descent=-200)
    built.setupOS2()
    built.setupPost()
    built.setupNameTable({"familyName": "Boxes", "styleName": "Regular"})
    built.save(path)
    return path


def needed(language: str) -> str:
    """Return all letters that the sign of the usual document has."""
    return "".join(item.text for item in words(page(document(), language)))


# --- what stands on it ---
@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("more", ["", DUST + PULSE + METER])
def test_everything_lies_on_the_page_and_nothing_runs_into_the_foot(
    language: str, more: str
) -> None:
    made = page(document(more), language)
    assert (made.width, made.height) == (148, 210)
    for item in made.items:
        wide = item.width if isinstance(item, Box) else estimated(item.text, item.size, item.bold)
        assert 0 <= item.x <= item.x + wide <= made.width
        assert 0 <= item.y <= made.height
    (foot,) = boxes(made, layout.PALE)
    assert max(item.y for item in body(made)) < foot.y


def test_the_title_the_place_and_who_answers_stand_on_it() -> None:
    told = [item.text for item in words(page(document()))]
    for text in ("What is measured here", "Corner of Main and 3rd", "City of Example", URL):
        assert text in told


def test_much_to_say_makes_letters_smaller_and_then_leaves_out_details() -> None:
    few, more, many = (words(page(with_quantities(count))) for count in (3, 190, 400))
    assert min(item.size for item in more) < min(item.size for item in few)
    assert "\N{LEFT DOUBLE QUOTATION MARK}level_98" in " ".join(item.text for item in more)
    assert "and 301 more" in " ".join(item.text for item in many)


def test_more_than_a_page_can_hold_is_refused_with_advice() -> None:
    with pytest.raises(NodeError, match="shorten the texts of"):
        page(crowded(40, 900))


def test_no_letters_are_smaller_than_a_reader_can_take() -> None:
    least = min(layout.SCALES) * layout.BODY * 72 / 25.4
    assert least > 6.5


def test_a_word_longer_than_a_line_is_cut() -> None:
    found = list(wrapped("x" * 100, 20, 3, estimated))
    assert "".join(found) == "x" * 100
    assert all(estimated(line, 3, False) <= 20 for line in found)


# --- the code ---
def test_the_code_is_the_address_of_the_site_with_room_around_it() -> None:
    made = page(document())
    (ground,) = boxes(made, layout.WHITE)
    modules = [list(row) for row in segno.make(URL, error="m", micro=False).matrix]
    side = ground.width / (len(modules) + 2 * layout.QUIET)
    drawn = [[0] * len(modules) for _ in modules]
    for box in boxes(made, layout.BLACK):
        row = round((box.y - ground.y) / side) - layout.QUIET
        first = round((box.x - ground.x) / side) - layout.QUIET
        for column in range(first, first + round(box.width / side)):
            drawn[row][column] = 1
    assert drawn == modules


def test_without_an_address_the_code_carries_whom_to_ask(mocker: Any) -> None:
    made = mocker.spy(segno, "make")
    made_as(".svg", document(site=SITE.replace(f'url = "{URL}"', "")), "en")
    text = made.call_args.args[0]
    assert text == "sensors@city.example\nCorner of Main and 3rd\nedgenode 0a1b2c3d"


def test_without_address_and_contact_there_is_no_code() -> None:
    found = document(site="")
    assert found["site"]["contact"] == ""
    assert b"#000000" not in made_as(".svg", found, "en")


def test_what_a_telephone_could_not_read_is_refused() -> None:
    with pytest.raises(NodeError, match="write a short address"):
        code("가" * 111)
    modules = len(code("가" * 110))
    assert layout.CODE / (modules + 2 * layout.QUIET) > 0.45


# --- SVG ---
@pytest.mark.parametrize("language", ["en", "ko"])
def test_an_svg_is_well_formed_has_the_size_of_a5_and_names_its_fonts(language: str) -> None:
    root = ET.fromstring(made_as(".svg", document(), language))  # noqa: S314 - of our own making
    assert (root.get("width"), root.get("height")) == ("148mm", "210mm")
    assert "NanumGothic" in str(root.get("font-family"))
    told = " ".join(str(text.text) for text in root.iter(f"{SVG}text"))
    assert ("온도; 공기의 습도; 기압" if language == "ko" else "air pressure") in told


def test_an_svg_survives_what_the_file_says() -> None:
    found = document()
    found["site"]["name"] = 'A & B <script> "x" \x00\x1b'
    root = ET.fromstring(made_as(".svg", found, "en"))  # noqa: S314 - of our own making
    assert 'A & B <script> "x"' in [str(text.text).strip() for text in root.iter(f"{SVG}text")]


# --- PDF ---
def test_a_pdf_is_one_page_of_a5_with_the_text_and_needs_no_font_for_latin_letters() -> None:
    found = document()
    found["site"]["name"] = "Café “Zur Post”, 5 µm"
    text, only = read(made_as(".pdf", found, "en"))
    assert [round(float(side) / 72 * 25.4) for side in only.mediabox[2:]] == [148, 210]
    assert "temperature; humidity of the air; air pressure" in text
    assert "Café “Zur Post”, 5 µm" in text


def test_a_pdf_in_korean_embeds_the_font_that_is_named(tmp_path: Path) -> None:
    letters = needed("ko") + "".join(map(chr, (*range(32, 127), *HANGUL)))
    path = font(tmp_path / "boxes.ttf", letters)
    made = made_as(".pdf", document(), "ko", str(path))
    text, _ = read(made)
    assert b"/FontFile2" in made
    assert "온도; 공기의 습도; 기압" in text
    assert "거리의 공기" in text


def test_a_font_that_lacks_a_letter_is_refused_and_the_letter_named(tmp_path: Path) -> None:
    path = font(tmp_path / "boxes.ttf", needed("en"))
    with pytest.raises(NodeError, match=r"has no letter '.', nor \d+ others of this sign"):
        made_as(".pdf", document(), "ko", str(path))


def test_the_other_micro_sign_of_a_font_will_do(tmp_path: Path) -> None:
    letters = needed("en") + "".join(map(chr, range(32, 127)))
    path = font(tmp_path / "boxes.ttf", letters + "\N{GREEK SMALL LETTER MU}")
    found = document()
    found["site"]["purpose"] = "5 \N{MICRO SIGN}m"
    text, _ = read(made_as(".pdf", found, "en", str(path)))
    assert "5 \N{GREEK SMALL LETTER MU}m" in text


def test_the_bold_that_lies_beside_a_font_is_taken(tmp_path: Path) -> None:
    letters = needed("en") + "".join(map(chr, range(32, 127)))
    path = font(tmp_path / "Boxes.ttf", letters)
    alone = made_as(".pdf", document(), "en", str(path))
    font(tmp_path / "BoxesBold.ttf", letters)
    assert alone.count(b"/FontFile2") == 1
    assert made_as(".pdf", document(), "en", str(path)).count(b"/FontFile2") == 2


@pytest.mark.parametrize("content", [None, b"", b"no font at all", b"\x00\x01\x00\x00" + bytes(60)])
def test_what_is_no_font_is_a_clear_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.ttf"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(NodeError, match=r"x\.ttf: cannot be used as a font: .*--font FILE\.ttf"):
        made_as(".pdf", document(), "en", str(path))


def test_without_any_font_for_korean_the_package_and_the_option_are_named(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match="apt install fonts-nanum, or name one: --font"):
        pdf.Paper(["온도"], None, [tmp_path / "none.ttf"])


def test_a_font_where_debian_puts_it_is_found(tmp_path: Path) -> None:
    path = font(tmp_path / "NanumGothic.ttf", "온도")
    paper = pdf.Paper(["온도"], None, [tmp_path / "none.ttf", path])
    made = paper.write(Page("온도", "ko", [Words(10, 20, 5, "온도")]))
    assert read(made)[0] == "온도"


# --- files and extras ---
@pytest.mark.parametrize(("module", "end"), [("segno", ".svg"), ("fpdf", ".pdf")])
def test_a_missing_extra_is_named(module: str, end: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(NodeError, match=r"pip install 'edgenode\[sign\]'"):
        made_as(end, document(), "en")


def test_a_sign_that_fails_leaves_the_old_one_as_it_was(tmp_path: Path) -> None:
    target = tmp_path / "pole.svg"
    target.write_text("old")
    with pytest.raises(NodeError):
        write(str(target), crowded(40, 900), "en")
    assert target.read_text() == "old"
    write(str(target), document(), "en")
    assert [path.name for path in tmp_path.iterdir()] == ["pole.svg"]
    assert target.read_bytes().startswith(b"<?xml")
