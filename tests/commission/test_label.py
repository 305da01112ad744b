"""The label is 62 mm wide, says node and place, and its code leads to the page of the node."""

from __future__ import annotations

import io
import shutil
import subprocess
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import segno
from PIL import Image

from edgenode.commission import png
from edgenode.commission.label import CODE, EDGE, QUIET, WIDTH, carried, label, write
from edgenode.disclosure.page import Box, Words
from edgenode.errors import NodeError

NODE = "0a1b2c3d4e5f6071"
URL = "https://city.example/n/71"
PLACE = "Harbour, pier 3"


def test_without_an_address_the_code_names_the_node() -> None:
    assert carried(NODE, URL) == URL
    assert carried(NODE, "") == f"urn:x-edgenode:node:{NODE}"


def test_the_code_is_that_of_an_encoder_of_somebody_elses_with_its_quiet_zone() -> None:
    matrix = [list(row) for row in segno.make(URL, error="m", micro=False).matrix]
    side = CODE / (len(matrix) + 2 * QUIET)
    boxes = [item for item in label(NODE, PLACE, URL).items if isinstance(item, Box)]
    cells = {(round((b.y - EDGE) / side), round((b.x - EDGE) / side)) for b in boxes}
    dark = {
        (row + QUIET, column + QUIET)
        for row, line in enumerate(matrix)
        for column, cell in enumerate(line)
        if cell
    }
    assert cells == dark


@pytest.mark.parametrize("name", ["", PLACE, "서울 시청 앞 광장 " * 20, "x" * 400])
@pytest.mark.parametrize("node", ["0a1b2c3d", "0a1b2c3d" * 4])
def test_all_words_stand_within_the_label(name: str, node: str) -> None:
    page = label(node, name, URL)
    words = [item for item in page.items if isinstance(item, Words)]
    assert page.width == WIDTH
    assert all(0 < item.y <= page.height for item in words)
    assert len({round(item.y, 2) for item in words}) == len(words)
    assert "".join(item.text for item in words).replace(" ", "").endswith(node)


def test_an_svg_is_as_wide_as_the_roll(tmp_path: Path) -> None:
    path = tmp_path / "label.svg"
    assert write(str(path), NODE, PLACE, URL) == str(path)
    root = ET.fromstring(path.read_text(encoding="utf-8"))  # noqa: S314 - our own file
    assert root.attrib["width"] == "62mm"
    texts = [node.text for node in root.iter() if node.tag.endswith("text")]
    assert " ".join(map(str, texts)) == f"{PLACE} edgenode {NODE}"


def test_a_png_has_the_dots_of_the_printer_and_is_black_and_white(tmp_path: Path) -> None:
    path = tmp_path / "label.png"
    write(str(path), NODE, PLACE, URL)
    picture = Image.open(io.BytesIO(path.read_bytes()))
    assert picture.mode == "1"
    assert picture.width == round(62 / 25.4 * 300)
    assert picture.info["dpi"] == pytest.approx((300, 300), abs=0.1)
    assert picture.getpixel((0, 0)) == 255
    assert 0.05 < picture.histogram()[0] / (picture.width * picture.height) < 0.5


def test_a_telephone_reads_the_code_of_the_png(tmp_path: Path) -> None:
    reader = shutil.which("zbarimg")
    assert reader, "zbarimg is missing: apt install zbar-tools"
    path = tmp_path / "label.png"
    write(str(path), NODE, PLACE, "")
    words = [reader, "--quiet", "--raw", "--nodbus", str(path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == f"urn:x-edgenode:node:{NODE}"


def test_another_kind_of_file_and_a_place_that_cannot_be_written_are_told(tmp_path: Path) -> None:
    with pytest.raises(NodeError, match=r"\.svg or \.png"):
        write(str(tmp_path / "label.pdf"), NODE, PLACE, URL)
    with pytest.raises(NodeError, match="cannot be written"):
        write(str(tmp_path / "missing" / "label.svg"), NODE, PLACE, URL)
    assert list(tmp_path.iterdir()) == []


def test_letters_for_which_there_is_no_font_are_told_with_the_package() -> None:
    with pytest.raises(NodeError, match="apt install fonts-nanum"):
        png.png(label(NODE, "서울", URL), places=())
