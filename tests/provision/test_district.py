"""The documents of a district come all, and right, or not at all."""

from __future__ import annotations

import csv
import errno
import os
import stat
from pathlib import Path

import pytest

from edgenode.cli import main
from edgenode.provision import district
from edgenode.provision.document import digest, read
from edgenode.provision.keys import trusted
from tests.support.nodejson import TEMPLATE

HEAD = "id,latitude,longitude,token,sensors.square.serial\n"
ROWS = "0a1b2c3d,37.5692000049,126.9779,t1,B1\n,37.57,126.98,t2,\n"
Told = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    assert main(["provision", "key", "city.key"]) == 0
    text = TEMPLATE.read_text(encoding="utf-8")
    (tmp_path / "t.toml").write_text(f'{text}\n[enrol]\nest = "https://est.example"\n')
    return tmp_path


def made(data: str | bytes, *words: str) -> int:
    Path("d.csv").write_bytes(data.encode() if isinstance(data, str) else data)
    common = ["--template", "t.toml", "--key", "city.key", "--out", "out"]
    return main(["provision", "district", "d.csv", *common, *words])


def test_each_row_becomes_a_document_below_the_id_of_its_node(here: Path, capsys: Told) -> None:
    assert made(HEAD + ROWS, "--serial", "3") == 0
    with (here / "out/district.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    keys = trusted(Path("city.key.pub"))
    documents = [read((here / "out" / row["file"]).read_bytes(), keys) for row in rows]
    assert documents[0].node.id == rows[0]["id"] == "0a1b2c3d"
    assert len(rows[1]["id"]) == 16
    assert documents[0].site.latitude == 37.5692  # rounded to 7 decimals
    assert [one.enrol.token for one in documents if one.enrol] == ["t1", "t2"]
    serials = [one.sensors[0]["serial"] for one in documents]
    assert serials == ["B1", "BME-0042"]  # an empty cell leaves the template's
    assert [(row["serial"], row["sha256"]) for row in rows] == [("3", digest(d)) for d in documents]
    assert "t1" not in (here / "out/district.csv").read_text()
    assert "2 documents" in capsys.readouterr().out


def test_only_the_owner_reads_what_holds_secrets(here: Path) -> None:
    os.umask(os.umask(0))
    assert made(HEAD + ROWS) == 0
    for path in [here / "out", *(here / "out").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("change", ["\t", ";", "bom", "crlf"])
def test_what_spreadsheets_write_is_read(here: Path, change: str) -> None:
    data = (HEAD + ROWS).encode()
    if change == "bom":
        data = b"\xef\xbb\xbf" + data
    elif change == "crlf":
        data = data.replace(b"\n", b"\r\n") + b",,,,\r\n"
    else:
        data = data.replace(b",", change.encode())
    assert made(data) == 0
    assert len(list((here / "out").iterdir())) == 3


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (HEAD, "d.csv: has no rows below its head"),
        (b"", "d.csv: has no rows below its head"),
        (HEAD + "0a1b2c3d,1,,t,\n", "d.csv:2: latitude and longitude: give both or none"),
        ("id,,token\n1,2,3\n", "d.csv:1: a column has no name"),
        ("id,token,token\n1,2,3\n", "d.csv:1: token stands twice"),
        (
            "id,tokn\n0a1b2c3d,x\n",
            "d.csv:1: tokn: nothing in a document is called so; did you mean",
        ),
        ("sensors.none.serial\nx\n", "d.csv:1: sensors.none.serial: the template has no 'none'"),
        (HEAD + "0a1b2c3d,1,2,3,4,5\n", "d.csv:2: 6 cells below 5 columns"),
        (
            HEAD + "0a1b2c3d,91,2,t,\n",
            "d.csv:2: site.latitude: expected degrees, -90 to 90, found 91",
        ),
        (HEAD + '0a1b2c3d,"37,5",2,t,\n', "d.csv:2: site.latitude: expected degrees"),
        (
            HEAD + "0a1b2c3d,1,2,t,\n\n0a1b2c3d,1,2,t,\n",
            "d.csv:4: id 0a1b2c3d is that of line 2 too",
        ),
        (HEAD + "0A1B2C3D,1,2,t,\n", "d.csv:2: node.id: expected 4 to 16 bytes"),
        (HEAD + "../../x,1,2,t,\n", "d.csv:2: node.id: expected 4 to 16 bytes"),
        (
            "시청\n".encode("cp949") + b"x\n",
            "d.csv: not UTF-8 text at byte 0; save it as CSV UTF-8",
        ),
        (HEAD + '0a1b2c3d,"1\n', "d.csv: not a CSV: "),
    ],
)
def test_a_mistake_is_told_with_its_line_and_no_file_is_written(
    here: Path, capsys: Told, data: str | bytes, sentence: str
) -> None:
    assert made(data) == 2
    assert sentence in capsys.readouterr().err
    assert not (here / "out").exists()


def test_no_row_gets_the_position_of_the_template(here: Path) -> None:
    assert made(HEAD + "0a1b2c3d,,,t1,\n") == 0
    data = (here / "out/0a1b2c3d/node.json").read_bytes()
    assert read(data, trusted(Path("city.key.pub"))).site.latitude is None


def test_the_mistakes_of_all_rows_are_told_at_once(here: Path, capsys: Told) -> None:
    assert made(HEAD + "x,1,2,t,\n" + ROWS + "y,1,2,t,\n") == 2
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[1] for line in lines] == ["2", "5"]


def test_a_directory_that_holds_something_is_left_alone(here: Path, capsys: Told) -> None:
    (here / "out").mkdir()
    (here / "out/mine").write_text("x")
    assert made(HEAD + ROWS) == 2
    assert "holds something already" in capsys.readouterr().err
    assert [path.name for path in (here / "out").iterdir()] == ["mine"]
    (here / "out/mine").unlink()
    assert made(HEAD + ROWS) == 0


def test_a_disk_that_fills_leaves_nothing_behind(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    left = [2]
    real = os.fsync

    def full(descriptor: int) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(os, "fsync", full)
    before = {path.name for path in here.iterdir()} | {"d.csv"}
    assert made(HEAD + ROWS) == 2
    assert "No space left on device" in capsys.readouterr().err
    assert {path.name for path in here.iterdir()} == before


def test_there_is_a_limit_to_the_rows(
    here: Path, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    monkeypatch.setattr(district, "MAX_ROWS", 1)
    assert made(HEAD + ROWS) == 2
    assert "2 rows; at most 1 are possible" in capsys.readouterr().err
    assert not (here / "out").exists()
