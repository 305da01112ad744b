"""`edgenode disclose`: what runs is told, in words, for machines and as a sign."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from edgenode.cli import main
from tests.cli.test_asking import Capture, out, run
from tests.support.disclosed import text
from tests.support.documents import Played


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file without mistakes, and no daemon beside it."""
    made = tmp_path / "node.toml"
    made.write_text(text(), encoding="utf-8")
    return made


def alone(file: Path, *words: str) -> int:
    """Run it where no daemon answers."""
    socket = str(file.parent / "none")
    return main(["disclose", *words, "--socket", socket, "--config", str(file)])


def test_what_runs_is_told_not_what_the_file_says(
    daemon: Played, file: Path, capsys: Capture
) -> None:
    file.write_text("no configuration at all")
    daemon.disclose["site"]["purpose"] = "as it runs"
    assert run(daemon, "disclose", "--config", str(file)) == 0
    told = out(capsys)
    assert "Why: as it runs" in told
    assert "as the node runs now" in told


def test_without_a_daemon_the_file_is_told_and_that_it_is_the_file(
    file: Path, capsys: Capture
) -> None:
    assert alone(file) == 3
    captured = capsys.readouterr()
    assert f"from the file {file}; no daemon runs" in captured.out
    assert "temperature; humidity of the air" in captured.out
    assert f"this is from {file}" in captured.err


def test_without_a_daemon_and_with_mistakes_in_the_file_these_are_told(
    file: Path, capsys: Capture
) -> None:
    file.write_text("schema = 1\n")
    assert alone(file) == 2
    assert "node: id is missing" in capsys.readouterr().err


def test_korean_is_told_where_it_is_asked_for(daemon: Played, capsys: Capture) -> None:
    assert run(daemon, "disclose", "--lang", "ko") == 0
    assert "이곳에서 측정하는 것" in out(capsys)


def test_json_is_the_document_of_the_daemon(daemon: Played, capsys: Capture) -> None:
    assert run(daemon, "disclose", "--json") == 0
    assert json.loads(out(capsys)) == daemon.disclose


def test_dtpr_is_a_chain_for_machines(daemon: Played, capsys: Capture) -> None:
    assert run(daemon, "disclose", "--dtpr") == 0
    found = json.loads(out(capsys))
    assert found["schema_version"] == "dtpr.v1"
    assert "weather_station" in [row["element_id"] for row in found["elements"]]


def test_what_the_site_leaves_out_is_named_and_the_exit_code_says_so(
    daemon: Played, capsys: Capture
) -> None:
    daemon.disclose["site"]["retention"] = " "
    assert run(daemon, "disclose") == 1
    captured = capsys.readouterr()
    assert "How long it is kept: not stated" in captured.out
    assert "[site] does not say: retention; write it in [site]" in captured.err


@pytest.mark.parametrize("end", ["svg", "pdf"])
def test_a_sign_is_written_and_named(
    end: str, daemon: Played, tmp_path: Path, capsys: Capture
) -> None:
    target = tmp_path / f"pole.{end}"
    assert run(daemon, "disclose", "--sign", str(target)) == 0
    assert out(capsys) == f"{target}\n"
    assert run(daemon, "disclose", "--sign", str(target), "--json") == 0
    size = target.stat().st_size
    assert json.loads(out(capsys)) == {"format": 1, "file": str(target), "bytes": size}
    assert size > 1000


def test_a_sign_that_cannot_be_written_is_a_clear_error(
    daemon: Played, tmp_path: Path, capsys: Capture
) -> None:
    assert run(daemon, "disclose", "--sign", str(tmp_path / "pole.png")) == 1
    assert "name a file that ends in .svg or .pdf" in capsys.readouterr().err
    assert run(daemon, "disclose", "--sign", str(tmp_path / "none" / "pole.svg")) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_a_sensor_cannot_steer_the_terminal_by_the_words_of_the_file(
    daemon: Played, capsys: Capture
) -> None:
    daemon.disclose["site"]["name"] = "\x1b[2J"
    run(daemon, "disclose")
    assert "\x1b" not in out(capsys)


def test_neither_drivers_nor_the_code_for_signs_are_loaded_to_tell_what_runs(
    daemon: Played,
) -> None:
    script = (
        "import sys; from edgenode.cli import main;"
        f"code = main(['disclose', '--socket', {str(daemon.path)!r}]);"
        "heavy = {'fpdf', 'segno', 'msgspec', 'drivers', 'edgenode.config'} & set(sys.modules);"
        "print(sorted(heavy), file=sys.stderr); sys.exit(code)"
    )
    words = [sys.executable, "-c", script]
    done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=30)
    assert done.stderr == "[]\n"
    assert "temperature" in done.stdout
